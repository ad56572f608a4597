//! Fragments on interfaces and unions in the root fields of views, also if they are answered directly.

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use axum::body::to_bytes;
use fraiseql_graphql::http::GraphQl;
use fraiseql_graphql::{Prepared, Query, TvAny};
use fraiseql_tests::executed::Executed;
use serde_json::json;
use sqlx::PgPool;
use tower_service::Service as _;

use super::{Content, Found, Set, Titled, Written, assert_answers, world};

#[tokio::test]
async fn they_apply_to_the_documents_of_root_fields() {
    assert_answers(&[
        (
            "{ post(id: 1) { ... on Content { title author { name } } ... on Found { __typename } rating } }",
            r#"{"post":{"title":"Notes","author":{"name":"Ada"},"__typename":"Post","rating":5}}"#,
        ),
        (
            "{ posts { ...C comments { ... on Written { author { ... { name } } } } } } fragment C on Content { id }",
            r#"{"posts":[{"id":1,"comments":[{"author":{"name":"Bob"}},{"author":{"name":"Ada"}}]},{"id":2,"comments":[]}]}"#,
        ),
        (
            "{ pagesConnection(first: 1) { nodes { ... on HasTitle { title } } edges { node { ... on Content { id ... on Page { path } } } } } }",
            r#"{"pagesConnection":{"nodes":[{"title":"Imprint"}],"edges":[{"node":{"id":1,"path":"/imprint"}}]}}"#,
        ),
        (
            "{ user(id: 1) { ... on Found { ... on User { name } ... on Post { title } } } }",
            r#"{"user":{"name":"Ada"}}"#,
        ),
        (
            "{ post(id: 1) { ... on Content { author { id } } } post(id: 1) { ... on Written { author { name } } } }",
            r#"{"post":{"author":{"id":1,"name":"Ada"}}}"#,
        ),
    ])
    .await;
}

/// An endpoint over views only, whose interfaces no resolver returns.
struct Endpoint {
    router: axum::Router,
    executed: Executed,
}

impl Endpoint {
    fn new(pool: &PgPool, prepared: Prepared) -> Self {
        let executed = Executed::default();
        let query = Query::<Set>::new(pool.clone());
        let schema = Schema::build(query, EmptyMutation, EmptySubscription)
            .register_output_type::<TvAny<Content>>()
            .register_output_type::<TvAny<Titled>>()
            .register_output_type::<TvAny<Written>>()
            .register_output_type::<TvAny<Found>>()
            .extension(executed.clone())
            .extension(prepared)
            .finish();
        Self {
            router: axum::Router::new().route_service("/", GraphQl::new(schema)),
            executed,
        }
    }

    async fn ask(&mut self, body: &serde_json::Value) -> String {
        let request = axum::http::Request::post("/").header("content-type", "application/json");
        let request = request.body(body.to_string()).unwrap();
        let answer = self.router.call(request).await.unwrap();
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        String::from_utf8(bytes.into()).unwrap()
    }
}

#[tokio::test]
async fn a_repeated_request_is_answered_directly_and_with_the_same_bytes() {
    let pool = world().await;
    let mut direct = Endpoint::new(&pool, Prepared::default().validate_once(true).direct(true));
    let mut plain = Endpoint::new(&pool, Prepared::default());
    let by_id = "query ($id: Int!, $more: Boolean = true) {
        post(id: $id) { ...C @include(if: $more) ... on Found { __typename } }
        pages { ... on Content { title ... on Post { rating } } ... on HasTitle { ... on Page { path } } }
    } fragment C on Content { id ... on HasTitle { title } ... on Written { author { name } } }";
    for (body, is_direct) in [
        (json!({"query": by_id, "variables": {"id": 1}}), false),
        (json!({"query": by_id, "variables": {"id": 1}}), true),
        (json!({"query": by_id, "variables": {"id": 2}}), true),
        (json!({"query": by_id, "variables": {"id": 3}}), true),
        (
            json!({"query": by_id, "variables": {"id": 1, "more": false}}),
            false,
        ),
        (
            json!({"query": by_id, "variables": {"id": 2, "more": false}}),
            true,
        ),
    ] {
        let before = direct.executed.count();
        let answer = direct.ask(&body).await;
        assert_eq!(direct.executed.count() == before, is_direct, "{body}");
        assert_eq!(answer, plain.ask(&body).await, "{body}");
        assert!(answer.contains(r#""title":"Imprint""#), "{answer}");
    }
    let first = direct
        .ask(&json!({"query": by_id, "variables": {"id": 1}}))
        .await;
    assert_eq!(
        first,
        r#"{"data":{"post":{"id":1,"title":"Notes","author":{"name":"Ada"},"__typename":"Post"},"pages":[{"title":"Imprint","path":"/imprint"},{"title":"Notes on notes","path":null}]}}"#
    );
    pool.close().await;
}
