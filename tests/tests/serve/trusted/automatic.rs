//! Tests of automatic persisted queries, by the protocol of Apollo's clients.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use fraiseql_graphql::http::{GraphQl, TrustedDocuments};
use fraiseql_tests::web::{Server, Watch};
use serde_json::{Value, json};

use super::{TWICE, TWICE_HASH, assert_not_stored, endpoint, post, post_legacy, shop};

const NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";
const BUY: &str = "mutation { buy }";
const BUY_HASH: &str = "3c5e5d275ceb3a2ae151778b8dc6f4834f121ffa6de7eb8e3963d91a2a158b68";

fn persisted(hash: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash}})
}

fn by_hash(hash: &str) -> Value {
    json!({"extensions": persisted(hash), "variables": {"n": 3}})
}

fn by_both(text: &str, hash: &str) -> Value {
    json!({"query": text, "extensions": persisted(hash), "variables": {"n": 3}})
}

/// The query string of a GET with the same parameters.
fn query_string(body: &Value) -> String {
    let mut text = Vec::new();
    for (name, value) in body.as_object().unwrap() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let escaped: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        text.push(format!("{name}={escaped}"));
    }
    text.join("&")
}

async fn server() -> (Server, Arc<Watch>) {
    let (schema, watch) = shop();
    let endpoint = GraphQl::new(schema).automatic_persisted_queries(100_000);
    (Server::start(endpoint).await, watch)
}

#[tokio::test]
async fn an_unknown_hash_is_an_error_after_which_clients_send_the_text() {
    let (server, _) = server().await;
    let unknown = by_hash(TWICE_HASH);
    // Clients that accept `application/json` only read the body if the status is 200.
    let answer = post_legacy(&server, &unknown).await;
    assert_not_stored(&answer, 200, NOT_FOUND);
    assert_eq!(answer.message(), "PersistedQueryNotFound");
    assert_not_stored(&post(&server, &unknown).await, 400, NOT_FOUND);
    assert_not_stored(&server.get(&query_string(&unknown)).await, 400, NOT_FOUND);

    let expected = json!({"data": {"twice": 6}});
    let both = by_both(TWICE, TWICE_HASH);
    for body in [&both, &unknown, &unknown, &both, &unknown] {
        assert_eq!(post(&server, body).await.json(), expected);
        let answer = server.get(&query_string(body)).await;
        assert_eq!((answer.status, answer.json()), (200, expected.clone()));
    }
    let other = json!({"extensions": persisted(TWICE_HASH), "variables": {"n": "x"}});
    post(&server, &other).await.assert_refused(400, "n");
}

#[tokio::test]
async fn a_hash_is_registered_with_get_as_well() {
    let (server, _) = server().await;
    let answer = server.get(&query_string(&by_both(TWICE, TWICE_HASH))).await;
    assert_eq!(answer.json(), json!({"data": {"twice": 6}}));
    let answer = server.get(&query_string(&by_hash(TWICE_HASH))).await;
    assert_eq!(answer.json(), json!({"data": {"twice": 6}}));
}

#[tokio::test]
async fn a_get_executes_no_persisted_mutation() {
    let (server, watch) = server().await;
    let answer = server.get(&query_string(&by_both(BUY, BUY_HASH))).await;
    answer.assert_refused(405, "POST");
    assert_eq!(
        post(&server, &by_both(BUY, BUY_HASH)).await.json(),
        json!({"data": {"buy": 1}})
    );
    assert_eq!(
        post(&server, &by_hash(BUY_HASH)).await.json(),
        json!({"data": {"buy": 2}})
    );
    let answer = server.get(&query_string(&by_hash(BUY_HASH))).await;
    answer.assert_refused(405, "POST");
    assert_eq!(watch.bought.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_wrong_hash_and_a_wrong_extension_are_refused() {
    let (server, watch) = server().await;
    for hash in [TWICE_HASH, "", &BUY_HASH.to_uppercase()] {
        let answer = post(&server, &by_both(BUY, hash)).await;
        answer.assert_refused(400, "provided sha does not match query");
        let code = &answer.json()["errors"][0]["extensions"]["code"];
        assert_eq!(code, "PERSISTED_QUERY_HASH_MISMATCH");
        assert_not_stored(&post(&server, &by_hash(hash)).await, 400, NOT_FOUND);
    }
    for extension in [
        json!({"version": 2, "sha256Hash": BUY_HASH}),
        json!({"version": 1}),
        json!({"sha256Hash": BUY_HASH}),
        json!({"version": 1, "sha256Hash": 7}),
        json!("x"),
        Value::Null,
    ] {
        let body = json!({"query": BUY, "extensions": {"persistedQuery": extension}});
        post(&server, &body)
            .await
            .assert_refused(400, "`persistedQuery`");
    }
    assert_eq!(watch.bought.load(Ordering::SeqCst), 0);
    // What cannot be parsed is not kept.
    let text = "{ hello";
    let hash = "68824a8c228d810dac21d9b245e44fc7752788f3b6d4b70f4f9e36ecad76b4c2";
    post(&server, &by_both(text, hash))
        .await
        .assert_refused(400, "syntax error");
    assert_not_stored(&post(&server, &by_hash(hash)).await, 400, NOT_FOUND);
}

#[tokio::test]
async fn texts_are_kept_up_to_a_number_of_bytes() {
    let (schema, _) = shop();
    // Each text needs 256 bytes beside its own.
    let endpoint = GraphQl::new(schema).automatic_persisted_queries(700);
    let server = Server::start(endpoint).await;
    let texts = [
        (
            "{ a: hello }",
            "42d7f60ff35a07396d2c0546aad2026d150ac296ff8b553d7d502e484d47268f",
        ),
        (
            "{ b: hello }",
            "ebe635c0655d1c19cfd3c4315f362b2d3038c23b0d37212aee5f835b7fabd872",
        ),
        (
            "{ c: hello }",
            "0e6bef0b36de6de104f628ca675075dec57ec941d9c61ed7784565cbab45baf0",
        ),
    ];
    for (text, hash) in texts {
        assert_eq!(post(&server, &by_both(text, hash)).await.status, 200);
    }
    assert_not_stored(&post(&server, &by_hash(texts[0].1)).await, 400, NOT_FOUND);
    for (_, hash) in &texts[1..] {
        assert_eq!(post(&server, &by_hash(hash)).await.status, 200);
    }
    let long = format!("{{ hello }}{}", " ".repeat(700));
    let hash = "e45e237c9363d1a43f3e39a2431fcdb32ea4fa5672c5ecae473b12362734ac1f";
    assert_eq!(post(&server, &by_both(&long, hash)).await.status, 200);
    assert_not_stored(&post(&server, &by_hash(hash)).await, 400, NOT_FOUND);
    assert_eq!(post(&server, &by_hash(texts[2].1)).await.status, 200);
}

#[tokio::test]
async fn requests_of_a_batch_are_answered_one_by_one() {
    let (schema, _) = shop();
    let endpoint = GraphQl::new(schema).automatic_persisted_queries(100_000);
    let server = Server::start(endpoint.max_batch(3)).await;
    post(&server, &by_both(TWICE, TWICE_HASH)).await;
    let batch = json!([
        by_hash(BUY_HASH),
        by_hash(TWICE_HASH),
        by_both(BUY, TWICE_HASH)
    ]);
    let answer = post(&server, &batch).await;
    let json = answer.json();
    assert_eq!(answer.status, 200, "{json}");
    assert_eq!(json[0]["errors"][0]["extensions"]["code"], NOT_FOUND);
    assert_eq!(json[1], json!({"data": {"twice": 6}}));
    assert_eq!(
        json[2]["errors"][0]["extensions"]["code"],
        "PERSISTED_QUERY_HASH_MISMATCH"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn off_by_default_a_hash_is_that_of_a_trusted_document_or_left_to_the_schema() {
    let (schema, _) = shop();
    let server = Server::start(GraphQl::new(schema)).await;
    // The extension of the schema, which does not exist, would know the text.
    let answer = post(&server, &by_hash(TWICE_HASH)).await;
    assert!(answer.json().get("data").is_none(), "{}", answer.text());
    let answer = server.get(&query_string(&by_hash(TWICE_HASH))).await;
    answer.assert_refused(400, "`query` is missing");

    let server = Server::start(endpoint().await.0).await;
    for answer in [
        post(&server, &by_hash(TWICE_HASH)).await,
        server.get(&query_string(&by_hash(TWICE_HASH))).await,
    ] {
        assert_eq!(answer.json(), json!({"data": {"twice": 6}}));
    }
    let answer = server.get(&query_string(&by_hash(BUY_HASH))).await;
    answer.assert_refused(400, "`query` is missing");
}

#[tokio::test]
async fn an_identifier_of_an_apollo_manifest_is_sent_as_the_hash() {
    let (schema, _) = shop();
    let documents = TrustedDocuments::new().document("web~1~Twice", TWICE);
    let endpoint = GraphQl::new(schema).trusted(documents).await.unwrap();
    let endpoint = endpoint.automatic_persisted_queries(100_000);
    let server = Server::start(endpoint).await;
    for hash in ["web~1~Twice", TWICE_HASH] {
        for body in [by_hash(hash), by_both(TWICE, hash)] {
            assert_eq!(
                post(&server, &body).await.json(),
                json!({"data": {"twice": 6}})
            );
        }
    }
    let answer = post(&server, &by_both(BUY, "web~1~Twice")).await;
    answer.assert_refused(400, "provided sha does not match query");
}

#[tokio::test]
async fn clones_of_an_endpoint_share_what_they_keep() {
    let (schema, _) = shop();
    let endpoint = GraphQl::new(schema).automatic_persisted_queries(100_000);
    let (one, other) = (endpoint.clone(), endpoint.keep(10));
    let (one, other) = (Server::start(one).await, Server::start(other).await);
    post(&one, &by_both(TWICE, TWICE_HASH)).await;
    let answer = post(&other, &by_hash(TWICE_HASH)).await;
    assert_eq!(answer.json(), json!({"data": {"twice": 6}}));
}
