//! Tests that clients cannot grow the memory of the server, which runs as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fraiseql_runtime::TView;
use fraiseql_tests::{database, pool_of, run, world};
use sqlx::ConnectOptions as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const MIB: usize = 1 << 20;

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    content: String,
}

/// The program `large_posts`. It is killed when this is dropped.
struct Program {
    child: Child,
    port: u16,
}

impl Program {
    /// Starts the program over a hundred posts of 100 KB.
    async fn start(max_response: usize, max_in_flight: usize) -> Self {
        let options = database().await;
        let pool = pool_of(options.clone()).await;
        run(
            &pool,
            "CREATE TABLE tb_post (id int8 PRIMARY KEY, content text NOT NULL);
             INSERT INTO tb_post SELECT i, repeat('x', 100000) FROM generate_series(1, 100) AS i",
        )
        .await;
        world::model::<Post>().migrate(&pool).await.unwrap();
        sync_all_posts(&pool).await.unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_large_posts"))
            .arg(options.to_url_lossy().as_str())
            .args([max_response.to_string(), max_in_flight.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Self { child, port }
    }

    /// A figure of the process in MiB: `VmRSS` is its memory, and `VmHWM` the most that it was.
    fn memory(&self, name: &str) -> usize {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024
    }

    /// Sends a query, and reads nothing of the answer.
    async fn ask(&self, query: &str) -> TcpStream {
        let body = serde_json::json!({"query": query}).to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        stream
    }

    async fn answer(&self, query: &str) -> String {
        let mut answer = String::new();
        let mut stream = self.ask(query).await;
        let read = stream.read_to_string(&mut answer);
        timeout(Duration::from_secs(60), read)
            .await
            .unwrap()
            .unwrap();
        answer
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Without limits, these clients take the process to some gigabytes.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn clients_that_do_not_read_do_not_grow_the_server() {
    let program = Program::start(8 * MIB, 64 * MIB).await;
    program.answer("{ posts(limit: 1) { id } }").await;
    let before = program.memory("VmRSS");

    let aliases: Vec<String> = (0..24)
        .map(|n| format!("a{n}: posts(limit: 100) {{ content }}"))
        .collect();
    let too_large = format!("{{ {} }}", aliases.join(" "));
    assert!(
        program
            .answer(&too_large)
            .await
            .contains("RESPONSE_TOO_LARGE")
    );

    // Large responses that are allowed, to clients that read nothing.
    let large = "{ posts(limit: 70) { content } }";
    let mut slow = Vec::new();
    for round in 0..8 {
        for _ in 0..16 {
            slow.push(
                program
                    .ask(if round % 2 == 0 { large } else { &too_large })
                    .await,
            );
        }
    }
    for stream in &slow {
        // The first byte of the answer: the request has been executed.
        timeout(Duration::from_secs(60), stream.readable())
            .await
            .unwrap()
            .unwrap();
    }
    let answer = program.answer("{ posts(limit: 20) { id } }").await;
    assert!(answer.contains(r#"{"id":20}"#), "{answer}");

    let (after, peak) = (program.memory("VmRSS"), program.memory("VmHWM"));
    println!("memory of the server: {before} MiB before, {after} MiB after, {peak} MiB at most");
    assert!(
        peak < before + 256,
        "{before} MiB before, {peak} MiB at most"
    );
    drop(slow);
    // What the slow clients held is free again.
    let mut answer = String::new();
    for _ in 0..100 {
        answer = program.answer(large).await;
        if answer.len() > 5_000_000 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{answer:.300}");
}
