//! Tests of requests that name a document by its identifier.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use fraiseql_graphql::http::{GraphQl, TrustedDocuments};
use fraiseql_tests::web::{JSON, Server};
use serde_json::{Value, json};

use super::{
    LEGACY, TWICE, TWICE_HASH, assert_not_stored, documents, endpoint, post, post_legacy, shop,
};

#[tokio::test]
async fn a_document_is_named_by_any_identifier_with_post_and_get() {
    let server = Server::start(endpoint().await.0).await;
    let hash_of_hello = "sha256:3f710a83decac3d21ddeae7bd265d8c5a48749226d23327b5dfd7031f406a987";
    for (id, expected) in [
        ("x-shop:Hello", json!({"hello": "world"})),
        (hash_of_hello, json!({"hello": "world"})),
        (
            "5d41402abc4b2a76b9719d911017c592",
            json!({"item": {"name": "pen"}}),
        ),
        (
            "Schema",
            json!({"__schema": {"queryType": {"name": "Query"}}}),
        ),
    ] {
        // Repeated, as the first request may leave something behind.
        for _ in 0..2 {
            let answer = post(&server, &json!({"documentId": id})).await;
            assert_eq!(answer.json(), json!({"data": expected}), "{id}");
            assert_eq!(answer.status, 200);
            let answer = post_legacy(&server, &json!({"documentId": id, "query": null})).await;
            assert_eq!(answer.json(), json!({"data": expected}), "{id}");
            let answer = server.get(&format!("documentId={id}")).await;
            assert_eq!(answer.json(), json!({"data": expected}), "{id}");
            assert_eq!(answer.header("cache-control"), "");
        }
    }
}

#[tokio::test]
async fn variables_and_operations_are_those_of_the_request() {
    let server = Server::start(endpoint().await.0).await;
    let id = format!("sha256:{TWICE_HASH}");
    for n in [2, 3, 3] {
        let body = json!({"documentId": id, "operationName": "Twice", "variables": {"n": n}});
        let answer = post(&server, &body).await;
        assert_eq!(answer.json(), json!({"data": {"twice": 2 * n}}));
        let variables = format!("%7B%22n%22:{n}%7D");
        let answer = server
            .get(&format!(
                "documentId=sha256%3A{TWICE_HASH}&variables={variables}"
            ))
            .await;
        assert_eq!(answer.json(), json!({"data": {"twice": 2 * n}}));
    }
    // Errors are those that the text would have, with locations in it.
    for variables in [json!({}), json!({"n": "1"}), json!({"n": null})] {
        let by_id = json!({"documentId": id, "variables": variables});
        let by_text = json!({"query": TWICE, "variables": variables});
        let (by_id, by_text) = (post(&server, &by_id).await, post(&server, &by_text).await);
        assert_eq!((by_id.status, by_id.json()), (400, by_text.json()));
    }
    let unknown = json!({"documentId": id, "operationName": "Other", "variables": {"n": 1}});
    post(&server, &unknown).await.assert_refused(400, "Other");
    let ambiguous = json!({"documentId": "Both"});
    post(&server, &ambiguous)
        .await
        .assert_refused(400, "Operation name required");
}

#[tokio::test]
async fn an_unknown_identifier_is_an_error_that_no_cache_keeps() {
    let (schema, _) = shop();
    let with = endpoint().await.0;
    for endpoint in [with, GraphQl::new(schema)] {
        let server = Server::start(endpoint).await;
        for id in ["nothing", "x-a:b", &format!("sha256:{}", "0".repeat(64))] {
            let body = json!({"documentId": id});
            for answer in [
                post(&server, &body).await,
                post_legacy(&server, &body).await,
                server.get(&format!("documentId={id}")).await,
            ] {
                assert_not_stored(&answer, 404, "DOCUMENT_NOT_FOUND");
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_identifier_is_refused_without_repeating_it() {
    let server = Server::start(endpoint().await.0).await;
    for (id, message) in [
        ("", "1 to 256 bytes"),
        (&*"a".repeat(257), "1 to 256 bytes"),
        (&*"a".repeat(1_000_000), "1 to 256 bytes"),
        (
            &*format!("sha256:{}", TWICE_HASH.to_uppercase()),
            "lower case",
        ),
        ("sha256:0", "64 hexadecimal digits"),
        ("md5:5d41402abc4b2a76b9719d911017c592", "reserved"),
        ("{ hello }", "letters"),
    ] {
        let answer = post(&server, &json!({"documentId": id})).await;
        assert_not_stored(&answer, 400, "BAD_REQUEST");
        answer.assert_refused(400, message);
        assert!(answer.body.len() < 1_000, "{}", answer.text());
    }
    for body in [
        json!({"documentId": 1}),
        json!({"documentId": ["Buy"]}),
        json!({"documentId": {"id": "Buy"}}),
    ] {
        post(&server, &body)
            .await
            .assert_refused(400, "not a GraphQL request");
    }
    let answer = server.get("documentId=Hello&documentId=Hello").await;
    answer.assert_refused(400, "`documentId` is given twice");
    let long = "a".repeat(5_000);
    server
        .get(&format!("documentId={long}"))
        .await
        .assert_refused(400, "1 to 256 bytes");
}

#[tokio::test]
async fn a_request_has_a_text_or_an_identifier() {
    let server = Server::start(endpoint().await.0).await;
    let both = json!({"query": "{ hello }", "documentId": "x-shop:Hello"});
    for answer in [
        post(&server, &both).await,
        post_legacy(&server, &both).await,
        server.get("query={hello}&documentId=x-shop:Hello").await,
    ] {
        answer.assert_refused(400, "has both");
    }
    for answer in [
        post(&server, &json!({})).await,
        post(&server, &json!({"documentId": null})).await,
        server.get("documentId=").await,
    ] {
        answer.assert_refused(400, "`query` is missing");
    }
    // An HTML form sends its empty fields as well.
    let answer = server.get("query={hello}&documentId=").await;
    assert_eq!(answer.json(), json!({"data": {"hello": "world"}}));
    let body = json!({"query": "{ hello }", "documentId": null});
    let answer = post(&server, &body).await;
    assert_eq!(answer.json(), json!({"data": {"hello": "world"}}));
}

#[tokio::test]
async fn a_get_executes_no_mutation_of_a_trusted_document() {
    let (endpoint, watch) = endpoint().await;
    let server = Server::start(endpoint).await;
    for query_string in ["documentId=Buy", "documentId=Both&operationName=Take"] {
        let answer = server.get(query_string).await;
        answer.assert_refused(405, "a mutation is sent with POST");
        assert_eq!(answer.header("allow"), "POST");
        let answer = server
            .request(&format!("HEAD /graphql?{query_string}"), &[LEGACY], b"")
            .await;
        assert_eq!(answer.status, 405);
    }
    let answer = server.get("documentId=Both&operationName=Look").await;
    assert_eq!(answer.json(), json!({"data": {"hello": "world"}}));
    assert_eq!(watch.bought.load(Ordering::SeqCst), 0);
    for (number, body) in [
        json!({"documentId": "Buy"}),
        json!({"documentId": "Buy", "operationName": "Buy"}),
        json!({"documentId": "Both", "operationName": "Take"}),
    ]
    .iter()
    .enumerate()
    {
        let answer = post(&server, body).await;
        assert_eq!(answer.json(), json!({"data": {"buy": number + 1}}));
    }
}

#[tokio::test]
async fn each_request_of_a_batch_has_its_own_document() {
    let server = Server::start(endpoint().await.0.max_batch(4)).await;
    let hello = json!({"documentId": "x-shop:Hello"});
    let batch =
        json!([hello, {"documentId": "nothing"}, {"query": "{ hello }"}, {"documentId": "Buy"}]);
    let answer = post(&server, &batch).await;
    let json = answer.json();
    assert_eq!(answer.status, 200, "{json}");
    let world = json!({"data": {"hello": "world"}});
    assert_eq!((&json[0], &json[2]), (&world, &world));
    assert_eq!(
        json[1]["errors"][0]["extensions"]["code"],
        "DOCUMENT_NOT_FOUND"
    );
    assert!(json[1].get("data").is_none());
    assert_eq!(json[3], json!({"data": {"buy": 1}}));
    let both = json!([hello, {"documentId": "Buy", "query": "{ hello }"}]);
    post(&server, &both).await.assert_refused(400, "has both");
    let server = Server::start(endpoint().await.0).await;
    post(&server, &json!([hello]))
        .await
        .assert_refused(400, "one request at a time");
}

#[tokio::test]
async fn settings_of_the_endpoint_apply_to_trusted_documents() {
    let endpoint = endpoint().await.0;
    let server = Server::start(endpoint.clone().introspection(false)).await;
    let answer = post(&server, &json!({"documentId": "Schema"})).await;
    assert_eq!(
        answer.json()["errors"][0]["extensions"]["code"],
        "INTROSPECTION_DISABLED"
    );

    let guarded = endpoint.clone().with_data(|parts| {
        let is_known = parts.headers.contains_key("x-user");
        async move { is_known.then_some(()).ok_or(StatusCode::UNAUTHORIZED) }
    });
    let server = Server::start(guarded).await;
    for id in ["x-shop:Hello", "nothing"] {
        let answer = server.get(&format!("documentId={id}")).await;
        assert_eq!(answer.status, 401);
    }
    let answer = server
        .request("GET /graphql?documentId=x-shop:Hello", &["X-User: 1"], b"")
        .await;
    assert_eq!(answer.json(), json!({"data": {"hello": "world"}}));

    // The cache of other queries does not matter.
    let server = Server::start(endpoint.keep(0)).await;
    for _ in 0..2 {
        let answer = post(&server, &json!({"documentId": "x-shop:Hello"})).await;
        assert_eq!(answer.json(), json!({"data": {"hello": "world"}}));
    }
}

#[tokio::test]
async fn documents_are_added_by_each_call() {
    let (schema, _) = shop();
    let endpoint = GraphQl::new(schema).trusted(documents()).await.unwrap();
    let more = TrustedDocuments::new().document("More", "{ more: hello }");
    let endpoint = endpoint.trusted(more.clone()).await.unwrap();
    // Again is no error, as the text is the same.
    let endpoint = endpoint.trusted(more).await.unwrap();
    let server = Server::start(endpoint).await;
    for (id, field) in [("More", "more"), ("x-shop:Hello", "hello")] {
        let answer: Value = post(&server, &json!({"documentId": id})).await.json();
        assert_eq!(answer["data"][field], "world");
    }
    let body = br#"{"documentId": "More"}"#;
    let answer = server
        .request("POST /graphql", &["Content-Type: text/plain"], body)
        .await;
    assert_eq!(answer.status, 415);
    let answer = server
        .request("POST /graphql", &[JSON, "Accept: text/html"], body)
        .await;
    assert_eq!(answer.status, 406);
}
