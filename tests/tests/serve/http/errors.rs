//! Tests that clients see the errors that are meant for them, and only an id for all others.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use fraiseql_graphql::http::GraphQl;
use fraiseql_tests::web::{Answer, Server, User, shop};
use serde_json::json;

use super::server;
use crate::traced::Traced;

/// The ids and source chains of hidden errors that were logged.
type LoggedErrors = Arc<Mutex<Vec<(String, String)>>>;

fn logging_to(logged: &LoggedErrors) -> GraphQl<fraiseql_tests::web::Shop> {
    let logged = logged.clone();
    GraphQl::new(shop().0).on_internal_error(move |internal| {
        let mut logged = logged.lock().unwrap();
        logged.push((internal.id.to_string(), internal.chain()));
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
async fn an_error_that_is_not_meant_for_clients_is_hidden() {
    let logged = LoggedErrors::default();
    let server = Server::start(logging_to(&logged)).await;
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
        let logged = std::mem::take(&mut *logged.lock().unwrap());
        assert_eq!(logged, [(id, chain.to_owned())]);
    }
    server.query("{ soldOut }").await;
    assert!(logged.lock().unwrap().is_empty());

    let server = Server::start(logging_to(&logged).expose_errors(true)).await;
    let answer = server.query("{ secret }").await;
    let error = &answer.json()["errors"][0];
    assert_eq!(error["message"], "password of tb_user is hunter2");
    assert_eq!(error["extensions"]["code"], "INTERNAL");
    assert_eq!(error["extensions"]["id"], logged.lock().unwrap()[0].0);
}

#[tokio::test]
async fn the_log_has_the_errors_that_are_hidden_from_clients() {
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
    let logged = LoggedErrors::default();
    let server = Server::start(logging_to(&logged)).await;
    let answer = server.query("{ panics }").await;
    assert_eq!(answer.status, 500);
    assert!(answer.json().get("data").is_none());
    let (id, _) = hidden(&answer);
    let logged = logged.lock().unwrap();
    assert_eq!(*logged, [(id, "panicked: hunter2".to_owned())]);
}

#[tokio::test]
async fn a_request_beyond_the_time_limit_is_dropped() {
    let (schema, watch) = shop();
    let endpoint = GraphQl::new(schema).timeout(Duration::from_millis(300));
    let server = Server::start(endpoint).await;
    let answer = server.query("{ forever }").await;
    answer.assert_refused(504, "time limit");
    assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "TIMEOUT");
    assert_eq!(watch.dropped.load(Ordering::SeqCst), 1);
    // The limit applies to hooks as well.
    let endpoint = GraphQl::new(shop().0)
        .timeout(Duration::from_millis(100))
        .with_data(|_| std::future::pending::<Result<User, StatusCode>>());
    let answer = Server::start(endpoint).await.query("{ hello }").await;
    answer.assert_refused(504, "time limit");
    // A limit that exceeds the clock's range means no limit.
    let server = Server::start(GraphQl::new(shop().0).timeout(Duration::MAX)).await;
    assert_eq!(server.query("{ hello }").await.status, 200);
}

#[tokio::test]
async fn a_request_whose_client_disconnects_is_dropped() {
    let (schema, watch) = shop();
    let server = Server::start(GraphQl::new(schema)).await;
    let request = server.query("{ forever }");
    tokio::select! {
        answer = request => panic!("{answer:?}"),
        () = watch.began.notified() => {}
    }
    // The client's connection is closed.
    let dropped = async {
        while watch.dropped.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), dropped)
        .await
        .unwrap();
}
