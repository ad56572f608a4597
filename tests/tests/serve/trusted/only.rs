//! Tests that an endpoint with trusted documents only executes no others.

use std::sync::atomic::Ordering;

use fraiseql_graphql::http::GraphQl;
use fraiseql_tests::web::Server;
use serde_json::{Value, json};

use super::{TWICE, TWICE_HASH, assert_not_stored, endpoint, post, post_legacy, shop};

const CODE: &str = "ONLY_TRUSTED_DOCUMENTS";

fn persisted(hash: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash}})
}

#[tokio::test]
async fn every_other_document_is_refused() {
    let (endpoint, watch) = endpoint().await;
    let server = Server::start(endpoint.only_trusted(true)).await;
    for query in [
        "{ hello }",
        "query Hello { hello } ",
        "mutation { buy }",
        "{ __schema { types { name } } }",
        "{ __typename }",
        // It is not even parsed.
        "{",
        "",
        &"{".repeat(900_000),
    ] {
        let body = json!({"query": query});
        assert_not_stored(&post(&server, &body).await, 403, CODE);
        assert_not_stored(&post_legacy(&server, &body).await, 403, CODE);
    }
    assert_not_stored(&server.get("query={hello}").await, 403, CODE);
    assert_not_stored(&server.get("query=mutation{buy}").await, 403, CODE);
    let unknown = json!({"documentId": "nothing"});
    assert_not_stored(&post(&server, &unknown).await, 404, "DOCUMENT_NOT_FOUND");
    assert_eq!(watch.bought.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn trusted_documents_are_executed_by_identifier_and_by_text() {
    let server = Server::start(endpoint().await.0.only_trusted(true)).await;
    let expected = json!({"data": {"twice": 6}});
    let id = format!("sha256:{TWICE_HASH}");
    for body in [
        json!({"documentId": id, "variables": {"n": 3}}),
        json!({"query": TWICE, "variables": {"n": 3}}),
    ] {
        assert_eq!(post(&server, &body).await.json(), expected);
    }
    let answer = server.get("query=query+Hello+%7B+hello+%7D").await;
    assert_eq!(answer.json(), json!({"data": {"hello": "world"}}));
    let schema = post(&server, &json!({"documentId": "Schema"})).await.json();
    assert_eq!(schema["data"]["__schema"]["queryType"]["name"], "Query");
    // Not by GET, as before.
    server
        .get("query=mutation+Buy+%7B+buy+%7D")
        .await
        .assert_refused(405, "POST");
}

#[tokio::test]
async fn hashes_are_those_of_the_manifest() {
    let zeros = "0".repeat(64);
    let of_other = "e27457907ec6ea0973ba0ba435f9dae48e39260ac14d80384ba1df7b1e9957ab";
    for automatic in [false, true] {
        let endpoint = endpoint().await.0.only_trusted(true);
        let endpoint = match automatic {
            true => endpoint.automatic_persisted_queries(1 << 20),
            false => endpoint,
        };
        let server = Server::start(endpoint).await;
        let body = json!({"extensions": persisted(TWICE_HASH), "variables": {"n": 3}});
        assert_eq!(
            post(&server, &body).await.json(),
            json!({"data": {"twice": 6}})
        );
        let both =
            json!({"query": TWICE, "extensions": persisted(TWICE_HASH), "variables": {"n": 3}});
        assert_eq!(
            post(&server, &both).await.json(),
            json!({"data": {"twice": 6}})
        );
        let wrong = json!({"query": TWICE, "extensions": persisted(&zeros), "variables": {"n": 3}});
        post(&server, &wrong)
            .await
            .assert_refused(400, "provided sha does not match query");
        // Another document is not added.
        let other = json!({"query": "{ other: hello }", "extensions": persisted(of_other)});
        assert_not_stored(&post(&server, &other).await, 403, CODE);
        let hash = json!({"extensions": persisted(of_other)});
        let code = "PERSISTED_QUERY_NOT_FOUND";
        assert_not_stored(&post(&server, &hash).await, 400, code);
        assert_not_stored(&post_legacy(&server, &hash).await, 200, code);
    }
}

#[tokio::test]
async fn requests_of_a_batch_are_refused_one_by_one() {
    let server = Server::start(endpoint().await.0.only_trusted(true).max_batch(3)).await;
    let batch = json!([{"query": "{ hello }"}, {"documentId": "x-shop:Hello"}]);
    let json = post(&server, &batch).await.json();
    assert_eq!(json[0]["errors"][0]["extensions"]["code"], CODE);
    assert_eq!(json[1], json!({"data": {"hello": "world"}}));
}

#[tokio::test]
async fn without_a_manifest_nothing_is_trusted() {
    let server = Server::start(GraphQl::new(shop().0).only_trusted(true)).await;
    assert_not_stored(
        &post(&server, &json!({"query": "{ hello }"})).await,
        403,
        CODE,
    );
    let id = json!({"documentId": "x-shop:Hello"});
    assert_not_stored(&post(&server, &id).await, 404, "DOCUMENT_NOT_FOUND");
}
