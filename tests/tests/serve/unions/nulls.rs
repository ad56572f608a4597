//! Errors within the documents of a union.

use super::{schema, world};
use async_graphql::Request;
use fraiseql_graphql::Prepared;
use serde_json::json;

#[tokio::test]
async fn a_null_that_is_not_allowed_makes_the_nearest_nullable_value_null() {
    let pool = world().await;
    let schema = schema(&pool, Prepared::default());
    for (query, data, path) in [
        (
            "{ broken { id title } }",
            json!({"broken": [{"id": 1, "title": "Notes"}, null]}),
            json!(["broken", 1, "title"]),
        ),
        (
            "{ broken { ... on Page { t: title } } }",
            json!({"broken": [{}, null]}),
            json!(["broken", 1, "t"]),
        ),
        (
            "{ brokenList { ... on HasTitle { title } } contents { id } }",
            json!({"brokenList": null, "contents": [{"id": 1}, {"id": 1}]}),
            json!(["brokenList", 0, "title"]),
        ),
    ] {
        let response = schema.execute(Request::new(query)).await;
        let errors: Vec<_> = response.errors.iter().map(|it| json!(it.path)).collect();
        let written = serde_json::to_value(&response).unwrap();
        assert_eq!(written["data"], data, "{query}");
        assert_eq!(errors, [path], "{query}");
    }
    // What is not selected may be anything.
    let response = schema.execute("{ broken { id } }").await;
    assert_eq!(response.errors, []);
    pool.close().await;
}

#[tokio::test]
async fn a_selection_that_a_type_does_not_have_is_not_valid() {
    let pool = world().await;
    let schema = schema(&pool, Prepared::default());
    for (query, message) in [
        ("{ found { title } }", "title"),
        ("{ contents { rating } }", "rating"),
        ("{ titled { author { id } } }", "author"),
        ("{ found { ... on Page { id } } }", "Page"),
        ("{ user(id: 1) { ... on Content { id } } }", "Content"),
        ("{ written { id } }", "id"),
    ] {
        let response = schema.execute(Request::new(query)).await;
        let message = response
            .errors
            .iter()
            .find(|it| it.message.contains(message));
        assert!(message.is_some(), "{query}: {:?}", response.errors);
        assert_eq!(response.data, async_graphql::Value::Null, "{query}");
    }
    pool.close().await;
}
