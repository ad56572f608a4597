//! Tests that requests are read as the specification says, whatever async-graphql's parser and
//! validation would say.

use async_graphql::{
    EmptySubscription, InputObject, Object, PathSegment, Request, Response, Schema, SimpleObject,
    Union, ValidationMode, Variables,
};
use fraiseql_graphql::Prepared;
use serde_json::{Value, json};

#[derive(InputObject)]
struct Range {
    from: Option<i32>,
    #[graphql(default = 10)]
    to: i32,
}

struct Query;

#[Object]
impl Query {
    async fn count(&self, limit: i32, range: Option<Range>) -> i32 {
        range.map_or(limit, |range| range.to - range.from.unwrap_or(0))
    }

    async fn text(&self, value: String) -> String {
        value
    }

    async fn fails(&self) -> Option<async_graphql::Result<i32>> {
        Some(Err("it failed".into()))
    }

    async fn itself(&self) -> Self {
        Query
    }

    async fn found(&self) -> Vec<Found> {
        vec![
            Found::Shelf(Shelf { name: "new" }),
            Found::Crate(Crate { weight: 7 }),
        ]
    }

    async fn must_fail(&self) -> async_graphql::Result<i32> {
        Err("it must not".into())
    }

    async fn perhaps(&self) -> Option<Self> {
        Some(Query)
    }
}

#[derive(SimpleObject)]
struct Shelf {
    name: &'static str,
}

#[derive(SimpleObject)]
struct Crate {
    weight: i32,
}

#[derive(Union)]
enum Found {
    Shelf(Shelf),
    Crate(Crate),
}

struct Mutation;

#[Object]
impl Mutation {
    async fn put(&self, number: i32) -> i32 {
        number
    }
}

type Served = Schema<Query, Mutation, EmptySubscription>;

/// The schema with each kind of validation by async-graphql, which must not matter.
fn served() -> [Served; 3] {
    let build = || Schema::build(Query, Mutation, EmptySubscription);
    [
        build().extension(Prepared::default()).finish(),
        build()
            .extension(Prepared::default().keep(0))
            .validation_mode(ValidationMode::Fast)
            .finish(),
        build()
            .extension(Prepared::default().validate_once(true))
            .finish(),
    ]
}

/// The response of each schema, which is the same twice.
async fn responses(request: impl Fn() -> Request) -> Vec<Response> {
    let mut responses = Vec::new();
    for schema in served() {
        for _ in 0..2 {
            responses.push(schema.execute(request()).await);
        }
    }
    responses
}

async fn assert_data(query: &str, variables: Value, operation: Option<&str>, expected: Value) {
    let request = || {
        let variables = Variables::from_json(variables.clone());
        let request = Request::new(query).variables(variables);
        match operation {
            Some(name) => request.operation_name(name),
            None => request,
        }
    };
    for response in responses(request).await {
        assert_eq!(response.errors, [], "{query}");
        let data = serde_json::to_value(&response.data).unwrap();
        assert_eq!(data, expected, "{query}");
    }
}

async fn assert_refused(query: &str, variables: Value, reason: &str) {
    let request = || Request::new(query).variables(Variables::from_json(variables.clone()));
    for response in responses(request).await {
        assert_eq!(response.data, async_graphql::Value::Null, "{query}");
        let errors = response.errors.iter();
        let messages: Vec<_> = errors.map(|error| error.message.as_str()).collect();
        let messages = messages.join("; ");
        assert!(messages.contains(reason), "{query}: {messages}");
    }
}

#[tokio::test]
async fn only_the_operation_that_is_executed_needs_its_variables() {
    let query = "query A { count(limit: 1) } query B($limit: Int!) { count(limit: $limit) ...F } \
                 fragment F on Query { other: count(limit: $limit) } mutation C { put(number: 1) }";
    assert_data(query, json!({}), Some("A"), json!({"count": 1})).await;
    let both = json!({"count": 2, "other": 2});
    assert_data(query, json!({"limit": 2}), Some("B"), both).await;
    assert_data(query, json!({"limit": "x"}), Some("A"), json!({"count": 1})).await;
    assert_data(query, json!({}), Some("C"), json!({"put": 1})).await;
    // All of them must be valid.
    let query = "query A { count(limit: 1) } query B { nothing }";
    for response in responses(|| Request::new(query).operation_name("A")).await {
        assert!(response.errors[0].message.contains("nothing"));
    }
}

#[tokio::test]
async fn an_operation_that_the_schema_does_not_have_is_an_error_only_if_it_is_executed() {
    let query = "query A { count(limit: 1) ...F } fragment F on Query { a: count(limit: 2) } \
                 subscription B($b: Int) { tick(a: $b) { tock } ...G @skip(if: true) } \
                 fragment G on Query { a: count(limit: 3) }";
    let expected = json!({"count": 1, "a": 2});
    assert_data(query, json!({}), Some("A"), expected).await;
    for response in responses(|| Request::new(query).operation_name("B")).await {
        assert_eq!(response.errors.len(), 1, "{:?}", response.errors);
    }
}

#[tokio::test]
async fn what_the_grammar_or_the_rules_forbid_is_refused() {
    for (query, reason) in [
        (
            "{ count(limit: 1, range: {from: 1, from: 1}) }",
            "only one input field named \"from\"",
        ),
        ("queryy { count(limit: 1) }", "syntax error"),
        ("{ count(limit: 3000000000) }", "32-bit"),
        ("{ count(limit: 01) }", "syntax error"),
        ("{ count(limit: 1a) }", "syntax error"),
        ("{ count(limit: 2.0) }", "expected value of type Int!"),
        ("{ text(value: \"\n\") }", "a string does not end"),
        ("query ($a: Int = $b) { count(limit: $a) }", "syntax error"),
        (
            "query ($a: Int, $b: Int) { count(limit: 1, range: {from: $a}) }",
            "unused variable: `$b`",
        ),
        (
            "query ($a: Int) { count(limit: 1, range: {to: 1, from: $a}) count(limit: $a) }",
            "`$a` of type `Int`",
        ),
        (
            "query ($a: [Int]) { count(limit: 1, range: {from: $a}) }",
            "\"$a\" of type \"[Int]\" used in position expecting type \"Int\"",
        ),
        (
            "query ($a: Int = null) { count(limit: $a) }",
            "\"$a\" of type \"Int\" used in position expecting type \"Int!\"",
        ),
        (
            "{ a: count(limit: 1) a: count(limit: 2) }",
            "for the same name",
        ),
        ("{ count(limit: 1) } type T { a: Int }", "not executable"),
        ("{ count }", "the required argument"),
        ("\"text\" { count(limit: 1) }", "syntax error"),
        ("{ ...F } fragment F on Query { ...F }", "within itself"),
        ("subscription { a b }", ""),
    ] {
        assert_refused(query, json!({}), reason).await;
    }
}

#[tokio::test]
async fn what_the_grammar_and_the_rules_allow_is_executed() {
    for (query, expected) in [
        ("\u{feff}{count(limit:1)}", json!({"count": 1})),
        (
            "{, ... on # comment \n Query , { count ( limit :, 1 ,) } ,...,{ text(value: \"\") } }",
            json!({"count": 1, "text": ""}),
        ),
        (
            "query ($id: Int = 4 , , ) { count(limit: $id) }",
            json!({"count": 4}),
        ),
        (
            "{ text(value: \"\\u{1F600}\\uD83D\\uDE00 \\\" \\u0041\") }",
            json!({"text": "😀😀 \" A"}),
        ),
        (
            "{ text(value: \"\"\"\n    a\n      b\n\n    \\\"\"\" \"\"\") }",
            json!({"text": "a\n  b\n\n\"\"\" "}),
        ),
        (
            "{ query: count(limit: 1) on: count(limit: 2) }",
            json!({"query": 1, "on": 2}),
        ),
        ("query on { count(limit: 1) }", json!({"count": 1})),
        (
            "\"an operation\" query (\"a variable\" $a: Int! = 3) { count(limit: $a) }",
            json!({"count": 3}),
        ),
        (
            "{ ...fragment } fragment fragment on Query { count(limit: -0) }",
            json!({"count": 0}),
        ),
        (
            "query ($a: Int) { count(limit: 9, range: {from: $a, to: $a}) }",
            json!({"count": 10}),
        ),
    ] {
        assert_data(query, json!({}), None, expected).await;
    }
}

#[tokio::test]
async fn variables_are_coerced_to_their_types() {
    let query = "query ($limit: Int!, $range: Range) { count(limit: $limit, range: $range) }";
    for (variables, expected) in [
        // JSON does not tell 2.0 from 2.
        (json!({"limit": 2.0}), json!({"count": 2})),
        (json!({"limit": 1, "range": null}), json!({"count": 1})),
        (json!({"limit": 1, "range": {}}), json!({"count": 10})),
        (
            json!({"limit": 1, "range": {"from": 4e0, "to": 5}}),
            json!({"count": 1}),
        ),
        (
            json!({"limit": 1, "unknown": {"a": 1}}),
            json!({"count": 1}),
        ),
    ] {
        assert_data(query, variables, None, expected).await;
    }
    for (variables, reason) in [
        (json!({}), "was not provided"),
        (json!({"limit": null}), "found null"),
        (json!({"limit": 3_000_000_000_u64}), "found 3000000000"),
        (json!({"limit": -2_147_483_649_i64}), "found -2147483649"),
        (json!({"limit": 2.5}), "found 2.5"),
        (json!({"limit": "2"}), "found \"2\""),
        (json!({"limit": [2]}), "found [2]"),
        (json!({"limit": 1, "range": {"to": null}}), "found null"),
        (
            json!({"limit": 1, "range": {"a": 1}}),
            "not defined by type",
        ),
        (json!({"limit": 1, "range": [{}]}), "is an object"),
    ] {
        assert_refused(query, variables, reason).await;
    }
}

#[tokio::test]
async fn the_errors_of_a_query_have_locations_in_its_text() {
    let query = "{ # 😀\r\n  one: nothing\n  é: count(limit: \"😀\")\n}";
    let query = query.replace('é', "e");
    for response in responses(|| Request::new(&query)).await {
        let errors = response.errors.iter();
        let positions: Vec<_> = errors
            .flat_map(|error| &error.locations)
            .map(|pos| (pos.line, pos.column))
            .collect();
        assert_eq!(positions, [(2, 8), (3, 19)], "{:?}", response.errors);
    }
    // Also those of the execution.
    let query = "{\n  # comment\n  itself {, a: fails }\n}";
    for response in responses(|| Request::new(query)).await {
        assert_eq!(response.errors.len(), 1);
        let error = &response.errors[0];
        assert_eq!(error.path.len(), 2);
        let pos = error.locations[0];
        assert_eq!((pos.line, pos.column), (3, 13));
    }
}

#[tokio::test]
async fn fields_conflict_also_in_an_operation_that_the_schema_does_not_have() {
    for other in [
        "subscription B { a: x a: y }",
        "subscription B { x { a: p a: q } }",
        "subscription B { x(n: 1) x(n: 2) }",
        "subscription B { x { ...F } } fragment F on Query { c: count c: itself { count } }",
    ] {
        let query = format!("query A {{ __typename }} {other}");
        for response in responses(|| Request::new(&query).operation_name("A")).await {
            let messages: Vec<_> = response.errors.iter().map(|error| &error.message).collect();
            assert!(
                messages.iter().any(|message| message.contains("conflict")),
                "{query}: {messages:?}"
            );
        }
    }
    // Fields that are equal do not.
    let query = "query A { __typename } subscription B { x { a } x { a b } }";
    for response in responses(|| Request::new(query).operation_name("A")).await {
        assert!(response.errors.is_empty(), "{:?}", response.errors);
    }
}

#[tokio::test]
async fn an_unknown_field_is_one_error() {
    for response in responses(|| Request::new("{ itself { nothing } }")).await {
        let messages: Vec<_> = response.errors.iter().map(|error| &error.message).collect();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].contains("`nothing`"), "{messages:?}");
    }
    // Nothing is hidden: a field without a selection beside it is an error of its own.
    for response in responses(|| Request::new("{ itself { nothing } b: itself }")).await {
        assert_eq!(response.errors.len(), 2, "{:?}", response.errors);
    }
}

/// The data of each response, and the paths of its errors.
async fn assert_partial(query: &str, variables: Value, data: &str, paths: &[&str]) {
    let request = || Request::new(query).variables(Variables::from_json(variables.clone()));
    for response in responses(request).await {
        assert_eq!(response.data.to_string(), data, "{query}");
        let errors = response.errors.iter();
        let mut found: Vec<_> = errors
            .map(|error| {
                assert_eq!(error.locations.len(), 1, "{query}");
                let path = error.path.iter().map(|segment| match segment {
                    PathSegment::Field(name) => name.clone(),
                    PathSegment::Index(index) => index.to_string(),
                });
                path.collect::<Vec<_>>().join(".")
            })
            .collect();
        found.sort();
        assert_eq!(found, paths, "{query}: {:?}", response.errors);
    }
}

#[tokio::test]
async fn a_null_where_none_is_allowed_is_the_error_of_a_field() {
    let limit = "query ($n: Int = 1) { perhaps { a: __typename count(limit: $n) } b: __typename }";
    let expected = "{perhaps: null, b: \"Query\"}";
    assert_partial(limit, json!({"n": null}), expected, &["perhaps.count"]).await;
    let to = "query ($n: Int) { perhaps { count(limit: 1, range: {to: $n}) } }";
    assert_partial(
        to,
        json!({"n": null}),
        "{perhaps: null}",
        &["perhaps.count"],
    )
    .await;
    let skip = "query ($n: Boolean = true) { perhaps { a: __typename b: __typename @skip(if: $n) } \
                found { ... on Crate { weight @include(if: $n) } ... on Shelf { name } } }";
    assert_partial(skip, json!({"n": null}), "null", &["found.1", "perhaps"]).await;
    let excluded = "query ($n: Int = 1) { count(limit: $n) @skip(if: true) a: __typename }";
    assert_partial(excluded, json!({"n": null}), "{a: \"Query\"}", &[]).await;
    let root = "query ($n: Boolean = true) { a: __typename @skip(if: $n) }";
    assert_refused(root, json!({"n": null}), "must not be null").await;
    assert_partial(root, json!({}), "{}", &[]).await;
}

#[tokio::test]
async fn a_failed_field_is_null_in_nested_objects_too() {
    for (query, data, paths) in [
        (
            "{ itself { fails a: __typename } }",
            "{itself: {fails: null, a: \"Query\"}}",
            &["itself.fails"][..],
        ),
        (
            "{ itself { fails } }",
            "{itself: {fails: null}}",
            &["itself.fails"],
        ),
        (
            "{ itself { perhaps { itself { mustFail } } } }",
            "{itself: {perhaps: null}}",
            &["itself.perhaps.itself.mustFail"],
        ),
        ("{ itself { mustFail } }", "null", &["itself.mustFail"]),
    ] {
        assert_partial(query, json!({}), data, paths).await;
    }
}

#[tokio::test]
async fn a_fragment_on_a_union_applies_within_objects_of_other_types() {
    let query = "{ found { ... on Shelf { ... on Found { __typename ...F } } \
                 ... on Crate { ...F } } } fragment F on Found { ... on Shelf { name } ... on Crate { weight } }";
    let expected = json!({"found": [{"__typename": "Shelf", "name": "new"}, {"weight": 7}]});
    assert_data(query, json!({}), None, expected).await;
}
