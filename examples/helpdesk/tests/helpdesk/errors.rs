//! What is wrong with a request: a problem in REST, a code in GraphQL. Nothing is changed.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Service;

#[tokio::test]
async fn errors_are_problems_and_change_nothing() {
    let service = Service::start().await;
    let before = service.digests().await;
    let ticket = |requester: i32, subject: &str| json!({"requester": requester, "subject": subject, "body": "Help!"});
    #[rustfmt::skip]
    let cases = [
        (Method::GET, "/nowhere", None, 404),
        (Method::DELETE, "/tickets/1", None, 405),
        (Method::GET, "/tickets/999", None, 404),
        (Method::GET, "/tickets/one", None, 400),
        (Method::GET, "/tickets?after=nonsense", None, 422),
        (Method::GET, "/tickets?status=LOST", None, 400),
        (Method::GET, "/tickets?subject=printer", None, 400),
        (Method::POST, "/tickets", None, 415),
        (Method::POST, "/tickets", Some(json!({"subject": "Nobody's"})), 422),
        (Method::POST, "/tickets", Some(ticket(999, "Nobody's")), 422),
        (Method::POST, "/tickets", Some(ticket(1, "")), 422),
        (Method::POST, "/tickets/999/messages", Some(json!({"body": "Hello?"})), 404),
        (Method::POST, "/tickets/1/messages", Some(json!({"body": ""})), 422),
        (Method::PATCH, "/tickets/999", Some(json!({"status": "CLOSED"})), 404),
        (Method::PATCH, "/tickets/1", Some(json!({"assignee": 999})), 422),
        (Method::PATCH, "/tickets/1", Some(json!({"number": 2})), 422),
    ];
    for (method, path, body, status) in cases {
        let case = format!("{method} {path} {body:?}");
        let response = service
            .send(Some(service.ada()), method, path, body.as_ref())
            .await;
        assert_eq!(response.status(), status, "{case}");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json",
            "{case}"
        );
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["status"], status, "{case}: {problem}");
        assert!(
            problem["title"].is_string() && problem["detail"].is_string(),
            "{case}: {problem}"
        );
    }
    for (mutation, code) in [
        (
            "addMessage(number: 999, body: \"Hello?\") { number }",
            "NOT_FOUND",
        ),
        (
            "addMessage(number: 1, body: \"\") { number }",
            "UNPROCESSABLE_ENTITY",
        ),
        (
            "changeTicket(number: 1, input: {assignee: 999}) { number }",
            "UNPROCESSABLE_ENTITY",
        ),
    ] {
        let response = service
            .graphql(service.ada(), &format!("mutation {{ {mutation} }}"))
            .await;
        assert_eq!(
            response["errors"][0]["extensions"]["code"], code,
            "{response:#}"
        );
    }
    assert_eq!(service.digests().await, before);
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_answered() {
    let service = Service::start().await;
    let before = service.digests().await;
    let mut stranger = service.ada().clone();
    stranger.token = "0".repeat(64);
    sqlx::query("UPDATE tb_session SET expires_at = now() WHERE agent_id = 2")
        .execute(&service.app.pool)
        .await
        .unwrap();
    let body =
        json!({"query": "{ tickets { number } }", "subject": "?", "body": "?", "requester": 1});
    for agent in [None, Some(&stranger), Some(service.bob())] {
        for (method, path) in [
            (Method::GET, "/me"),
            (Method::GET, "/tickets"),
            (Method::GET, "/tickets/1"),
            (Method::POST, "/tickets"),
            (Method::POST, "/tickets/1/messages"),
            (Method::PATCH, "/tickets/1"),
            (Method::POST, "/graphql"),
        ] {
            let body = (method != Method::GET).then_some(&body);
            let response = service.send(agent, method, path, body).await;
            assert_eq!(response.status(), 401, "{path}");
            assert_eq!(response.headers()["www-authenticate"], "Bearer", "{path}");
            let body: Value = response.json().await.unwrap();
            let code = &body["errors"][0]["extensions"]["code"];
            assert!(
                body["status"] == 401 || code == "UNAUTHORIZED",
                "{path}: {body}"
            );
        }
    }
    assert_eq!(service.digests().await, before);
}
