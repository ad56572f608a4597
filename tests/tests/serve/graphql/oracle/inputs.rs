//! Tests that arguments, variables, mutations and directives are read as graphql-js reads them: the
//! response of each field is what it was given.

use async_graphql::{
    CustomDirective, Directive, Enum, ID, InputObject, Json, MaybeUndefined, Object, OneofObject,
    Schema, Subscription,
};
use fraiseql_graphql::Prepared;
use futures_util::{Stream, stream};
use serde_json::{Map, Value, json};

use crate::graphql::oracle::compare::compare;
use crate::graphql::oracle::generate::Pools;

#[derive(Clone, Copy, Enum, Eq, PartialEq)]
enum Color {
    Red,
    Green,
}

#[derive(InputObject)]
struct Wanted {
    name: String,
    #[graphql(default = 3)]
    count: i32,
    size: MaybeUndefined<f64>,
    colors: MaybeUndefined<Vec<Color>>,
    inner: MaybeUndefined<Box<Wanted>>,
    id: MaybeUndefined<ID>,
    flags: MaybeUndefined<Vec<Option<bool>>>,
    one: MaybeUndefined<Box<One>>,
}

#[derive(OneofObject)]
enum One {
    Id(ID),
    Number(i32),
    Wanted(Wanted),
    Names(Vec<String>),
}

/// A value as graphql-js hands it to a resolver.
trait Given {
    fn given(&self) -> Value;
}

macro_rules! given {
    ($($ty:ty: |$value:ident| $json:expr;)*) => {
        $(impl Given for $ty {
            fn given(&self) -> Value {
                let $value = self;
                $json
            }
        })*
    };
}

given! {
    i32: |value| json!(value);
    bool: |value| json!(value);
    String: |value| json!(value);
    ID: |value| json!(value.0);
    Color: |value| json!(match value { Color::Red => "RED", Color::Green => "GREEN" });
    // JavaScript has one type of numbers.
    f64: |value| if value.fract() == 0.0 { json!(*value as i64) } else { json!(value) };
    Json<Value>: |value| integers(&value.0);
    Wanted: |value| {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), value.name.given());
        fields.insert("count".to_owned(), value.count.given());
        put(&mut fields, "size", &value.size);
        put(&mut fields, "colors", &value.colors);
        put(&mut fields, "inner", &value.inner);
        put(&mut fields, "id", &value.id);
        put(&mut fields, "flags", &value.flags);
        put(&mut fields, "one", &value.one);
        Value::Object(fields)
    };
    One: |value| match value {
        One::Id(id) => json!({"id": id.given()}),
        One::Number(number) => json!({"number": number}),
        One::Wanted(wanted) => json!({"wanted": wanted.given()}),
        One::Names(names) => json!({"names": names}),
    };
}

impl<T: Given> Given for Vec<T> {
    fn given(&self) -> Value {
        self.iter().map(Given::given).collect()
    }
}

impl<T: Given> Given for Option<T> {
    fn given(&self) -> Value {
        self.as_ref().map_or(Value::Null, Given::given)
    }
}

impl<T: Given> Given for Box<T> {
    fn given(&self) -> Value {
        (**self).given()
    }
}

/// An argument that is absent is not given.
fn put<T: Given>(fields: &mut Map<String, Value>, name: &str, value: &MaybeUndefined<T>) {
    let value = match value {
        MaybeUndefined::Undefined => return,
        MaybeUndefined::Null => Value::Null,
        MaybeUndefined::Value(value) => value.given(),
    };
    fields.insert(name.to_owned(), value);
}

fn integers(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => float.given(),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(integers).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), integers(value)))
            .collect(),
        other => other.clone(),
    }
}

/// What a field was given, with sorted names.
macro_rules! echo {
    ($($name:literal: $argument:ident),* $(,)?) => {{
        let mut fields = Map::new();
        $(put(&mut fields, $name, &$argument);)*
        Value::Object(fields).to_string()
    }};
}

struct Query;

#[Object]
impl Query {
    #[expect(clippy::too_many_arguments, reason = "one of each type")]
    async fn echo(
        &self,
        text: MaybeUndefined<String>,
        int: MaybeUndefined<i32>,
        float: MaybeUndefined<f64>,
        flag: MaybeUndefined<bool>,
        id: MaybeUndefined<ID>,
        color: MaybeUndefined<Color>,
        any: MaybeUndefined<Json<Value>>,
    ) -> String {
        echo! {
            "text": text, "int": int, "float": float, "flag": flag, "id": id, "color": color,
            "any": any,
        }
    }

    async fn lists(
        &self,
        ints: MaybeUndefined<Vec<Option<i32>>>,
        grid: MaybeUndefined<Vec<Vec<i32>>>,
        texts: MaybeUndefined<Vec<String>>,
        colors: MaybeUndefined<Vec<Color>>,
        many: MaybeUndefined<Vec<Wanted>>,
    ) -> String {
        echo! { "ints": ints, "grid": grid, "texts": texts, "colors": colors, "many": many }
    }

    async fn objects(
        &self,
        wanted: MaybeUndefined<Wanted>,
        one: MaybeUndefined<One>,
        ones: MaybeUndefined<Vec<One>>,
    ) -> String {
        echo! { "wanted": wanted, "one": one, "ones": ones }
    }

    async fn required(
        &self,
        wanted: Wanted,
        color: Color,
        #[graphql(default = 5)] most: i32,
        #[graphql(default)] text: String,
    ) -> Option<String> {
        let [wanted, most] = [
            MaybeUndefined::Value(wanted.given()),
            MaybeUndefined::Value(most.given()),
        ];
        let [color, text] = [
            MaybeUndefined::Value(color.given()),
            MaybeUndefined::Value(text.given()),
        ];
        Some(echo! { "wanted": wanted, "color": color, "most": most, "text": text })
    }

    async fn itself(&self) -> Option<Self> {
        Some(Self)
    }

    async fn always(&self) -> Self {
        Self
    }
}

impl Given for Value {
    fn given(&self) -> Value {
        self.clone()
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn put(&self, wanted: MaybeUndefined<Wanted>, id: ID) -> Option<String> {
        let id = MaybeUndefined::Value(id);
        Some(echo! { "wanted": wanted, "id": id })
    }

    async fn remove(&self, #[graphql(default = true)] really: bool) -> String {
        let really = MaybeUndefined::Value(really);
        echo! { "really": really }
    }
}

struct Events;

#[Subscription(name = "Subscription")]
impl Events {
    async fn tick(&self, _every: Option<i32>) -> impl Stream<Item = i32> {
        stream::iter([1, 2])
    }
}

/// Does nothing.
struct Tag;

impl CustomDirective for Tag {}

#[Directive(location = "Field", repeatable)]
fn tag(_name: String) -> impl CustomDirective {
    Tag
}

#[tokio::test]
async fn arguments_are_those_of_graphql_js() {
    let schema = Schema::build(Query, Mutation, Events)
        .directive(tag)
        .extension(Prepared::default())
        .finish();
    let sdl = schema.sdl();
    let echo = json!({"__echo": true});
    let served = json!({
        "sdl": sdl,
        "root": {
            "echo": echo, "lists": echo, "objects": echo, "required": echo, "itself": {"__root": true},
            "always": {"__root": true}, "put": echo, "remove": echo,
        },
    });
    let pools = Pools {
        ids: ["1", "x"].map(str::to_owned).to_vec(),
        texts: ["", "a \"b\" \\ 😀 \u{1}\n"].map(str::to_owned).to_vec(),
        times: vec!["2026-01-01T00:00:00Z".to_owned()],
        cursors: vec!["x".to_owned()],
    };
    compare("inputs", &schema, &sdl, &pools, served).await;
}
