//! A primary and its streaming replicas, for tests that start servers of their own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use dev_postgres::{Builder, Server};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::OnceCell;

/// Settings of all servers. A commit is at the replicas at once, and not when the log is next written; a
/// server that was killed can go on.
const SETTINGS: [(&str, &str); 8] = [
    ("synchronous_commit", "on"),
    ("fsync", "off"),
    ("full_page_writes", "on"),
    ("wal_keep_size", "512MB"),
    ("max_connections", "200"),
    // Many servers start and stop in a short time.
    ("shared_buffers", "16MB"),
    ("wal_init_zero", "off"),
    ("jit", "off"),
];

/// A primary, and a directory for its replicas. The servers stop when they are dropped.
#[derive(Debug)]
pub struct Cluster {
    server: Option<Arc<Server>>,
    /// The database of the test.
    pub database: PgConnectOptions,
    directory: tempfile::TempDir,
    replicas: std::cell::Cell<usize>,
}

/// A streaming replica, with an address that it keeps.
#[derive(Debug)]
pub struct Standby {
    server: Option<Server>,
    directory: PathBuf,
    settings: Vec<(String, String)>,
    database: PgConnectOptions,
}

fn start_primary() -> Server {
    configured(&[])
        .start()
        .unwrap_or_else(|error| panic!("{error}"))
}

fn configured(settings: &[(String, String)]) -> Builder {
    let all = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let all = all.into_iter().chain(settings.iter().cloned());
    all.fold(
        Server::builder().ignore_database_url(),
        |builder, (name, value)| builder.setting(name, value),
    )
}

impl Cluster {
    /// Starts a primary with an empty database.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start() -> Self {
        Self::of(Arc::new(start_primary())).await
    }

    /// A primary that other tests write to as well, with an empty database.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn shared() -> Self {
        static SERVER: OnceLock<Arc<Server>> = OnceLock::new();
        let server = SERVER.get_or_init(|| Arc::new(start_primary()));
        Self::of(Arc::clone(server)).await
    }

    async fn of(server: Arc<Server>) -> Self {
        let database = server.create_database().await.unwrap();
        Self {
            server: Some(server),
            database,
            directory: tempfile::Builder::new()
                .prefix("tv-")
                .tempdir_in("/tmp")
                .unwrap(),
            replicas: std::cell::Cell::new(0),
        }
    }

    /// The database on a replica of the [shared](Self::shared) primary, which other tests read as well.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn shared_replica(&self) -> PgPool {
        static REPLICA: OnceCell<Server> = OnceCell::const_new();
        let primary = self.server.as_ref().expect("the primary runs");
        let start = async || {
            let replica = primary.replica(configured(&[])).await;
            replica.unwrap_or_else(|error| panic!("{error}"))
        };
        let replica = REPLICA.get_or_init(start).await;
        let database = self.database.get_database().unwrap_or_default();
        lazy_pool(replica.options().clone().database(database))
    }

    /// Stops the primary for good.
    pub fn stop_primary(&mut self) {
        self.server = None;
    }

    /// A pool on the primary.
    ///
    /// # Panics
    /// If it cannot be reached.
    pub async fn primary(&self) -> PgPool {
        pool(self.database.clone()).await
    }

    /// Starts a replica with settings of its own, such as `recovery_min_apply_delay`.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn replica(&self, settings: &[(&str, &str)]) -> Standby {
        let number = self.replicas.get() + 1;
        self.replicas.set(number);
        // The server's account has to reach it.
        open(self.directory.path());
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut standby = Standby {
            server: None,
            directory: self.directory.path().join(number.to_string()),
            settings: settings.iter().map(own).collect(),
            database: self.database.clone(),
        };
        standby.start(self).await;
        standby
    }
}

/// Lets other accounts pass through a directory.
fn open(directory: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o711)).unwrap();
}

/// A pool with up to sixteen connections.
async fn pool(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(Duration::from_secs(5))
        .connect_with(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A pool that connects when it is used.
fn lazy_pool(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(options)
}

impl Standby {
    /// Its database, at the address that it keeps.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.database.clone().socket(self.directory.join("socket"))
    }

    /// A pool on the replica, which need not be running.
    #[must_use]
    pub fn pool(&self) -> PgPool {
        lazy_pool(self.options())
    }

    /// Starts it: on the data that it had, or on a new copy of the primary's.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(&mut self, cluster: &Cluster) {
        let deadline = Instant::now() + Duration::from_secs(40);
        let server = loop {
            let builder = configured(&self.settings)
                .persistent(self.directory.join("server"))
                .socket_directory(self.directory.join("socket"));
            let primary = cluster.server.as_ref().expect("the primary runs");
            match primary.replica(builder).await {
                Ok(server) => break server,
                // Processes of a server that was killed may still be there.
                Err(error) if Instant::now() > deadline => panic!("{error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        };
        self.server = Some(server);
        loop {
            if let Ok(connection) = PgConnection::connect_with(&self.options()).await {
                connection.close().await.unwrap();
                return;
            }
            assert!(Instant::now() < deadline, "the replica does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Promotes it, and returns a connection that writes to it.
    ///
    /// `pg_promote()` that waits holds a snapshot meanwhile, which the replay of what vacuum removed may
    /// cancel. So it does not wait, and connections are new.
    ///
    /// # Panics
    /// If it is not promoted in time.
    pub async fn promote(&self) -> PgConnection {
        let connect = async || PgConnection::connect_with(&self.options()).await.unwrap();
        let mut connection = connect().await;
        let asked = sqlx::query("SELECT pg_promote(false)");
        asked.execute(&mut connection).await.unwrap();
        until("the replica is promoted", async || {
            let standby = sqlx::query_scalar("SELECT pg_is_in_recovery()");
            !standby
                .fetch_one(&mut connect().await)
                .await
                .unwrap_or(true)
        })
        .await;
        connect().await
    }

    /// Kills all of its processes, as a crash does.
    ///
    /// # Panics
    /// If it is not running.
    pub fn kill(&mut self) {
        let data = std::fs::read_dir(self.directory.join("server")).unwrap();
        let pids = data.filter_map(|entry| {
            std::fs::read_to_string(entry.ok()?.path().join("postmaster.pid")).ok()
        });
        let pid = pids
            .filter_map(|text| Some(text.lines().next()?.to_owned()))
            .next();
        let pid = pid.expect("it is running");
        let killed = Command::new("kill").args(["-KILL", &pid]).status();
        assert!(killed.unwrap().success());
        self.server = None;
    }

    /// Stops it, and deletes its data: the next start makes a new copy.
    ///
    /// # Panics
    /// If the data cannot be deleted.
    pub fn discard(&mut self) {
        self.server = None;
        std::fs::remove_dir_all(self.directory.join("server")).unwrap();
    }
}

/// Waits until something holds.
///
/// # Panics
/// If it does not within 30 seconds.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
