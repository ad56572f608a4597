//! Tests that clients are told of errors made for them, and of others only an id.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use fraiseql_graphql::http::GraphQl;
use fraiseql_tests::web::{Answer, Server, User, shop};
use serde_json::json;

use super::server;
use crate::traced::Traced;

/// What was told of hidden errors: their ids and chains.
type Told = Arc<Mutex<Vec<(String, String)>>>;

fn telling(told: &Told) -> GraphQl<fraiseql_tests::web::Shop> {
    let told = told.clone();
    GraphQl::new(shop().0).on_internal_error(move |internal| {
        let mut told = told.lock().unwrap();
        told.push((internal.id.to_string(), internal.chain()));
    })
}

fn hidden(answer: &Answer) -> (String, serde_json::Value) {
    let error = answer.json()["errors"][0].clone();
    assert_eq!(error["message"], "internal error");
    assert_eq!(error["extensions"]["code"], "INTERNAL");
    assert!(!answer.text().contains("hunter2"), "{}", answer.text());
    let id = error["extensions"]["id"].as_str().unwrap().to_owned();
    (id, error)
}

#[tokio::test]
async fn an_error_that_was_not_made_for_clients_is_hidden() {
    let told = Told::default();
    let server = Server::start(telling(&told)).await;
    for (field, chain) in [
        ("secret", "password of tb_user is hunter2"),
        ("database", "error with configuration: host=10.0.0.7"),
        ("text", "a text with ?"),
    ] {
        let answer = server.query(&format!("{{ hello {field} }}")).await;
        assert_eq!(answer.status, 200);
        let (id, error) = hidden(&answer);
        assert_eq!(error["path"], json!([field]));
        assert_eq!(
            answer.json()["data"],
            json!({ "hello": "world", field: null })
        );
        let told = std::mem::take(&mut *told.lock().unwrap());
        assert_eq!(told, [(id, chain.to_owned())]);
    }
    server.query("{ soldOut }").await;
    assert!(told.lock().unwrap().is_empty());

    let server = Server::start(telling(&told).expose_errors(true)).await;
    let answer = server.query("{ secret }").await;
    let error = &answer.json()["errors"][0];
    assert_eq!(error["message"], "password of tb_user is hunter2");
    assert_eq!(error["extensions"]["code"], "INTERNAL");
    assert_eq!(error["extensions"]["id"], told.lock().unwrap()[0].0);
}

#[tokio::test]
async fn the_log_has_what_the_client_was_not_told() {
    // The server's tasks run on this thread.
    let traced = Traced::start("fraiseql::http");
    let answer = server().await.query("{ a: secret }").await;
    let (id, _) = hidden(&answer);
    let expected = format!(
        "ERROR message=an error was hidden from a client id={id} path=\"a\" \
         error=\"password of tb_user is hunter2\""
    );
    assert_eq!(traced.take(), [expected]);
}

#[tokio::test]
async fn a_panic_is_an_internal_error() {
    let told = Told::default();
    let server = Server::start(telling(&told)).await;
    let answer = server.query("{ panics }").await;
    assert_eq!(answer.status, 500);
    assert!(answer.json().get("data").is_none());
    let (id, _) = hidden(&answer);
    let told = told.lock().unwrap();
    assert_eq!(*told, [(id, "panicked: hunter2".to_owned())]);
}

#[tokio::test]
async fn what_takes_too_long_is_dropped() {
    let (schema, watch) = shop();
    let endpoint = GraphQl::new(schema).timeout(Duration::from_millis(300));
    let server = Server::start(endpoint).await;
    let answer = server.query("{ forever }").await;
    answer.assert_refused(504, "time limit");
    assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "TIMEOUT");
    assert_eq!(watch.dropped.load(Ordering::SeqCst), 1);
    // So is a hook.
    let endpoint = GraphQl::new(shop().0)
        .timeout(Duration::from_millis(100))
        .with_data(|_| std::future::pending::<Result<User, StatusCode>>());
    let answer = Server::start(endpoint).await.query("{ hello }").await;
    answer.assert_refused(504, "time limit");
    // A limit beyond the clock is none.
    let server = Server::start(GraphQl::new(shop().0).timeout(Duration::MAX)).await;
    assert_eq!(server.query("{ hello }").await.status, 200);
}

#[tokio::test]
async fn what_a_client_gave_up_is_dropped() {
    let (schema, watch) = shop();
    let server = Server::start(GraphQl::new(schema)).await;
    let asked = server.query("{ forever }");
    tokio::select! {
        answer = asked => panic!("{answer:?}"),
        () = watch.began.notified() => {}
    }
    // Its connection is closed.
    let dropped = async {
        while watch.dropped.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), dropped)
        .await
        .unwrap();
}
