//! One replica: its pool, the servers that this leads to, and its counters.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::PgPool;
use sqlx_core::rt;

use crate::error::Result;
use crate::mutex::lock;
use crate::read::readers::{ReaderConnection, Readers};
use crate::read::replicas::settings::ACQUIRE_TIMEOUT;
use crate::read::replicas::waiting::Waits;
use crate::read::server::{Look, Server};

/// The most servers behind one pool whose state is remembered.
const MAX_SERVERS: usize = 16;

/// One replica.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) name: String,
    pub(super) readers: Readers,
    seen: Mutex<Seen>,
    pub(super) waits: Waits,
    /// Whether a look is on its way.
    pub(super) is_probing: AtomicBool,
    pub(super) counters: Counters,
}

/// What was seen of a replica.
#[derive(Debug, Default)]
struct Seen {
    /// The server of the last look. `None` before the first, and while it cannot be reached.
    last: Option<Arc<Server>>,
    is_unreachable: bool,
    /// The servers behind the pool: one, unless a load balancer is between.
    servers: Vec<Arc<Server>>,
}

/// Reads since the start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Those that were answered here.
    pub(super) reads: AtomicU64,
    /// Those among them that waited for a position.
    pub(super) waits: AtomicU64,
    /// Those that failed here, and were answered elsewhere.
    pub(super) failures: AtomicU64,
}

impl Counters {
    pub(super) fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }

    pub(super) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Replica {
    pub(super) fn new(readers: Readers, name: String) -> Self {
        Self {
            name,
            readers,
            seen: Mutex::default(),
            waits: Waits::default(),
            is_probing: AtomicBool::new(false),
            counters: Counters::default(),
        }
    }

    /// A name for logs and metrics: the address of the pool, with a number if there are several of it.
    pub(super) fn name_of(pool: &PgPool, others: &[Arc<Self>]) -> String {
        let options = pool.connect_options();
        let host = options.get_socket().map(|path: &_| Path::display(path));
        let host = host.map_or_else(|| options.get_host().to_owned(), |path| path.to_string());
        let name = format!("{host}:{}", options.get_port());
        let is_taken = |name: &String| others.iter().any(|other| other.name == *name);
        if !is_taken(&name) {
            return name;
        }
        let mut numbered = (2..).map(|number| format!("{name}#{number}"));
        numbered.find(|name| !is_taken(name)).unwrap_or(name)
    }

    /// Takes a connection, and finds out which server it leads to. `None` if there is none in time.
    pub(super) async fn connect(&self) -> Option<(ReaderConnection, Arc<Server>)> {
        let acquired = rt::timeout(ACQUIRE_TIMEOUT, self.readers.acquire()).await;
        let mut connection = match acquired {
            Ok(Ok(connection)) => connection,
            Ok(Err(_)) => {
                self.lost();
                return None;
            }
            Err(_) => {
                // If others have all connections, the server is there, and busy.
                let pool = self.readers.pool();
                let is_busy = pool.size() >= pool.options().get_max_connections();
                if !is_busy {
                    self.lost();
                }
                return None;
            }
        };
        if let Some(server) = connection.server() {
            let server = Arc::clone(server);
            return Some((connection, server));
        }
        let server = self.look(&mut connection).await.ok()?;
        Some((connection, server))
    }

    /// Asks the server of a connection, and notes what it says.
    pub(super) async fn look(&self, connection: &mut ReaderConnection) -> Result<Arc<Server>> {
        let look = Look::at(&mut *connection)
            .await
            .inspect_err(|_| self.lost())?;
        let server = self.note(look);
        connection.set_server(Arc::clone(&server));
        Ok(server)
    }

    /// Notes what a server has said.
    pub(super) fn note(&self, look: Look) -> Arc<Server> {
        let mut seen = lock(&self.seen);
        seen.is_unreachable = false;
        let known = seen.servers.iter().find(|server| server.is(&look));
        let server = match known {
            Some(server) => {
                server.note(look);
                Arc::clone(server)
            }
            None => {
                let server = Arc::new(Server::new(look));
                if seen.servers.len() == MAX_SERVERS {
                    seen.servers.remove(0);
                }
                seen.servers.push(Arc::clone(&server));
                server
            }
        };
        seen.last = Some(Arc::clone(&server));
        server
    }

    /// Notes that the replica cannot be reached. The next look that succeeds ends that.
    pub(super) fn lost(&self) {
        let mut seen = lock(&self.seen);
        seen.last = None;
        seen.is_unreachable = true;
    }

    /// The last look. `None` before the first, and while it cannot be reached.
    pub(super) fn last(&self) -> Option<Look> {
        lock(&self.seen).last.as_ref().map(|server| server.last())
    }

    pub(super) fn is_unreachable(&self) -> bool {
        lock(&self.seen).is_unreachable
    }
}
