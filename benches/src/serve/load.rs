//! The load generator: keep-alive connections with one request at a time, on one thread and with
//! minimal work per request, so that servers and PostgreSQL have the rest of the machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use super::process;

/// A request and its expected response.
pub(crate) struct Exchange {
    pub(crate) request: Vec<u8>,
    pub(crate) answer: Expected,
}

/// The check of a response body.
pub(crate) enum Expected {
    /// It has the length of the response that was compared before. The bytes may differ, because
    /// the fields of an object may be in the order in which they were resolved.
    Length(usize),
    /// It contains these bytes.
    Holds(Vec<u8>),
}

/// Returns the next request, for the number of the client and of the request.
pub(crate) type Next = Arc<dyn Fn(usize, usize) -> Arc<Exchange> + Send + Sync>;

/// The measurements of one round.
pub(crate) struct Round {
    pub(crate) requests: u64,
    pub(crate) time: Duration,
    /// In nanoseconds.
    pub(crate) latencies: Histogram<u64>,
    /// Processor time of the load generator.
    pub(crate) cpu: Duration,
}

/// Sends requests for the given time. Each client finishes its last request.
pub(crate) fn round(
    address: SocketAddr,
    clients: usize,
    time: Duration,
    next: &Next,
) -> anyhow::Result<Round> {
    // A new thread, because a runtime cannot be started inside another one.
    std::thread::scope(|scope| {
        let round = scope.spawn(|| run_clients(address, clients, time, next));
        let round = round.join();
        round.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn run_clients(
    address: SocketAddr,
    clients: usize,
    time: Duration,
    next: &Next,
) -> anyhow::Result<Round> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut connections = Vec::new();
        for _ in 0..clients {
            connections.push(Connection::open(address).await?);
        }
        let cpu = process::cpu_of_thread();
        let start = Instant::now();
        let tasks: Vec<_> = connections
            .into_iter()
            .enumerate()
            .map(|(client, connection)| {
                let next = Arc::clone(next);
                tokio::task::spawn_local(repeat(connection, client, next, start + time))
            })
            .collect();
        let mut latencies = histogram()?;
        for task in tasks {
            latencies.add(task.await??)?;
        }
        Ok(Round {
            requests: latencies.len(),
            time: start.elapsed(),
            latencies,
            cpu: process::cpu_of_thread().saturating_sub(cpu),
        })
    })
}

/// Sends one request on a new connection, and returns the body of the response.
pub(crate) async fn exchange_once(address: SocketAddr, request: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut connection = Connection::open(address).await?;
    Ok(connection.exchange(request).await?.to_vec())
}

/// The bytes of a GraphQL POST request.
pub(crate) fn post(body: &serde_json::Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Accept: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn histogram() -> anyhow::Result<Histogram<u64>> {
    // Up to ten minutes, with three significant digits.
    Ok(Histogram::new_with_bounds(1, 600_000_000_000, 3)?)
}

async fn repeat(
    mut connection: Connection,
    client: usize,
    next: Next,
    until: Instant,
) -> anyhow::Result<Histogram<u64>> {
    let mut latencies = histogram()?;
    let mut begin = Instant::now();
    for number in 0.. {
        let exchange = next(client, number);
        let body = connection.exchange(&exchange.request).await?;
        let is_expected = match &exchange.answer {
            Expected::Length(length) => body.len() == *length,
            Expected::Holds(part) => body.windows(part.len()).any(|window| window == part),
        };
        ensure!(
            is_expected,
            "unexpected response: {}",
            String::from_utf8_lossy(body)
        );
        let end = Instant::now();
        latencies.record(u64::try_from((end - begin).as_nanos())?)?;
        if end >= until {
            break;
        }
        begin = end;
    }
    Ok(latencies)
}

/// An HTTP/1.1 connection.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    /// The body of a chunked response.
    body: Vec<u8>,
}

/// How the end of a body is determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Length(usize),
    Chunked,
}

impl Connection {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            read: Vec::with_capacity(64 * 1024),
            body: Vec::new(),
        })
    }

    /// Sends a request, and reads its response, which must be a 200.
    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.read.clear();
        let (head, body) = loop {
            self.read_more().await?;
            if let Some(found) = head(&self.read)? {
                break found;
            }
        };
        let length = match body {
            Body::Length(length) => length,
            Body::Chunked => return self.chunks(head).await,
        };
        while self.read.len() < head + length {
            self.read_more().await?;
        }
        ensure!(self.read.len() == head + length, "data after the response");
        Ok(&self.read[head..])
    }

    async fn chunks(&mut self, mut at: usize) -> anyhow::Result<&[u8]> {
        self.body.clear();
        loop {
            let (start, size) = loop {
                match httparse::parse_chunk_size(&self.read[at..]) {
                    Ok(httparse::Status::Complete((start, size))) => {
                        break (at + start, usize::try_from(size)?);
                    }
                    Ok(httparse::Status::Partial) => self.read_more().await?,
                    Err(_) => bail!("a chunk without a size"),
                }
            };
            // CRLF ends each chunk, and after the last one also the empty list of trailers.
            while self.read.len() < start + size + 2 {
                self.read_more().await?;
            }
            self.body.extend_from_slice(&self.read[start..start + size]);
            at = start + size + 2;
            if size == 0 {
                ensure!(self.read.len() == at, "data after the response");
                return Ok(&self.body);
            }
        }
    }

    async fn read_more(&mut self) -> anyhow::Result<()> {
        let count = self.stream.read_buf(&mut self.read).await?;
        ensure!(count > 0, "the server has closed the connection");
        Ok(())
    }
}

/// Parses the head. Returns the offset of the body and how it ends, or `None` if the head is
/// incomplete.
fn head(read: &[u8]) -> anyhow::Result<Option<(usize, Body)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(read)? else {
        return Ok(None);
    };
    ensure!(
        response.code == Some(200),
        "not a 200 response: {}",
        String::from_utf8_lossy(read)
    );
    let value = |name: &str| {
        let mut headers = response.headers.iter();
        let header = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok()
    };
    let body = match value("content-length") {
        Some(length) => Body::Length(length.parse()?),
        None => {
            let coding = value("transfer-encoding").context("a response without a length")?;
            ensure!(coding.eq_ignore_ascii_case("chunked"), "{coding}");
            Body::Chunked
        }
    };
    Ok(Some((length, body)))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// A server that responds to every request with these pieces, each sent separately.
    fn server(pieces: &'static [&'static str]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            let mut request = [0; 1024];
            while stream.read(&mut request).unwrap_or(0) > 0 {
                for piece in pieces {
                    stream.write_all(piece.as_bytes()).unwrap();
                    std::thread::yield_now();
                }
            }
        });
        address
    }

    async fn body(pieces: &'static [&'static str]) -> anyhow::Result<String> {
        let body = exchange_once(server(pieces), b"GET / HTTP/1.1\r\n\r\n").await?;
        Ok(String::from_utf8(body)?)
    }

    #[tokio::test]
    async fn a_response_is_read_in_any_pieces() {
        let whole = &["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"];
        let pieces = &["HTTP/1.1 200 OK\r\ncontent-", "length: 5\r\n\r\nhe", "llo"];
        assert_eq!(body(whole).await.unwrap(), "hello");
        assert_eq!(body(pieces).await.unwrap(), "hello");
        let whole = &[
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        ];
        let pieces = &[
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3",
            "\r\nhe",
            "l\r",
            "\n2\r\nlo\r\n0\r\n",
            "\r\n",
        ];
        assert_eq!(body(whole).await.unwrap(), "hello");
        assert_eq!(body(pieces).await.unwrap(), "hello");
    }

    #[tokio::test]
    async fn an_invalid_response_is_an_error() {
        for (pieces, part) in [
            (
                &["HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno"],
                "not a 200 response",
            ),
            (&["HTTP/1.1 200 OK\r\n\r\nno"], "without a length"),
            (
                &["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nno"],
                "data after the response",
            ),
        ] {
            let error = body(pieces).await.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_round_counts_responses_and_fails_at_an_unexpected_one() {
        const ANSWER: &[&str] = &["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"];
        let one = |answer: fn() -> Expected| {
            let next: Next = Arc::new(move |_, _| {
                Arc::new(Exchange {
                    request: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
                    answer: answer(),
                })
            });
            round(server(ANSWER), 1, Duration::from_millis(20), &next)
        };
        let measured = one(|| Expected::Length(5)).unwrap();
        assert_eq!(measured.requests, measured.latencies.len());
        assert!(measured.requests > 0 && measured.time >= Duration::from_millis(20));
        assert!(one(|| Expected::Length(6)).is_err());
        assert!(one(|| Expected::Holds(b"ell".to_vec())).is_ok());
        assert!(one(|| Expected::Holds(b"elk".to_vec())).is_err());
    }
}
