//! Unions and interfaces in a subgraph.

use async_graphql::{EmptyMutation, EmptySubscription, SDLExportOptions, Schema};
use fraiseql_graphql::{Prepared, Query, TvAny};
use serde_json::json;

use super::{Content, Found, Set, world};

#[tokio::test]
async fn entities_are_selected_by_fragments_on_interfaces() {
    let pool = world().await;
    let query = Query::<Set>::new(pool.clone()).federation();
    let schema = Schema::build(query, EmptyMutation, EmptySubscription)
        .register_output_type::<TvAny<Content>>()
        .register_output_type::<TvAny<Found>>()
        .extension(Prepared::default())
        .finish();
    let sdl = schema.sdl_with_options(SDLExportOptions::new().federation());
    for line in [
        r#"type Post implements Content @key(fields: "id") @shareable {"#,
        r#"type Page implements Content @key(fields: "id") @shareable {"#,
        r#"type User @key(fields: "id") @shareable {"#,
        "interface Content {",
        "union Found = Post | User",
    ] {
        assert!(sdl.contains(line), "{line}: {sdl}");
    }
    let response = schema
        .execute(
            r#"{ _entities(representations: [
                {__typename: "Page", id: 1}, {__typename: "User", id: 2}, {__typename: "Post", id: 2}
            ]) {
                __typename
                ... on Content { title ... on Page { path } }
                ... on Found { ... on User { name } ... on Content { author { name } } }
            } }"#,
        )
        .await;
    assert_eq!(response.errors, []);
    assert_eq!(
        serde_json::to_value(&response).unwrap()["data"]["_entities"],
        json!([
            {"__typename": "Page", "title": "Imprint", "path": "/imprint"},
            {"__typename": "User", "name": "Bob"},
            {"__typename": "Post", "title": "More notes", "author": {"name": "Bob"}},
        ])
    );
    pool.close().await;
}
