//! Tests that hostile requests get a clear error in bounded time, and the server goes on.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use fraiseql_graphql::http::{DocumentLimits, GraphQl};
use fraiseql_tests::web::{ACCEPT, Answer, JSON, Server, User, shop};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// For what takes milliseconds, on a machine that does other things, too.
const SOON: Duration = Duration::from_secs(5);

async fn server() -> Server {
    Server::start(GraphQl::new(shop().0)).await
}

async fn assert_alive(server: &Server) {
    assert_eq!(server.query("{ hello }").await.status, 200);
}

/// Sends a query that is refused, in no time.
async fn refused(server: &Server, query: &str, message: &str) {
    let began = Instant::now();
    let answer = server.query(query).await;
    let shown: String = query.chars().take(60).collect();
    assert!(began.elapsed() < SOON, "{:?}: {shown}", began.elapsed());
    assert_eq!(answer.status, 400, "{shown}: {}", answer.text());
    answer.assert_refused(400, message);
    assert!(
        answer.body.len() < 100_000,
        "{} bytes: {shown}",
        answer.body.len()
    );
}

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
    // Brackets are not all: these hide in what looks like a string.
    let hidden = format!("{{echo(value: [\"\"\"x\" {})}}", "[".repeat(100_000));
    refused(&server, &hidden, "string does not end").await;
    // Fragments within fragments have none.
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
    // What async-graphql bounds itself is its to say.
    let query = format!("{{item{}{{name}}{}}}", "{next".repeat(50), "}".repeat(50));
    refused(&server, &query, "recursion depth").await;
    assert_alive(&server).await;
}

#[tokio::test]
async fn what_the_nesting_limit_lets_through_fits_the_stack() {
    // Workers of tokio have 2 MiB; the least that a program may have given them is less.
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
    // As many without aliases: async-graphql calls the resolver for each.
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
    // A limit of the application's.
    let endpoint = GraphQl::new(shop().0).limits(DocumentLimits::default().aliases(1));
    let server = Server::start(endpoint).await;
    refused(&server, "{ a: hello b: hello }", "1 aliases").await;
}

#[tokio::test]
async fn fragments_that_go_in_circles_or_double_are_refused() {
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
    // 3^28 fields in a kilobyte, and as many of none.
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
async fn faults_without_number_are_not_all_told() {
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
    // A name of a megabyte, that would be compared with all names of the schema.
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
    // A value of a wrong type of a megabyte.
    let long = json!({"query": "{hello}", "variables": "a".repeat(1_000_000)}).to_string();
    let answer = server.post(&long).await;
    answer.assert_refused(400, "expected a map");
    assert!(answer.body.len() < 2_000);
    assert!(began.elapsed() < 3 * SOON, "{:?}", began.elapsed());
    assert_alive(&server).await;
}

#[tokio::test]
async fn numbers_without_end_are_an_error_or_a_number() {
    let server = server().await;
    let nines = "9".repeat(200);
    let assert_refused = |number: &str, answer: &Answer| {
        let json = answer.json();
        assert!(json["errors"][0]["message"].is_string(), "{number}: {json}");
        // async-graphql sees that an integer is out of range when it executes its field.
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

#[tokio::test]
async fn what_is_no_utf_8_is_an_error() {
    let server = server().await;
    let headers = [JSON, ACCEPT];
    for body in [
        &b"{\"query\": \"{ hello \xff }\"}"[..],
        b"\xff\xfe{\"query\": \"{ hello }\"}",
        b"{\"query\": \"\\ud800\"}",
        b"{\"query\": \"{ hello }\xc3\"}",
        b"\xef\xbb\xbf{\"query\": \"{ hello }\"}",
        b"\0\0\0\0",
    ] {
        let answer = server.request("POST /graphql", &headers, body).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.json()["errors"][0]["message"].is_string());
    }
    // A header that is no text is not understood.
    let mut head = b"POST /graphql HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: \xff\r\n\
                     Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        .to_vec();
    assert_eq!(server.send(&head).await.status, 406);
    head = head.replace_text("Accept: ", "Content-Type: \u{e9}");
    assert_eq!(server.send(&head).await.status, 415);
    assert_alive(&server).await;
}

trait ReplaceText {
    fn replace_text(&self, from: &str, to: &str) -> Vec<u8>;
}

impl ReplaceText for Vec<u8> {
    fn replace_text(&self, from: &str, to: &str) -> Vec<u8> {
        let at = self
            .windows(from.len())
            .position(|window| window == from.as_bytes())
            .unwrap();
        [&self[..at], to.as_bytes(), &self[at + from.len()..]].concat()
    }
}

#[tokio::test]
async fn json_that_is_deep_is_an_error() {
    let server = server().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let query = "query($v: JSON!) {echo(value: $v)}";
    let body = format!(r#"{{"query": "{query}", "variables": {{"v": {deep}}}}}"#);
    server
        .post(&body)
        .await
        .assert_refused(400, "recursion limit");
    let server = Server::start(GraphQl::new(shop().0).max_batch(2)).await;
    assert_eq!(server.post(&deep).await.status, 400);
    assert_alive(&server).await;
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused() {
    let server = server().await;
    let body = format!(r#"{{"query": "{{hello}}{}"}}"#, " ".repeat(10_000_000));
    let answer = server.post(&body).await;
    answer.assert_refused(413, "1048576 bytes at most");
    // It does not say how much it is.
    let head = "POST /graphql HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut chunked = head.as_bytes().to_vec();
    for chunk in body.as_bytes().chunks(65_536) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = server.send(&chunked).await;
    answer.assert_refused(413, "1048576 bytes at most");
    // The limit is where it is said to be.
    let body = r#"{"query": "{hello}"}"#;
    let server = Server::start(GraphQl::new(shop().0).max_body(body.len())).await;
    assert_eq!(server.post(body).await.status, 200);
    assert_eq!(server.post(&format!("{body} ")).await.status, 413);
    // A client that waits to be asked is not asked for it.
    let mut stream = server.connect().await;
    let head = "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                Expect: 100-continue\r\nContent-Length: 10000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    let server = server().await;
    for encoding in ["gzip", "br", "deflate, gzip", "identity, gzip", "x"] {
        let header = format!("Content-Encoding: {encoding}");
        let answer = server
            .request("POST /graphql", &[JSON, &header], b"\x1f\x8b")
            .await;
        answer.assert_refused(415, "compressed");
        assert_eq!(answer.header("accept-encoding"), "identity");
    }
    let headers = [JSON, "Content-Encoding: identity"];
    let answer = server.request("POST /graphql", &headers, br#"{"query": "{hello}"}"#);
    assert_eq!(answer.await.status, 200);
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let endpoint = GraphQl::new(shop().0).timeout(Duration::from_millis(300));
    let server = Server::start(endpoint).await;
    let head = "POST /graphql HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"query\"";
    let answer = server.send(head.as_bytes()).await;
    answer.assert_refused(408, "was not sent within the time limit");
    assert_alive(&server).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_does_no_harm() {
    let (schema, watch) = shop();
    let server = Server::start(GraphQl::new(schema)).await;
    let mut stream = server.connect().await;
    let head = "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                Content-Length: 1000\r\n\r\n{\"query\": \"mutation {buy}\"}";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    // Hung up, or told so.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    assert_eq!(watch.bought.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert_alive(&server).await;
}

#[tokio::test]
async fn headers_without_number_are_refused() {
    let server = server().await;
    let many: Vec<String> = (0..1_000).map(|n| format!("X-{n}: {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let answer = server
        .request("GET /graphql?query={hello}", &many, b"")
        .await;
    assert_eq!(answer.status, 431);
    let long = format!("X-Long: {}", "a".repeat(1_000_000));
    let answer = server
        .request("GET /graphql?query={hello}", &[&long], b"")
        .await;
    assert_eq!(answer.status, 431);
    let url = format!("GET /graphql?query={{hello}}&a={}", "a".repeat(70_000));
    let answer = server.request(&url, &[], b"").await;
    assert!(
        answer.status == 414 || answer.status == 400,
        "{}",
        answer.status
    );
    // What is accepted is a list of thousands.
    let accept = format!("Accept: {}application/json", "a/b;q=0.1,".repeat(3_000));
    let began = Instant::now();
    let answer = server
        .request("GET /graphql?query={hello}", &[&accept], b"")
        .await;
    assert_eq!(answer.status, 200);
    assert!(began.elapsed() < SOON);
    assert_alive(&server).await;
}

#[tokio::test]
async fn json_that_serializers_take_for_ready_is_refused() {
    let server = server().await;
    let fake = json!({"$serde_json::private::RawValue": "1},\"errors\":[{\"message\":\"x\"}"});
    let nested = json!([{"a": [fake]}]);
    let escaped = r#"{"\u0024serde_json::private::RawValue": "[1]"}"#;
    for field in ["echo", "any"] {
        let scalar = if field == "any" { "Any" } else { "JSON" };
        let query = format!("query($v: {scalar}!) {{{field}(value: $v)}}");
        for value in [fake.to_string(), nested.to_string(), escaped.to_owned()] {
            let body = format!(r#"{{"query": "{query}", "variables": {{"v": {value}}}}}"#);
            server
                .post(&body)
                .await
                .assert_refused(400, "cannot have keys");
        }
        let body = format!(r#"{{"query": "{query}", "variables": {{"v": {{"$a": [1, null]}}}}}}"#);
        let answer = server.post(&body).await;
        assert_eq!(answer.json(), json!({"data": {field: {"$a": [1, null]}}}));
    }
    // In a GET, in the extensions, in a batch.
    let value = "%7B%22$serde_json::private::RawValue%22:%22[1]%22%7D";
    let query = format!("query=query($v:Any!){{any(value:$v)}}&variables={{%22v%22:{value}}}");
    server
        .get(&query)
        .await
        .assert_refused(400, "cannot have keys");
    let body = json!({"query": "{hello}", "extensions": {"a": fake}}).to_string();
    server
        .post(&body)
        .await
        .assert_refused(400, "cannot have keys");
}

#[tokio::test]
async fn the_time_limit_does_not_wait_for_a_refused_body() {
    // Who is not let in is told so before the body has come.
    let endpoint = GraphQl::new(shop().0)
        .with_data(|_| std::future::ready(Err::<User, _>(StatusCode::UNAUTHORIZED)));
    let server = Server::of(Router::new().route_service("/graphql", endpoint)).await;
    let mut stream = server.connect().await;
    let head = "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                Content-Length: 1000\r\n\r\n{\"query\"";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    let read = stream.read_exact(&mut start);
    tokio::time::timeout(SOON, read).await.unwrap().unwrap();
    assert_eq!(&start, b"HTTP/1.1 401");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_clients_do_not_keep_others_waiting() {
    let server = server().await;
    let doubled = {
        let mut query = String::from("{...F0}");
        for number in 0..28 {
            let next = number + 1;
            write!(
                query,
                "fragment F{number} on Query{{...F{next} ...F{next}}}"
            )
            .unwrap();
        }
        query + "fragment F28 on Query{hello}"
    };
    let began = Instant::now();
    let hostile = async {
        let mut answers: Vec<Answer> = Vec::new();
        for _ in 0..50 {
            answers.push(server.query(&doubled).await);
            answers.push(server.query(&"{".repeat(100_000)).await);
        }
        answers
    };
    let honest = async {
        for _ in 0..50 {
            assert_alive(&server).await;
        }
    };
    let (answers, ()) = tokio::join!(hostile, honest);
    assert!(answers.iter().all(|answer| answer.status == 400));
    assert!(began.elapsed() < 4 * SOON, "{:?}", began.elapsed());
}
