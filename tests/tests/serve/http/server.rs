//! Tests of the server: its limits on connections and time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::routing::get;
use fraiseql_graphql::http::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
/// For what takes milliseconds, on a machine that is also busy with others.
const SOON: Duration = Duration::from_secs(10);

struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(server: Server) -> Self {
        let router = Router::new()
            .route("/", get(async || "hello"))
            .route(
                "/slow",
                get(async || {
                    sleep(Duration::from_millis(500)).await;
                    "slow"
                }),
            )
            .route("/large", get(async || Bytes::from(vec![b'x'; 50 << 20])))
            .route(
                "/peer",
                get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.ip().to_string()),
            );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            server.serve(listener, router, stopped).await;
        });
        Self {
            address,
            stop: Some(stop),
            task,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn answers(&self) -> bool {
        let mut stream = self.connect().await;
        asked(&mut stream, GET).await.ends_with("hello")
    }

    fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }
}

/// Sends a request, and returns one packet of the answer. Empty if the connection was closed.
async fn asked(stream: &mut TcpStream, request: &[u8]) -> String {
    let _ = stream.write_all(request).await;
    let mut answer = vec![0; 10_000];
    let read = timeout(SOON, stream.read(&mut answer))
        .await
        .expect("an answer");
    answer.truncate(read.unwrap_or(0));
    String::from_utf8(answer).unwrap()
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    timeout(SOON, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_after_a_time() {
    let server = Server::new().header_timeout(Duration::from_millis(300));
    let server = Running::start(server).await;
    let began = Instant::now();
    let mut silent = server.connect().await;
    let mut unfinished = server.connect().await;
    unfinished.write_all(&GET[..20]).await.unwrap();
    let mut idle = server.connect().await;
    assert!(asked(&mut idle, GET).await.ends_with("hello"));
    for stream in [&mut silent, &mut unfinished, &mut idle] {
        assert!(is_closed(stream).await);
    }
    assert!(began.elapsed() >= Duration::from_millis(290));
    // One byte at a time does not help.
    let mut dripping = server.connect().await;
    let mut sent = 0;
    for byte in GET.iter().cycle().take(200) {
        if dripping.write_all(&[*byte | 0x40]).await.is_err() {
            break;
        }
        sent += 1;
        sleep(Duration::from_millis(20)).await;
    }
    assert!(sent < 150, "{sent}");
}

#[tokio::test]
async fn a_request_takes_longer_than_the_time_for_its_headers() {
    let server = Server::new().header_timeout(Duration::from_millis(100));
    let server = Running::start(server).await;
    let mut stream = server.connect().await;
    let answer = asked(&mut stream, b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(answer.ends_with("slow"), "{answer}");
}

#[tokio::test]
async fn at_the_maximum_the_oldest_connection_without_a_request_is_closed() {
    let server = Running::start(Server::new().max_connections(10)).await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        let mut stream = server.connect().await;
        assert!(asked(&mut stream, GET).await.ends_with("hello"));
        streams.push(stream);
    }
    assert!(asked(&mut streams[0], GET).await.ends_with("hello"));
    assert!(server.answers().await);
    assert!(is_closed(&mut streams[1]).await);
    assert!(asked(&mut streams[0], GET).await.ends_with("hello"));
    assert!(asked(&mut streams[9], GET).await.ends_with("hello"));
}

#[tokio::test]
async fn a_connection_with_a_request_is_not_closed_for_another() {
    let server = Running::start(Server::new().max_connections(2)).await;
    let slow = b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n";
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    one.write_all(slow).await.unwrap();
    other.write_all(slow).await.unwrap();
    sleep(Duration::from_millis(50)).await;
    // It waits until one of them has its answer.
    assert!(server.answers().await);
    for stream in [&mut one, &mut other] {
        let answer = asked(stream, b"").await;
        assert!(answer.ends_with("slow"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let server = Server::new()
        .max_connections(1)
        .write_timeout(Duration::from_millis(300));
    let server = Running::start(server).await;
    let mut deaf = server.connect().await;
    deaf.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let began = Instant::now();
    sleep(Duration::from_millis(100)).await;
    // The only connection has a request, so this one waits for the time limit.
    assert!(server.answers().await);
    assert!(
        began.elapsed() >= Duration::from_millis(200),
        "{:?}",
        began.elapsed()
    );
    let mut rest = Vec::new();
    let _ = timeout(SOON, deaf.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.len() < 50 << 20);
}

#[tokio::test]
async fn a_client_that_reads_slowly_is_not_cut_off() {
    let server = Server::new().write_timeout(Duration::from_millis(500));
    let server = Running::start(server).await;
    let mut slow = server.connect().await;
    slow.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let (mut bytes, mut buffer) = (0, vec![0; 4 << 20]);
    loop {
        let read = slow.read(&mut buffer).await.unwrap();
        if read == 0 {
            break;
        }
        bytes += read;
        sleep(Duration::from_millis(10)).await;
    }
    assert!(bytes > 50 << 20, "{bytes}");
}

#[tokio::test]
async fn a_shutdown_answers_what_has_begun_and_closes_the_rest() {
    let mut server = Running::start(Server::new()).await;
    let mut slow = server.connect().await;
    slow.write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let mut silent = server.connect().await;
    let mut unfinished = server.connect().await;
    unfinished.write_all(&GET[..20]).await.unwrap();
    let mut idle = server.connect().await;
    assert!(asked(&mut idle, GET).await.ends_with("hello"));
    sleep(Duration::from_millis(100)).await;
    server.stop();
    for stream in [&mut silent, &mut unfinished, &mut idle] {
        assert!(is_closed(stream).await);
    }
    let answer = asked(&mut slow, b"").await;
    assert!(answer.ends_with("slow"), "{answer}");
    timeout(SOON, &mut server.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_handler_knows_the_address_of_the_client() {
    let server = Running::start(Server::new()).await;
    let mut stream = server.connect().await;
    let answer = asked(&mut stream, b"GET /peer HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(answer.ends_with("127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn several_requests_in_one_packet_are_answered() {
    let server = Running::start(Server::new()).await;
    let mut stream = server.connect().await;
    stream.write_all(&GET.repeat(50)).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answers = String::new();
    timeout(SOON, stream.read_to_string(&mut answers))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answers.matches("200 OK").count(), 51);
}
