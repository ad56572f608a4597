//! Tests that the application adds data, headers, layers and paths to the endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use fraiseql_graphql::http::{GraphQl, Refusal};
use fraiseql_tests::web::{ACCEPT, Answer, JSON, Server, User, shop};
use serde_json::json;

use super::requests::LEGACY;
use super::server;

#[tokio::test]
async fn a_hook_adds_data_to_the_request_or_refuses_it() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let endpoint = GraphQl::new(shop().0)
        .max_batch(2)
        .with_data(move |parts| {
            counted.fetch_add(1, Ordering::SeqCst);
            let user = parts
                .headers
                .get("x-user")
                .and_then(|user| user.to_str().ok());
            let user = user.map(|user| User(user.to_owned()));
            async move {
                tokio::task::yield_now().await;
                user.ok_or_else(|| {
                    Refusal::new(StatusCode::UNAUTHORIZED, "sign in first")
                        .code("NO_USER")
                        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
                })
            }
        })
        .with_data(|parts| {
            let banned = parts
                .headers
                .get("x-user")
                .is_some_and(|user| user == "Mallory");
            async move {
                if banned {
                    Err(StatusCode::FORBIDDEN)
                } else {
                    Ok(7_i32)
                }
            }
        });
    let server = Server::start(endpoint).await;
    let body = br#"{"query": "{ user }"}"#;

    let answer = server
        .request("POST /graphql", &[JSON, "X-User: Ada"], body)
        .await;
    assert_eq!(answer.json(), json!({"data": {"user": "Ada"}}));
    let batch = br#"[{"query": "{ user }"}, {"query": "{ b: user }"}]"#;
    let answer = server
        .request("POST /graphql", &[JSON, "X-User: Ada"], batch)
        .await;
    assert_eq!(
        answer.json(),
        json!([{"data": {"user": "Ada"}}, {"data": {"b": "Ada"}}])
    );
    assert_eq!(
        calls.load(Ordering::SeqCst),
        2,
        "once for each request over HTTP"
    );

    for accept in [ACCEPT, LEGACY] {
        let answer = server.request("POST /graphql", &[JSON, accept], body).await;
        answer.assert_refused(401, "sign in first");
        assert_eq!(
            answer.json()["errors"][0]["extensions"],
            json!({"code": "NO_USER"})
        );
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let answer = server
        .request("POST /graphql", &[JSON, "X-User: Mallory"], body)
        .await;
    answer.assert_refused(403, "Forbidden");
    assert_eq!(
        answer.json()["errors"][0]["extensions"],
        json!({"code": "FORBIDDEN"})
    );
    // The hook runs before the body is read.
    let answer = server.request("POST /graphql", &[JSON], b"no JSON").await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn resolvers_can_set_headers_but_not_content_headers() {
    let server = server().await;
    let answer = server.query("{ header }").await;
    assert_eq!(answer.json(), json!({"data": {"header": true}}));
    assert_eq!(answer.header("set-cookie"), "a=1 | b=2");
    assert!(
        answer
            .header("content-type")
            .starts_with("application/graphql-response+json")
    );
    let answer = server.get("query={cached}").await;
    assert_eq!(answer.header("cache-control"), "max-age=60, private");
    let answer = server.get("query={cached+soldOut}").await;
    assert_eq!(answer.header("cache-control"), "");
}

#[tokio::test]
async fn graphiql_is_served_to_browsers_only_when_switched_on() {
    const BROWSER: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
    let off = server()
        .await
        .request("GET /graphql", &[BROWSER], b"")
        .await;
    off.assert_refused(400, "`query` is missing");

    let server = Server::start(GraphQl::new(shop().0).graphiql(true)).await;
    let page = server
        .request("GET /graphql?query={hello}", &[BROWSER], b"")
        .await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    // Everything comes from this server, and the inline script of the page has a nonce that differs
    // between pages.
    let text = page.text();
    assert!(!text.contains("://"), "{text}");
    assert!(!page.header("content-security-policy").contains("//"));
    let nonce = |page: &Answer| {
        let policy = page.header("content-security-policy");
        let (_, rest) = policy.split_once("'nonce-").unwrap();
        let nonce = rest.split_once('\'').unwrap().0.to_owned();
        assert!(page.text().contains(&format!("<script nonce=\"{nonce}\">")));
        nonce
    };
    let again = server.request("GET /graphql", &[BROWSER], b"").await;
    assert_ne!(nonce(&page), nonce(&again));

    // A client that is not a browser gets a GraphQL response.
    let answer = server.get("query={hello}").await;
    assert_eq!(answer.json(), json!({"data": {"hello": "world"}}));
    let answer = server
        .request("GET /graphql?query={hello}", &["Accept: */*"], b"")
        .await;
    assert_eq!(answer.json(), json!({"data": {"hello": "world"}}));
}

#[tokio::test]
async fn an_endpoint_is_a_service_for_layers_and_other_paths() {
    let endpoint = GraphQl::new(shop().0).with_data(|parts| {
        let user = parts.extensions.get::<User>().cloned();
        async move { user.ok_or(StatusCode::UNAUTHORIZED) }
    });
    let app = Router::new()
        .route_service("/graphql", endpoint)
        .layer(axum::Extension(User("of a layer".to_owned())));
    let server = Server::of(app).await;
    let answer = server.query("{ user }").await;
    assert_eq!(answer.json(), json!({"data": {"user": "of a layer"}}));
}
