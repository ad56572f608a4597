//! The headers of a request that has tags, and those of a response without a body.

use fraiseql_tests::web::ACCEPT;

use super::{Site, get, is_of_versions, tag};

const ONE: &str = "{ post(id: 7) { content } }";
const LIST: &str = "{ posts { content } }";

#[tokio::test]
async fn a_header_may_have_several_tags_or_any() {
    let site = Site::start().await;
    for query in [ONE, LIST] {
        let held = tag(&site.direct(query).await);
        let strong = held.trim_start_matches("W/").to_owned();
        let text = strong.trim_matches('"').to_owned();
        for header in [
            vec![format!("If-None-Match: {held}")],
            vec![format!("If-None-Match: {strong}")],
            vec![format!("If-None-Match: \"a\", {held} , W/\"b\"")],
            vec![
                "If-None-Match: \"a\"".to_owned(),
                format!("if-none-match: {held}"),
            ],
            vec!["If-None-Match: *".to_owned()],
        ] {
            let headers: Vec<&str> = header.iter().map(String::as_str).collect();
            let answer = site.get(query, &headers).await;
            assert_eq!(
                (answer.status, answer.header("etag")),
                (304, held.clone()),
                "{header:?}"
            );
        }
        for other in [
            text.as_str(),
            "",
            "\"\"",
            "\"a\"",
            "W/",
            "\"'; DROP TABLE tv_post\"",
            &format!("\"{}\"", text.replace('-', "-0")),
            &format!("\"{text}.1-1\""),
            &format!("\"{}\"", &text[..text.len() - 1]),
            &strong[..strong.len() - 1],
        ] {
            if other.trim_matches('"') == text && other.starts_with('"') && other.ends_with('"') {
                continue;
            }
            let answer = site.unless(query, other).await;
            assert_eq!(
                (answer.status, answer.header("etag")),
                (200, held.clone()),
                "{other}"
            );
        }
    }
}

#[tokio::test]
async fn a_response_without_its_body_has_the_headers_of_the_whole_one() {
    let site = Site::start().await;
    for query in [
        ONE,
        LIST,
        "{ cookie }",
        "{ post(id: 7) { content } cookie }",
    ] {
        for accept in [&[][..], &[ACCEPT]] {
            let mut whole = None;
            for _ in 0..2 {
                whole = Some(site.get(query, accept).await);
            }
            let whole = whole.unwrap();
            let held = format!("If-None-Match: {}", tag(&whole));
            let mut headers = accept.to_vec();
            headers.push(&held);
            let unchanged = site.get(query, &headers).await;
            assert_eq!((unchanged.status, unchanged.text()), (304, String::new()));
            let mut expected = whole.headers.clone();
            for of_body in ["content-type", "content-length", "content-language"] {
                expected.remove(of_body);
            }
            let mut sent = unchanged.headers.clone();
            expected.remove("date");
            sent.remove("date");
            assert_eq!(sent, expected, "{query}");
            assert!(sent.contains_key("vary") && sent.contains_key("etag"));
        }
    }
    let cached = site.direct(ONE).await;
    let unchanged = site.unless(ONE, &tag(&cached)).await;
    assert_eq!(unchanged.header("cache-control"), "max-age=60");
    assert_eq!(unchanged.header("vary"), "fraiseql-position | accept");
}

#[tokio::test]
async fn the_media_types_of_a_response_have_different_tags() {
    let site = Site::start().await;
    for query in [ONE, LIST] {
        site.direct(query).await;
        let json = tag(&site.get(query, &[]).await);
        let response = tag(&site.get(query, &[ACCEPT]).await);
        assert_ne!(json, response);
        let held = format!("If-None-Match: {json}");
        assert_eq!(site.get(query, &[ACCEPT, &held]).await.status, 200);
    }
}

#[tokio::test]
async fn head_is_as_get() {
    let site = Site::start().await;
    let held = tag(&site.direct(ONE).await);
    assert!(is_of_versions(&held));
    let start = format!("HEAD /graphql?query={}", super::encoded(ONE));
    let whole = site.server.request(&start, &[], b"").await;
    assert_eq!((whole.status, whole.header("etag")), (200, held.clone()));
    let has = format!("If-None-Match: {held}");
    let unchanged = site.server.request(&start, &[&has], b"").await;
    assert_eq!((unchanged.status, unchanged.header("etag")), (304, held));
}

#[tokio::test]
async fn what_must_not_be_stored_and_what_failed_has_no_tag() {
    let site = Site::start().await;
    for (query, status) in [
        ("{ secret }", 200),
        ("{ posts { id } secret }", 200),
        ("{ broken }", 200),
        ("{ posts(limit: 1000) { id } }", 200),
        ("{ nothing }", 400),
        ("{ post(id: 7) { title }", 400),
        ("mutation { nothing }", 405),
        ("{ post(id: \"x\") { title } }", 200),
    ] {
        for _ in 0..2 {
            let answer = site.get(query, &[ACCEPT, "If-None-Match: *"]).await;
            assert_eq!(answer.status, status, "{query}: {}", answer.text());
            assert_eq!(answer.header("etag"), "", "{query}");
        }
    }
    // That of the application stays, and only the application can compare it.
    let answer = site.get("{ tagged }", &["If-None-Match: \"own\""]).await;
    assert_eq!((answer.status, &*answer.header("etag")), (200, "\"own\""));
}

#[tokio::test]
async fn requests_with_post_have_no_tag_and_their_header_is_ignored() {
    let site = Site::start().await;
    let held = format!("If-None-Match: {}", tag(&site.direct(ONE).await));
    for query in [ONE, LIST, "mutation { nothing }"] {
        let body = serde_json::json!({ "query": query }).to_string();
        for header in [&*held, "If-None-Match: *"] {
            let json = "Content-Type: application/json";
            let headers = [json, header];
            let answer = site
                .server
                .request("POST /graphql", &headers, body.as_bytes());
            let answer = answer.await;
            assert_eq!(
                (answer.status, &*answer.header("etag")),
                (200, ""),
                "{query}"
            );
            assert!(answer.text().starts_with("{\"data\":"));
        }
    }
}

#[tokio::test]
async fn an_event_stream_has_no_tag() {
    let site = Site::start().await;
    let headers = ["Accept: text/event-stream", "If-None-Match: *"];
    let answer = site.get(ONE, &headers).await;
    assert_eq!((answer.status, &*answer.header("etag")), (200, ""));
    assert!(answer.text().contains("event: next"), "{}", answer.text());
}

#[tokio::test]
async fn tags_can_be_switched_off() {
    let site = Site::over(super::database().await, |endpoint| endpoint.etags(false)).await;
    for query in [ONE, LIST] {
        for _ in 0..2 {
            let answer = site.get(query, &["If-None-Match: *"]).await;
            assert_eq!((answer.status, &*answer.header("etag")), (200, ""));
        }
    }
    let parameters = [("query", ONE)];
    assert_eq!(get(&site.server, &parameters, &[]).await.status, 200);
}
