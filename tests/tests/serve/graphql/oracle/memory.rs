//! Tests that documents with nulls in required fields give the responses of graphql-js.

use async_graphql::{
    EmptyMutation, EmptySubscription, Enum, InputObject, Interface, Object, Schema, SimpleObject,
    Union,
};
use fraiseql_graphql::{Prepared, TvDoc, TvList};
use fraiseql_runtime::{Embed, TView};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::graphql::oracle::compare::compare;
use crate::graphql::oracle::generate::Pools;

#[derive(TView)]
#[tview(table = "tb_post")]
pub(crate) struct Post {
    pub(crate) id: i64,
    pub(crate) title: String,
    #[tview(one(fk = "author_id"))]
    pub(crate) author: Author,
    #[tview(one(fk = "editor_id"))]
    pub(crate) editor: Option<Author>,
    #[tview(many(fk = "post_id"))]
    pub(crate) comments: Vec<Comment>,
    pub(crate) tags: Vec<String>,
    pub(crate) marks: Option<Vec<Option<i32>>>,
    pub(crate) meta: Option<Value>,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
pub(crate) struct Author {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) nick: Option<String>,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
pub(crate) struct Comment {
    pub(crate) id: i64,
    pub(crate) content: String,
    #[tview(one(fk = "author_id"))]
    pub(crate) author: Option<Author>,
}

fn author(id: i64, name: &str) -> Value {
    json!({"id": id, "name": name, "nick": null})
}

/// Documents, the first of which is valid.
fn documents() -> Vec<Value> {
    let good = json!({
        "id": 1, "title": "good", "author": author(1, "Ada"), "editor": author(2, "Bob"),
        "comments": [
            {"id": 10, "content": "first", "author": author(2, "Bob")},
            {"id": 11, "content": "second", "author": null},
        ],
        "tags": ["a", "b"], "marks": [1, null], "meta": {"id": [null]},
    });
    let mut all = vec![good.clone()];
    for (place, value) in [
        ("/title", Value::Null),
        ("/author/name", Value::Null),
        ("/editor/name", Value::Null),
        ("/comments/0/author/name", Value::Null),
        ("/comments/1/content", Value::Null),
        ("/comments/1", Value::Null),
        ("/comments", Value::Null),
        ("/tags/1", Value::Null),
        ("/tags", Value::Null),
        ("/marks", Value::Null),
        ("/author", Value::Null),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        all.push(bad);
    }
    // Absent keys are null.
    let mut bare = good;
    for key in ["editor", "meta", "marks"] {
        bare.as_object_mut().unwrap().remove(key);
    }
    all.push(bare);
    all
}

fn raw(value: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap()
}

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
    size: Option<f64>,
    colors: Option<Vec<Color>>,
    inner: Option<Box<Wanted>>,
    id: Option<async_graphql::ID>,
    flags: Option<Vec<Option<bool>>>,
}

struct Query {
    documents: Vec<Value>,
}

impl Query {
    fn shelf(&self) -> Shelf {
        Shelf {
            name: "new",
            best: raw(&self.documents[0]).into(),
            odd: self.documents.get(2).map(|one| raw(one).into()),
            posts: self.documents.iter().take(1).map(raw).collect(),
        }
    }
}

#[Object]
impl Query {
    async fn good(&self) -> TvDoc<Post> {
        raw(&self.documents[0]).into()
    }
    async fn untitled(&self) -> Option<TvDoc<Post>> {
        Some(raw(&self.documents[1]).into())
    }
    async fn nameless_author(&self) -> Option<TvDoc<Post>> {
        Some(raw(&self.documents[2]).into())
    }
    async fn nameless_editor(&self) -> Option<TvDoc<Post>> {
        Some(raw(&self.documents[3]).into())
    }
    async fn nameless_commenter(&self) -> TvDoc<Post> {
        raw(&self.documents[4]).into()
    }
    async fn empty_comment(&self) -> Option<TvDoc<Post>> {
        Some(raw(&self.documents[5]).into())
    }
    async fn no_comment(&self) -> Option<TvDoc<Post>> {
        Some(raw(&self.documents[6]).into())
    }
    async fn no_comments(&self) -> Option<TvDoc<Post>> {
        Some(raw(&self.documents[7]).into())
    }
    async fn empty_tag(&self) -> Option<TvDoc<Post>> {
        Some(raw(&self.documents[8]).into())
    }
    async fn no_tags(&self) -> Option<TvDoc<Post>> {
        Some(raw(&self.documents[9]).into())
    }
    async fn no_author(&self) -> Option<TvDoc<Post>> {
        Some(raw(&self.documents[11]).into())
    }
    async fn bare(&self) -> Option<TvDoc<Post>> {
        self.documents.last().map(|one| raw(one).into())
    }
    async fn nobody(&self) -> Option<TvDoc<Post>> {
        None
    }
    async fn all(&self) -> Option<TvList<Post>> {
        Some(self.documents.iter().map(raw).collect())
    }
    async fn nested(&self) -> Vec<Vec<TvDoc<Post>>> {
        let list = |range: std::ops::Range<usize>| {
            let some = self.documents[range].iter();
            some.map(|one| raw(one).into()).collect()
        };
        vec![list(0..1), list(0..0), list(9..11)]
    }
    #[graphql(name = "shelf")]
    async fn one_shelf(&self) -> Shelf {
        self.shelf()
    }
    async fn things(&self) -> Vec<Thing> {
        vec![
            Thing::Shelf(self.shelf()),
            Thing::Crate(Crate {
                name: "old",
                weight: 7,
            }),
        ]
    }
    async fn found(&self) -> Vec<Found> {
        vec![
            Found::Crate(Crate {
                name: "old",
                weight: 7,
            }),
            Found::Shelf(self.shelf()),
        ]
    }
    /// A value that is ready later than those after it.
    async fn slow(&self) -> i32 {
        tokio::task::yield_now().await;
        1
    }
    async fn fragile(&self) -> Option<async_graphql::Result<i32>> {
        Some(Err("it is fragile".into()))
    }
    #[expect(clippy::too_many_arguments, reason = "a type each")]
    async fn count(
        &self,
        _text: Option<String>,
        _number: Option<i32>,
        _size: Option<f64>,
        _flag: Option<bool>,
        _id: Option<async_graphql::ID>,
        _color: Option<Color>,
        _wanted: Option<Wanted>,
        _all: Option<Vec<Wanted>>,
        _grid: Option<Vec<Vec<i32>>>,
        #[graphql(default = 5)] _most: i32,
    ) -> i32 {
        4
    }
    async fn wants(&self, _wanted: Wanted, _color: Color) -> bool {
        true
    }
}

#[derive(SimpleObject)]
struct Shelf {
    name: &'static str,
    best: TvDoc<Post>,
    odd: Option<TvDoc<Post>>,
    posts: TvList<Post>,
}

#[derive(SimpleObject)]
struct Crate {
    name: &'static str,
    weight: i32,
}

#[derive(Interface)]
#[graphql(field(name = "name", ty = "&&'static str"))]
enum Thing {
    Shelf(Shelf),
    Crate(Crate),
}

#[derive(Union)]
enum Found {
    Shelf(Shelf),
    Crate(Crate),
}

#[tokio::test]
async fn resolvers_give_the_responses_of_graphql_js() {
    let documents = documents();
    let query = Query {
        documents: documents.clone(),
    };
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    let shelf = json!({
        "__typename": "Shelf", "name": "new", "best": documents[0], "odd": documents[2],
        "posts": documents[..1],
    });
    let old = json!({"__typename": "Crate", "name": "old", "weight": 7});
    let sdl = schema.sdl();
    let served = json!({
        "sdl": sdl,
        "root": {
            "good": documents[0], "untitled": documents[1], "namelessAuthor": documents[2],
            "namelessEditor": documents[3], "namelessCommenter": documents[4],
            "emptyComment": documents[5], "noComment": documents[6], "noComments": documents[7],
            "emptyTag": documents[8], "noTags": documents[9], "noAuthor": documents[11],
            "bare": documents[12], "nobody": null, "all": documents,
            "nested": [documents[..1], [], documents[9..11]],
            "shelf": shelf, "things": [shelf, old], "found": [old, shelf],
            "slow": 1, "fragile": {"__error": "it is fragile"}, "count": 4, "wants": true,
        },
    });
    let pools = Pools {
        ids: ["1", "x"].map(str::to_owned).to_vec(),
        texts: ["", "a \"b\" \\ 😀 \u{1}\n"].map(str::to_owned).to_vec(),
        times: vec!["2026-01-01T00:00:00Z".to_owned()],
        cursors: vec!["x".to_owned()],
    };
    compare("memory", &schema, &sdl, &pools, served).await;
}
