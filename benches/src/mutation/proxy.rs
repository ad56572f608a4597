//! A proxy between a client and a server on a Unix socket. It counts statements and round trips, and
//! can delay each message, as a network does.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tempfile::TempDir;

/// The file name of a server's socket for the default port.
const SOCKET: &str = ".s.PGSQL.5432";

/// A running proxy. Its threads end with their connections.
pub(super) struct Proxy {
    directory: TempDir,
    counts: Arc<Counts>,
}

/// What the server has answered.
#[derive(Debug, Default)]
struct Counts {
    statements: AtomicU64,
    round_trips: AtomicU64,
}

impl Proxy {
    /// Starts a proxy to the server of `options`. Each message arrives `delay` after it was sent.
    pub(super) fn start(options: &PgConnectOptions, delay: Duration) -> anyhow::Result<Self> {
        let server = options
            .get_socket()
            .context("the server listens on a Unix socket")?
            .join(SOCKET);
        let directory = tempfile::tempdir()?;
        let listener = UnixListener::bind(directory.path().join(SOCKET))?;
        let counts = Arc::<Counts>::default();
        let count = Arc::clone(&counts);
        thread::spawn(move || {
            for client in listener.incoming() {
                let connected = client.and_then(|client| connect(client, &server, delay, &count));
                if let Err(error) = connected {
                    eprintln!("proxy: {error}");
                }
            }
        });
        Ok(Self { directory, counts })
    }

    /// Options that lead through the proxy.
    pub(super) fn options(&self, options: &PgConnectOptions) -> PgConnectOptions {
        options
            .clone()
            .socket(self.directory.path())
            .ssl_mode(PgSslMode::Disable)
    }

    /// The numbers of statements and round trips since the last call.
    pub(super) fn take_counts(&self) -> (u64, u64) {
        (
            self.counts.statements.swap(0, Ordering::SeqCst),
            self.counts.round_trips.swap(0, Ordering::SeqCst),
        )
    }
}

fn connect(
    client: UnixStream,
    server: &Path,
    delay: Duration,
    counts: &Arc<Counts>,
) -> std::io::Result<()> {
    let server = UnixStream::connect(server)?;
    forward(client.try_clone()?, server.try_clone()?, delay, |_| ());
    let mut answers = Answers::new(Arc::clone(counts));
    forward(server, client, delay, move |bytes| answers.read(bytes));
    Ok(())
}

/// Copies bytes until the connection ends. A thread reads and another one writes, so that what is sent
/// in pieces is not delayed once for each.
fn forward(
    mut from: UnixStream,
    mut to: UnixStream,
    delay: Duration,
    mut look: impl FnMut(&[u8]) + Send + 'static,
) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = [0; 1 << 16];
        while let Ok(length) = from.read(&mut buffer) {
            let bytes = &buffer[..length];
            look(bytes);
            if length == 0
                || sender
                    .send((Instant::now() + delay, bytes.to_vec()))
                    .is_err()
            {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            // The standard library's sleep is exact to some 0.05 ms; tokio's to one millisecond.
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        // The other side may be gone already.
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// Counts the messages of a server. Each is a letter, and a length that includes itself.
struct Answers {
    counts: Arc<Counts>,
    /// The beginning of a message, until its length is known.
    head: Vec<u8>,
    /// The bytes of the message that are still to come.
    rest: usize,
}

impl Answers {
    fn new(counts: Arc<Counts>) -> Self {
        Self {
            counts,
            head: Vec::with_capacity(5),
            rest: 0,
        }
    }

    fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.rest > 0 {
                let skipped = self.rest.min(bytes.len());
                self.rest -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head.push(bytes[0]);
            bytes = &bytes[1..];
            if let [kind, a, b, c, d] = self.head[..] {
                match kind {
                    // CommandComplete: one for each statement, also for those that are sent together.
                    b'C' => self.counts.statements.fetch_add(1, Ordering::SeqCst),
                    b'Z' => self.counts.round_trips.fetch_add(1, Ordering::SeqCst),
                    _ => 0,
                };
                self.rest = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(4);
                self.head.clear();
            }
        }
    }
}
