//! Tests that the introspection of tools passes under every limit, and that no other does.

use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema};
use fraiseql_graphql::{DocumentLimits, Prepared, Query};
use fraiseql_runtime::TView;
use sqlx::postgres::PgPoolOptions;

const INTROSPECTION: &str = include_str!("../../../src/introspection.graphql");

#[derive(TView)]
#[tview(table = "tb_note")]
pub(crate) struct Note {
    pub(crate) id: i32,
    #[tview(filter, sort)]
    pub(crate) title: String,
}

type Served = Schema<Query<(Note,)>, EmptyMutation, EmptySubscription>;

/// A schema that refuses almost every query. It never connects.
fn strict(limits: DocumentLimits) -> Served {
    let pool = PgPoolOptions::new()
        .connect_lazy("postgres://localhost")
        .unwrap();
    Schema::build(
        Query::<(Note,)>::new(pool),
        EmptyMutation,
        EmptySubscription,
    )
    .extension(Prepared::default().validate_once(true).limits(limits))
    .limit_depth(1)
    .limit_complexity(1)
    .finish()
}

#[tokio::test]
async fn the_introspection_of_graphql_js_passes_under_every_limit() {
    let default = DocumentLimits::default();
    let least = default.tokens(1).nesting(1).fields(1).aliases(0);
    for limits in [default, least] {
        let schema = strict(limits);
        for _ in 0..2 {
            let answer = schema.execute(INTROSPECTION).await;
            assert_eq!(answer.errors, []);
            let answer = serde_json::to_value(&answer.data).unwrap();
            let types = answer["__schema"]["types"].as_array().unwrap();
            assert!(types.iter().any(|ty| ty["name"] == "Note"));
        }
        // The same with all that tools add to it.
        let wrapped = "query Q { __typename ... on Query { ...S } } fragment S on Query { \
                       a: __schema { types { name } } __type(name: \"Note\") { kind } }";
        if limits == default {
            assert_eq!(schema.execute(wrapped).await.errors, []);
        }
    }
}

#[tokio::test]
async fn what_is_not_introspection_keeps_its_limits() {
    let schema = strict(DocumentLimits::default());
    for (query, reason) in [
        ("{ notes { id } }", "too"),
        ("{ __schema { types { name } } notes { id } }", "too"),
        (
            "{ ...F } fragment F on Query { __typename notes { id } }",
            "too",
        ),
    ] {
        let answer = schema.execute(query).await;
        let message = &answer.errors[0].message;
        assert!(message.contains(reason), "{query}: {message}");
    }
    let default = DocumentLimits::default();
    let fields = "id title ".repeat(600);
    for (limits, query, reason) in [
        (
            default.tokens(5),
            format!("{{ notes {{ {fields} }} }}"),
            "5 tokens",
        ),
        (
            default.tokens(5),
            "{ notes { id title } }".to_owned(),
            "5 tokens",
        ),
        (
            default.nesting(1),
            "{ notes { id } }".to_owned(),
            "1 levels",
        ),
        (
            default.fields(2),
            "{ notes { id title } }".to_owned(),
            "2 fields",
        ),
        (
            default.aliases(0),
            "{ a: notes { id } }".to_owned(),
            "0 aliases",
        ),
        (
            default.fields(2),
            "{ __schema { types { name } } notes { id title } }".to_owned(),
            "2 fields",
        ),
        (
            default.tokens(5),
            "{ __schema { types { name } } notes { id title } }".to_owned(),
            "5 tokens",
        ),
    ] {
        let answer = strict(limits).execute(query.as_str()).await;
        let message = &answer.errors[0].message;
        assert!(message.contains(reason), "{query}: {message}");
    }
}

#[tokio::test]
async fn introspection_of_lists_within_lists_is_refused() {
    let schema = strict(DocumentLimits::default());
    let names = "name ".repeat(1_100);
    let aliases: String = (0..200).map(|n| format!("a{n}: name ")).collect();
    let deep = format!(
        "{{ __type(name: \"Note\") {{ {} name {} }} }}",
        "ofType { ".repeat(40),
        "}".repeat(40)
    );
    for (query, reason) in [
        (
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
            "Maximum introspection depth exceeded",
        ),
        (
            "{ __type(name: \"Note\") { ...F } } fragment F on __Type { interfaces { ...G } } \
             fragment G on __Type { possibleTypes { ...H } } \
             fragment H on __Type { a: inputFields { name } }",
            "Maximum introspection depth exceeded",
        ),
        (
            &format!("{{ __schema {{ types {{ {names} }} }} }}"),
            "1000 tokens",
        ),
        (
            &format!("{{ __schema {{ types {{ {aliases} }} }} }}"),
            "100 aliases of introspection",
        ),
        (
            "{ __schema { types { ...A } } } fragment A on __Type { ...B ...B ...B ...B ...B ...B } \
             fragment B on __Type { ...C ...C ...C ...C ...C ...C } \
             fragment C on __Type { ...D ...D ...D ...D ...D ...D } \
             fragment D on __Type { ...E ...E ...E ...E ...E ...E } \
             fragment E on __Type { name }",
            "1000 fields of introspection",
        ),
        (deep.as_str(), "levels of introspection"),
    ] {
        let answer = schema.execute(query).await;
        let errors = answer.errors.first();
        let message = errors.map_or("", |error| &error.message);
        let reason = reason.replace("1000 tokens", "1000 fields of introspection");
        assert!(message.contains(&reason), "{query}: {message}");
    }
    let two = "{ __schema { types { fields { type { fields { name } } } } } }";
    assert_eq!(schema.execute(two).await.errors, []);
}

/// A type whose fields are called as those of introspection.
struct Fields;

#[Object]
impl Fields {
    async fn fields(&self) -> Self {
        Self
    }
    async fn name(&self) -> &str {
        "name"
    }
}

#[tokio::test]
async fn fields_of_the_application_may_be_called_as_those_of_introspection() {
    let schema = Schema::build(Fields, EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    let query = "{ fields { fields { fields { fields { name } } } } }";
    let answer = schema.execute(Request::new(query)).await;
    assert_eq!(answer.errors, []);
}
