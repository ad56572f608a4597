//! Tests that hostile queries over HTTP are refused in bounded time.

use std::fmt::Write as _;
use std::time::Instant;

use fraiseql_graphql::http::{DocumentLimits, GraphQl};
use fraiseql_tests::web::{Answer, Server, shop};
use serde_json::json;

use super::{SOON, assert_alive, refused, server};

#[tokio::test]
async fn a_query_of_depth_ten_thousand_is_refused() {
    let server = server().await;
    let deep = |open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(10_000), close.repeat(10_000))
    };
    for query in [
        deep("{item", "", "}"),
        format!("{{item{}}}", deep("{next", "{name}", "}")),
        format!("{{echo(value: {})}}", deep("[", "1", "]")),
        format!("{{echo(value: {})}}", deep("{a:", "1", "}")),
        format!("query($a: {}) {{hello}}", deep("[", "Int", "]")),
        deep("{...", "hello", "}"),
        "{".repeat(10_000),
        "[".repeat(500_000),
        "{a(b:".repeat(100_000),
    ] {
        refused(&server, &query, "64 levels of nesting").await;
    }
    // These hide brackets in what looks like a string.
    let hidden = format!("{{echo(value: [\"\"\"x\" {})}}", "[".repeat(100_000));
    refused(&server, &hidden, "string does not end").await;
    // Fragments within fragments have no brackets that nest.
    let mut chain = String::from("{...F0}");
    for number in 0..1_000 {
        write!(chain, "fragment F{number} on Query{{...F{}}}", number + 1).unwrap();
    }
    refused(
        &server,
        &(chain + "fragment F1000 on Query{hello}"),
        "64 levels",
    )
    .await;
    // Limits that async-graphql enforces have its messages.
    let query = format!("{{item{}{{name}}{}}}", "{next".repeat(50), "}".repeat(50));
    refused(&server, &query, "recursion depth").await;
    assert_alive(&server).await;
}

#[tokio::test]
async fn queries_within_the_nesting_limit_fit_the_stack() {
    // Workers of tokio have 2 MiB by default; a program may have configured less.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_stack_size(1 << 20)
        .enable_all()
        .build()
        .unwrap();
    let served = runtime.spawn(async {
        let server = server().await;
        let lists = format!("{{echo(value: {}1{})}}", "[".repeat(61), "]".repeat(61));
        let answer = server.query(&lists).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let query = format!("{{item{}{{name}}{}}}", "{next".repeat(28), "}".repeat(28));
        let answer = server.query(&query).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    });
    tokio::task::spawn_blocking(move || runtime.block_on(served).unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn ten_thousand_aliases_are_refused() {
    let server = server().await;
    let aliases = |most: usize| -> String {
        let aliases: Vec<String> = (0..most).map(|n| format!("a{n}: hello")).collect();
        format!("{{{}}}", aliases.join(" "))
    };
    refused(&server, &aliases(10_000), "10000 tokens").await;
    refused(&server, &aliases(501), "500 aliases").await;
    assert_eq!(server.query(&aliases(500)).await.status, 200);
    // The same number without aliases: async-graphql calls the resolver for each.
    refused(
        &server,
        &format!("{{{}}}", "hello ".repeat(10_000)),
        "10000 tokens",
    )
    .await;
    refused(
        &server,
        &format!("{{{}}}", "hello ".repeat(5_001)),
        "5000 fields",
    )
    .await;
    // A limit that the application sets.
    let endpoint = GraphQl::new(shop().0).limits(DocumentLimits::default().aliases(1));
    let server = Server::start(endpoint).await;
    refused(&server, "{ a: hello b: hello }", "1 aliases").await;
}

#[tokio::test]
async fn fragments_that_are_cyclic_or_grow_exponentially_are_refused() {
    let server = server().await;
    let on = "on Query";
    for query in [
        format!("{{...A}} fragment A {on} {{...A}}"),
        format!("{{...A}} fragment A {on} {{...B}} fragment B {on} {{hello ...A}}"),
        format!("{{hello}} fragment A {on} {{...A}}"),
        "{item {...A}} fragment A on Item {next {...A}}".to_owned(),
    ] {
        refused(&server, &query, "within itself").await;
    }
    // 3^28 fields in a kilobyte, and as many without any field.
    for end in ["hello", "...Nothing"] {
        let mut query = String::from("{...F0}");
        for number in 0..28 {
            let next = number + 1;
            write!(
                query,
                "fragment F{number} {on}{{...F{next} ...F{next} ...F{next}}}"
            )
            .unwrap();
        }
        write!(query, "fragment F28 {on}{{{end}}}").unwrap();
        refused(&server, &query, "5000 fields").await;
    }
    assert_alive(&server).await;
}

#[tokio::test]
async fn the_number_of_reported_errors_is_limited() {
    let server = server().await;
    let began = Instant::now();
    // Each argument is missing from each other field.
    let arguments: String = (0..1000).map(|n| format!("a{n}: 1 ")).collect();
    let query = format!("{{hello({arguments}) {}}}", "hello ".repeat(3000));
    refused(&server, &query, "different arguments").await;
    // Each field is unknown.
    let unknown: String = (0..4_000).map(|n| format!("helo{n} ")).collect();
    let answer = server.query(&format!("{{{unknown}}}")).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 100);
    // A name of a megabyte, which must not be compared with all names of the schema.
    refused(
        &server,
        &format!("{{{}}}", "a".repeat(1_000_000)),
        "256 bytes",
    )
    .await;
    // A syntax error at the end of a long line.
    refused(
        &server,
        &format!("{{hello{}!}}", " ".repeat(1_000_000)),
        "expected",
    )
    .await;
    // A value of a wrong type, of a megabyte.
    let long = json!({"query": "{hello}", "variables": "a".repeat(1_000_000)}).to_string();
    let answer = server.post(&long).await;
    answer.assert_refused(400, "expected a map");
    assert!(answer.body.len() < 2_000);
    assert!(began.elapsed() < 3 * SOON, "{:?}", began.elapsed());
    assert_alive(&server).await;
}

#[tokio::test]
async fn huge_numbers_are_an_error_or_a_number() {
    let server = server().await;
    let nines = "9".repeat(200);
    let assert_refused = |number: &str, answer: &Answer| {
        let json = answer.json();
        assert!(json["errors"][0]["message"].is_string(), "{number}: {json}");
        // async-graphql checks the range of an integer only when it executes the field.
        assert!(json["data"].is_null(), "{number}: {json}");
        let executed = json.get("data").is_some();
        assert_eq!(answer.status, if executed { 200 } else { 400 }, "{json}");
    };
    let big = "9223372036854775808";
    for number in [
        "2147483648",
        "-2147483649",
        big,
        &nines,
        "1e400",
        "1.5",
        "0x7",
    ] {
        let answer = server.query(&format!("{{twice(number: {number})}}")).await;
        assert_refused(number, &answer);
        let body = format!(
            r#"{{"query": "query($n: Int!) {{twice(number: $n)}}", "variables": {{"n": {number}}}}}"#
        );
        assert_refused(number, &server.post(&body).await);
    }
    let answer = server.query("{twice(number: 1073741823)}").await;
    assert_eq!(answer.text(), r#"{"data":{"twice":2147483646}}"#);
}
