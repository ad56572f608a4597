//! The load: connections that are kept, each with one request at a time, and as little as can be
//! done for each. One thread, so that servers and PostgreSQL have the rest of the machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use super::process;

/// A request, and what it is answered with.
pub(crate) struct Exchange {
    pub(crate) request: Vec<u8>,
    pub(crate) answer: Expected,
}

/// What an answer is to be.
pub(crate) enum Expected {
    /// As many bytes as the answer that was compared with those of others. Not the same: the
    /// fields of an object may be in the order in which they were ready.
    Length(usize),
    /// Something with this in it.
    Holds(Vec<u8>),
}

/// Gives a client its next request, by the number of the client and of the request.
pub(crate) type Next = Arc<dyn Fn(usize, usize) -> Arc<Exchange> + Send + Sync>;

/// What a round has measured.
pub(crate) struct Round {
    pub(crate) requests: u64,
    pub(crate) time: Duration,
    /// In nanoseconds.
    pub(crate) latencies: Histogram<u64>,
    /// What the sending of requests took of a processor.
    pub(crate) cpu: Duration,
}

/// Sends requests for a time. Each client ends with an answer.
pub(crate) fn round(
    address: SocketAddr,
    clients: usize,
    time: Duration,
    next: &Next,
) -> anyhow::Result<Round> {
    // A thread for a runtime of its own: this one has another.
    std::thread::scope(|scope| {
        let round = scope.spawn(|| on_this_thread(address, clients, time, next));
        let round = round.join();
        round.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn on_this_thread(
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

/// Sends one request, and gives the body of its answer.
pub(crate) async fn ask(address: SocketAddr, request: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut connection = Connection::open(address).await?;
    Ok(connection.exchange(request).await?.to_vec())
}

/// A POST of GraphQL.
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
    // Up to ten minutes, to a thousandth.
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
        let is_it = match &exchange.answer {
            Expected::Length(length) => body.len() == *length,
            Expected::Holds(part) => body.windows(part.len()).any(|window| window == part),
        };
        ensure!(
            is_it,
            "an answer is not what it was: {}",
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

/// A connection of HTTP/1.1.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    /// The body of an answer that came in pieces.
    body: Vec<u8>,
}

/// Where the body of an answer ends.
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

    /// Sends a request, and reads its answer, which has to be a 200.
    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.read.clear();
        let (head, body) = loop {
            self.more().await?;
            if let Some(found) = head(&self.read)? {
                break found;
            }
        };
        let length = match body {
            Body::Length(length) => length,
            Body::Chunked => return self.chunks(head).await,
        };
        while self.read.len() < head + length {
            self.more().await?;
        }
        ensure!(self.read.len() == head + length, "more than an answer");
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
                    Ok(httparse::Status::Partial) => self.more().await?,
                    Err(_) => bail!("a chunk without its size"),
                }
            };
            // A chunk ends with a line's end; so do the trailers, of which there are none.
            while self.read.len() < start + size + 2 {
                self.more().await?;
            }
            self.body.extend_from_slice(&self.read[start..start + size]);
            at = start + size + 2;
            if size == 0 {
                ensure!(self.read.len() == at, "more than an answer");
                return Ok(&self.body);
            }
        }
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        let count = self.stream.read_buf(&mut self.read).await?;
        ensure!(count > 0, "the server has closed a connection");
        Ok(())
    }
}

/// Where the body begins and how it ends, once the head is there.
fn head(read: &[u8]) -> anyhow::Result<Option<(usize, Body)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(read)? else {
        return Ok(None);
    };
    ensure!(
        response.code == Some(200),
        "answered with {}",
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
            let coding = value("transfer-encoding").context("an answer without a length")?;
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

    /// Answers every request with these pieces, each sent by itself.
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
        let body = ask(server(pieces), b"GET / HTTP/1.1\r\n\r\n").await?;
        Ok(String::from_utf8(body)?)
    }

    #[tokio::test]
    async fn an_answer_is_read_whole_in_whatever_pieces_it_comes() {
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
    async fn what_is_no_answer_is_an_error() {
        for (pieces, says) in [
            (
                &["HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno"],
                "answered with",
            ),
            (&["HTTP/1.1 200 OK\r\n\r\nno"], "without a length"),
            (
                &["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nno"],
                "more than an answer",
            ),
        ] {
            let error = body(pieces).await.unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_round_counts_answers_and_fails_where_one_is_another() {
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
