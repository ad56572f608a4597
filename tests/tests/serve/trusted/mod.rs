//! Tests of trusted documents and of automatic persisted queries, over HTTP.

mod automatic;
mod manifests;
mod only;
mod planned;
mod requests;
mod tenants;

use std::sync::Arc;

use async_graphql::{EmptySubscription, Schema};
use fraiseql_graphql::Prepared;
use fraiseql_graphql::http::{GraphQl, TrustedDocuments};
use fraiseql_tests::web::{Answer, JSON, Mutation, Query, Server, Shop, Watch};
use serde_json::Value;

const LEGACY: &str = "Accept: application/json";

const TWICE: &str = "query Twice($n: Int!) { twice(number: $n) }";
const TWICE_HASH: &str = "9ece8e3397e73c0da7179c730fa8b542f53dd44ed2d5ad1bb5341a0f94d9100d";

/// The schema of the other tests, with the extension that validates trusted documents.
fn shop() -> (Shop, Arc<Watch>) {
    let watch = Arc::new(Watch::default());
    let schema = Schema::build(Query, Mutation, EmptySubscription)
        .data(Arc::clone(&watch))
        .extension(Prepared::default().validate_once(true).direct(true))
        .finish();
    (schema, watch)
}

fn documents() -> TrustedDocuments {
    TrustedDocuments::new()
        .text(TWICE)
        .document("x-shop:Hello", "query Hello { hello }")
        .document("5d41402abc4b2a76b9719d911017c592", "{ item { name } }")
        .document("Buy", "mutation Buy { buy }")
        .document("Both", "query Look { hello } mutation Take { buy }")
        .document("Schema", "{ __schema { queryType { name } } }")
}

async fn endpoint() -> (GraphQl<Shop>, Arc<Watch>) {
    let (schema, watch) = shop();
    let endpoint = GraphQl::new(schema).trusted(documents()).await.unwrap();
    (endpoint, watch)
}

async fn post(server: &Server, body: &Value) -> Answer {
    server.post(&body.to_string()).await
}

/// POSTs as a client that accepts `application/json` only.
async fn post_legacy(server: &Server, body: &Value) -> Answer {
    let body = body.to_string();
    server
        .request("POST /graphql", &[JSON, LEGACY], body.as_bytes())
        .await
}

/// Asserts that a request was refused, with a code, and that no cache keeps the response.
#[track_caller]
fn assert_not_stored(answer: &Answer, status: u16, code: &str) {
    let json = answer.json();
    assert_eq!(answer.status, status, "{json}");
    assert_eq!(answer.header("cache-control"), "no-store", "{json}");
    assert_eq!(json["errors"].as_array().unwrap().len(), 1, "{json}");
    assert_eq!(json["errors"][0]["extensions"]["code"], code, "{json}");
    assert!(json.get("data").is_none(), "{json}");
}
