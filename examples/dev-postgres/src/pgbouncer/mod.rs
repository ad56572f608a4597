//! PgBouncer in front of a server: its settings, its start and its end.
//!
//! | module | |
//! |---|---|
//! | `binary` | the search for a `pgbouncer`, and its version |
//! | `debian` | installation from Debian's packages, without root |
//! | `process` | the configuration file, and the shell script that runs and stops it |

mod binary;
mod debian;
mod process;

use std::path::PathBuf;
use std::process::Child;
use std::sync::Mutex;

use sqlx::postgres::PgConnectOptions;

pub use self::binary::PgBouncerVersion;

use self::binary::locate;
use self::process::{spawn, wait_until_ready, write_files};
use crate::account::Account;
use crate::error::Result;
use crate::server::{Server, run_dir};

/// The port in the name of PgBouncer's socket.
const PORT: u16 = 6432;

/// A PgBouncer in transaction mode, in front of a [`Server`]. It stops when this value is dropped or
/// the process ends.
///
/// It looks for a `pgbouncer` in this order:
///
/// 1. `PGBOUNCER_BIN`, the path of one.
/// 2. `PATH`, `/usr/sbin` and `/usr/local/sbin`, Homebrew.
/// 3. Debian's package, fetched by `apt-get` and unpacked into the user's cache, with the libraries that
///    it needs. Neither root nor an installation is needed; `apt-get` verifies the signatures.
/// 4. Otherwise it stops, with the command that installs PgBouncer on this system.
///
/// `DEV_PGBOUNCER=1.18` selects a version. Debian has 1.18 and 1.24.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use dev_postgres::{PgBouncer, Server};
///
/// let server = Server::temporary()?;
/// let pooler = PgBouncer::builder().pool_size(2).start(&server)?;
/// let database = server.create_database().await?;
/// let pool = sqlx::PgPool::connect_with(pooler.through(&database)).await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct PgBouncer {
    socket: PathBuf,
    server: PgConnectOptions,
    version: PgBouncerVersion,
    description: String,
    /// The shell of [`process`]. Closing its standard input is the signal to stop.
    watchdog: Mutex<Child>,
}

/// Settings of a [`PgBouncer`]; see [`PgBouncer::builder`].
#[derive(Clone, Debug)]
pub struct PgBouncerBuilder {
    pool_size: u32,
    at_least: Option<PgBouncerVersion>,
    version: Option<PgBouncerVersion>,
    settings: Vec<(String, String)>,
}

impl PgBouncer {
    /// Settings of a PgBouncer: by default in transaction mode, with 20 server connections for each
    /// database and user, prepared statements where the version has them, and
    /// `ignore_startup_parameters = extra_float_digits`, which sqlx needs.
    #[must_use]
    pub fn builder() -> PgBouncerBuilder {
        PgBouncerBuilder {
            pool_size: 20,
            at_least: None,
            version: None,
            settings: Vec::new(),
        }
    }

    /// `server`, the options for a direct connection, as options for one through this pooler: the same
    /// user, database and settings.
    #[must_use]
    pub fn through(&self, server: &PgConnectOptions) -> PgConnectOptions {
        server.clone().socket(&self.socket).port(PORT)
    }

    /// Options to connect to PgBouncer's console, which knows commands such as `SHOW POOLS` and
    /// `RECONNECT`. Send them with `sqlx::raw_sql`.
    #[must_use]
    pub fn console(&self) -> PgConnectOptions {
        self.through(&self.server).database("pgbouncer")
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> PgBouncerVersion {
        self.version
    }

    /// The version and the path of the binary.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let watchdog = self
            .watchdog
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(watchdog.stdin.take());
        // The shell exits after PgBouncer. An error here cannot be handled.
        let _ = watchdog.wait();
    }
}

impl PgBouncerBuilder {
    /// Sets `default_pool_size`: how many connections of the server the clients of one database and
    /// user share.
    #[must_use]
    pub fn pool_size(mut self, connections: u32) -> Self {
        self.pool_size = connections;
        self
    }

    /// Uses only this version, instead of that of `DEV_PGBOUNCER`.
    #[must_use]
    pub fn version(mut self, version: PgBouncerVersion) -> Self {
        self.version = Some(version);
        self
    }

    /// Passes over older versions on this machine.
    #[must_use]
    pub fn at_least(mut self, version: PgBouncerVersion) -> Self {
        self.at_least = Some(version);
        self
    }

    /// Adds a setting of the section `[pgbouncer]`, such as `("pool_mode", "session")`.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Finds or installs PgBouncer, and starts it in front of `server`, which must accept connections
    /// without a password.
    ///
    /// # Errors
    /// If there is no PgBouncer, or it does not start.
    pub fn start(self, server: &Server) -> Result<PgBouncer> {
        let account = Account::detect()?;
        let binary = locate(account, self.version, self.at_least)?;
        let run = run_dir(account)?;
        // If a later step fails, dropping `run` removes the directory.
        let server = server.options();
        write_files(&self, binary.version(), server, run.path(), account)?;
        let watchdog = spawn(binary.path(), run.path(), account)?;
        wait_until_ready(run.path())?;
        Ok(PgBouncer {
            socket: run.keep(),
            server: server.clone(),
            version: binary.version(),
            description: format!(
                "PgBouncer {} from {}",
                binary.release(),
                binary.path().display()
            ),
            watchdog: Mutex::new(watchdog.disarm()),
        })
    }
}
