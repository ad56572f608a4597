//! Tests that hostile requests get a clear error in bounded time, and that the server keeps
//! working.

mod bodies;
mod queries;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use fraiseql_graphql::http::GraphQl;
use fraiseql_tests::web::{Answer, Server, shop};

/// For requests that take milliseconds, on a machine that is also busy with others.
const SOON: Duration = Duration::from_secs(5);

async fn server() -> Server {
    Server::start(GraphQl::new(shop().0)).await
}

async fn assert_alive(server: &Server) {
    assert_eq!(server.query("{ hello }").await.status, 200);
}

/// Sends a query that is refused within a short time.
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
async fn too_many_headers_are_refused() {
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
    // A list of thousands of items is accepted.
    let accept = format!("Accept: {}application/json", "a/b;q=0.1,".repeat(3_000));
    let began = Instant::now();
    let answer = server
        .request("GET /graphql?query={hello}", &[&accept], b"")
        .await;
    assert_eq!(answer.status, 200);
    assert!(began.elapsed() < SOON);
    assert_alive(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_clients_do_not_delay_others() {
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
