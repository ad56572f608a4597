//! Tests that responses are those that the GraphQL over HTTP specification asks for.

use std::sync::atomic::Ordering;

use fraiseql_graphql::http::GraphQl;
use fraiseql_tests::web::{ACCEPT, JSON, Server, shop};
use serde_json::json;

use super::server;

pub(super) const LEGACY: &str = "Accept: application/json";

#[tokio::test]
async fn a_response_has_the_accepted_media_type() {
    let server = server().await;
    let body = br#"{"query": "{ hello }"}"#;
    let cases: &[(&[&str], &str)] = &[
        (
            &[ACCEPT],
            "application/graphql-response+json; charset=utf-8",
        ),
        (&[LEGACY], "application/json; charset=utf-8"),
        (&[], "application/json; charset=utf-8"),
        (
            &["Accept: text/html, application/json;q=0.1"],
            "application/json; charset=utf-8",
        ),
    ];
    for (headers, expected) in cases {
        let headers = [&[JSON], *headers].concat();
        let answer = server.request("POST /graphql", &headers, body).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), *expected);
        assert_eq!(answer.header("vary"), "accept");
        assert_eq!(answer.text(), r#"{"data":{"hello":"world"}}"#);
    }
    let answer = server
        .request("POST /graphql", &[JSON, "Accept: text/html"], body)
        .await;
    answer.assert_refused(406, "application/graphql-response+json");
}

#[tokio::test]
async fn the_status_of_a_failed_request_depends_on_the_media_type() {
    let server = server().await;
    let refused = [
        "{",
        "{ nothing }",
        "query($n: Int!) { twice(number: $n) }",
        "{ hello(a: 1) }",
        "query A { hello } query B { hello }",
        "{ a: hello { b } }",
        "subscription { x }",
        "",
    ];
    let answer = server.query("{ hello").await;
    answer.assert_refused(400, "syntax error: expected");
    assert_eq!(answer.json()["errors"][0]["locations"][0]["column"], 8);
    for query in refused {
        let body = json!({ "query": query }).to_string();
        let answer = server.post(&body).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        assert!(answer.json().get("data").is_none(), "{query}");
        let answer = server
            .request("POST /graphql", &[JSON, LEGACY], body.as_bytes())
            .await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        assert!(answer.json().get("data").is_none(), "{query}");
        assert!(answer.json()["errors"][0]["message"].is_string(), "{query}");
    }
}

#[tokio::test]
async fn invalid_variables_are_an_error_of_the_request() {
    let (schema, watch) = shop();
    let server = Server::start(GraphQl::new(schema)).await;
    for (query, variables) in [
        ("query($n: Int!) { twice(number: $n) }", json!({})),
        ("query($n: Int!) { twice(number: $n) }", json!({"m": 1})),
        ("query($n: Int!) { twice(number: $n) }", json!({"n": null})),
        ("query($n: Int!) { twice(number: $n) }", json!({"n": "1"})),
        ("mutation($n: Int!) { buy more: buy(many: $n) }", json!({})),
    ] {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let answer = server.post(&body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        assert!(answer.json().get("data").is_none(), "{body}");
    }
    assert_eq!(watch.bought.load(Ordering::SeqCst), 0);
    let body = json!({ "query": "query($n: Int! = 3) { twice(number: $n) }" }).to_string();
    assert_eq!(
        server.post(&body).await.json(),
        json!({"data": {"twice": 6}})
    );
}

#[tokio::test]
async fn an_error_of_a_field_comes_with_partial_data() {
    let server = server().await;
    for headers in [[JSON, ACCEPT], [JSON, LEGACY]] {
        let body = br#"{"query": "{ hello soldOut }"}"#;
        let answer = server.request("POST /graphql", &headers, body).await;
        assert_eq!(answer.status, 200);
        let json = answer.json();
        assert_eq!(json["data"], json!({"hello": "world", "soldOut": null}));
        assert_eq!(json["errors"][0]["message"], "sold out");
        assert_eq!(json["errors"][0]["path"], json!(["soldOut"]));
        assert_eq!(json["errors"][0]["extensions"], json!({"code": "SOLD_OUT"}));
        assert_eq!(
            json["errors"][0]["locations"],
            json!([{"line": 1, "column": 9}])
        );

        // No data is left.
        let body = br#"{"query": "{ must }"}"#;
        let answer = server.request("POST /graphql", &headers, body).await;
        assert_eq!(answer.status, 200);
        let json = answer.json();
        assert!(
            json["data"].is_null() && json.get("data").is_some(),
            "{json}"
        );
        assert_eq!(json["errors"][0]["message"], "it must be");

        // From within nested lists.
        let body = br#"{"query": "{ item { next { broken } } }"}"#;
        let answer = server.request("POST /graphql", &headers, body).await;
        assert_eq!(answer.status, 200);
        let json = answer.json();
        assert!(json.get("data").is_some(), "{json}");
        assert_eq!(json["errors"][0]["path"], json!(["item", "next", "broken"]));
    }
}

#[tokio::test]
async fn a_get_has_its_parameters_in_the_url() {
    let server = server().await;
    let answer = server.get("query=%7Bhello%7D").await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"data": {"hello": "world"}}))
    );
    let answer = server
        .get("query={+hello+}&unknown=1&operationName=&variables=")
        .await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"data": {"hello": "world"}}))
    );
    let answer = server
        .get(
            "variables=%7B%22n%22%3A4%7D&extensions=%7B%22a%22%3A%7B%7D%7D&operationName=B\
             &query=query%20A{hello}query+B($n:Int!){twice(number:$n)}",
        )
        .await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"data": {"twice": 8}}))
    );
    for (query, message) in [
        ("", "`query` is missing"),
        ("operationName=A", "`query` is missing"),
        ("query={hello}&query={hello}", "`query` is given twice"),
        ("query={hello}&variables=[]", "`variables`"),
        ("query={hello}&variables=1", "`variables`"),
        ("query={hello}&variables={", "`variables`"),
        ("query={hello}&extensions=%22a%22", "`extensions`"),
        ("query=%ff", "not UTF-8"),
        ("query={hello}&%ff=1", "not UTF-8"),
        // What it does is unknown until it is executed.
        ("extensions={%22persistedQuery%22:{}}", "`query` is missing"),
    ] {
        server.get(query).await.assert_refused(400, message);
    }
}

#[tokio::test]
async fn a_mutation_must_be_a_post() {
    let (schema, watch) = shop();
    let server = Server::start(GraphQl::new(schema)).await;
    for query in [
        "query=mutation{buy}",
        "query=query+A{hello}mutation+B{buy}&operationName=B",
        "query=mutation+B{buy}",
        "query=mutation{...F}fragment+F+on+Mutation{buy}",
    ] {
        let answer = server.get(query).await;
        answer.assert_refused(405, "POST");
        assert_eq!(answer.header("allow"), "POST");
        // Also for a client that accepts only the media type whose status is always 200.
        let answer = server
            .request(&format!("GET /graphql?{query}"), &[LEGACY], b"")
            .await;
        answer.assert_refused(405, "POST");
    }
    let head = "HEAD /graphql?query=mutation{buy}";
    assert_eq!(server.request(head, &[], b"").await.status, 405);
    assert_eq!(watch.bought.load(Ordering::SeqCst), 0);

    // The query next to it may be read.
    let answer = server
        .get("query=query+A{hello}mutation+B{buy}&operationName=A")
        .await;
    assert_eq!(answer.status, 200);
    let answer = server.query("mutation { buy }").await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"data": {"buy": 1}}))
    );
}

#[tokio::test]
async fn persisted_queries_are_accepted_in_a_post_only() {
    let server = server().await;
    let extensions = r#"{"persistedQuery":{"version":1,"sha256Hash":"x"}}"#;
    // async-graphql reports an empty text as a syntax error of its own.
    for body in [
        format!(r#"{{"extensions": {extensions}}}"#),
        format!(r#"{{"query": "", "extensions": {extensions}}}"#),
    ] {
        server.post(&body).await.assert_refused(400, "-->");
    }
    // A GET cannot use it, because it might be a mutation.
    let get = format!("query=&extensions={extensions}").replace('"', "%22");
    let answer = server.get(&get).await;
    answer.assert_refused(400, "syntax error");
    assert!(!answer.message().contains("-->"));
    server
        .post("{}")
        .await
        .assert_refused(400, "`query` is missing");
}

#[tokio::test]
async fn a_form_from_another_site_is_refused() {
    let (schema, watch) = shop();
    let server = Server::start(GraphQl::new(schema)).await;
    let body = br#"{"query": "mutation { buy }"}"#;
    // What a browser sends to another site without a preflight.
    for content_type in [
        "Content-Type: text/plain",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: multipart/form-data; boundary=x",
        "Content-Type: text/plain; application/json",
        "Content-Type: application/jsonp",
        "Content-Type: application/graphql",
        "Content-Type:",
        "X-Nothing: none",
        "Content-Type: application/json; charset=latin1",
        "Content-Type: application/json\r\nContent-Type: text/plain",
    ] {
        let answer = server
            .request("POST /graphql", &[content_type, ACCEPT], body)
            .await;
        assert_eq!(answer.status, 415, "{content_type}: {}", answer.text());
        assert_eq!(answer.header("accept"), "application/json");
    }
    assert_eq!(watch.bought.load(Ordering::SeqCst), 0);
    for content_type in [
        "Content-Type: application/json; charset=UTF-8",
        "Content-Type: Application/JSON;charset=\"utf-8\"",
    ] {
        let answer = server.request("POST /graphql", &[content_type], body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_the_allowed_ones() {
    let server = server().await;
    for method in ["PUT", "DELETE", "PATCH", "QUERY"] {
        let start = format!("{method} /graphql");
        let answer = server.request(&start, &[JSON, ACCEPT], b"{}").await;
        answer.assert_refused(405, "GET");
        assert_eq!(answer.header("allow"), "GET, HEAD, POST, OPTIONS");
    }
    // A browser's preflight for another site is not allowed.
    let preflight = [
        "Origin: https://elsewhere.example",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: content-type",
    ];
    let answer = server.request("OPTIONS /graphql", &preflight, b"").await;
    assert_eq!((answer.status, answer.text()), (204, String::new()));
    assert_eq!(answer.header("allow"), "GET, HEAD, POST, OPTIONS");
    assert!(
        !answer
            .headers
            .keys()
            .any(|name| name.starts_with("access-control"))
    );

    let answer = server
        .request("HEAD /graphql?query={hello}", &[ACCEPT], b"")
        .await;
    assert_eq!((answer.status, answer.text()), (200, String::new()));
    assert_eq!(answer.header("content-length"), "26");
}

#[tokio::test]
async fn parameters_of_wrong_types_are_named_in_the_error() {
    let server = server().await;
    for (body, message) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("null", "invalid type: null"),
        ("7", "invalid type"),
        (r#""{ hello }""#, "invalid type"),
        ("{}", "`query` is missing"),
        (r#"{"query": null}"#, "`query` is missing"),
        (r#"{"query": 7}"#, "invalid type: integer `7`"),
        (
            r#"{"query": "{hello}", "operationName": 1}"#,
            "invalid type",
        ),
        (r#"{"query": "{hello}", "variables": []}"#, "expected a map"),
        (
            r#"{"query": "{hello}", "variables": "{}"}"#,
            "expected a map",
        ),
        (r#"{"query": "{hello}", "extensions": 1}"#, "expected a map"),
        (
            r#"{"query": "{hello}", "query": "{hello}"}"#,
            "duplicate field",
        ),
        (r#"{"query": "{hello}"} x"#, "trailing characters"),
    ] {
        let answer = server.post(body).await;
        answer.assert_refused(400, message);
        assert_eq!(
            answer.json()["errors"][0]["extensions"]["code"],
            "BAD_REQUEST"
        );
        // Also for a client that looks only at the body.
        let answer = server
            .request("POST /graphql", &[JSON, LEGACY], body.as_bytes())
            .await;
        answer.assert_refused(400, message);
    }
}

#[tokio::test]
async fn a_batch_of_requests_is_refused_by_default() {
    let body = r#" [{"query": "{hello}"}, {"query": "{"}, {"query": "mutation {buy}"}]"#;
    let answer = server().await.post(body).await;
    answer.assert_refused(400, "one request at a time");

    let (schema, watch) = shop();
    let server = Server::start(GraphQl::new(schema).max_batch(3)).await;
    let answer = server.post(body).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!(json[0], json!({"data": {"hello": "world"}}));
    assert!(
        json[1].get("data").is_none() && json[1]["errors"].is_array(),
        "{json}"
    );
    assert_eq!(json[2], json!({"data": {"buy": 1}}));

    let four = format!("[{}]", [r#"{"query": "mutation {buy}"}"#; 4].join(","));
    server.post(&four).await.assert_refused(400, "3 requests");
    server.post("[]").await.assert_refused(400, "empty");
    server
        .post(r#"[["{hello}"]]"#)
        .await
        .assert_refused(400, "is an object");
    server.post("[1]").await.assert_refused(400, "invalid type");
    assert_eq!(watch.bought.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn introspection_can_be_switched_off() {
    let full = "query I { __schema { types { name fields { name } } } }";
    let answer = server().await.query(full).await;
    assert!(answer.text().contains("soldOut"));

    let server = Server::start(GraphQl::new(shop().0).introspection(false)).await;
    for query in [
        full,
        "{ __type(name: \"Item\") { name } }",
        "{ hello ... on Query { ... { a: __schema { types { name } } } } }",
        "{ ...F } fragment F on Query { __schema { types { name } } }",
    ] {
        let answer = server.query(query).await;
        answer.assert_refused(400, "introspection is switched off");
        assert!(!answer.text().contains("Item"));
    }
    let answer = server.query("{ __typename item { __typename } }").await;
    assert_eq!(answer.json()["data"]["item"]["__typename"], "Item");
}
