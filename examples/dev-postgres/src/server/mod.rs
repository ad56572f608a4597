//! A running server, and the settings to start one.
//!
//! | module | |
//! |---|---|
//! | `process` | the shell script that runs and stops `postgres` |
//! | `data` | data directory, socket directory and lock |
//! | `replica` | streaming replicas of a server |

mod data;
mod process;
mod replica;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Mutex;

use sqlx::postgres::PgConnectOptions;

use crate::account::Account;
use crate::cache;
use crate::choice::Choice;
use crate::error::{Error, IoContext, Result};
use crate::locate::{Binaries, locate};
use crate::shared::SharedServer;

pub(crate) use self::data::run_dir;
use self::data::{initdb, lock, wait_until_stopped};
use self::process::{log, wait_until_ready};

/// A PostgreSQL server. If it was started by this process, it stops when this value is dropped or
/// the process ends.
#[derive(Debug)]
pub struct Server {
    options: PgConnectOptions,
    description: String,
    /// The shell of [`process`]. Closing its standard input is the signal to stop.
    watchdog: Option<Mutex<Child>>,
    /// The lock on the persistent directory.
    _lock: Option<File>,
    /// The files, if this process has started the server.
    files: Option<Files>,
}

/// The files of a server.
#[derive(Clone, Debug)]
struct Files {
    binaries: Binaries,
    data: PathBuf,
    /// The directory of the socket.
    socket: PathBuf,
    /// The settings that it was started with.
    settings: Vec<(String, String)>,
}

/// Settings of a [`Server`]; see [`Server::builder`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    directory: Option<PathBuf>,
    join: bool,
    shared: bool,
    ignore_database_url: bool,
    version: Option<u32>,
    settings: Vec<(String, String)>,
    socket: Option<PathBuf>,
}

impl Server {
    /// Settings for a server. By default it is temporary and not durable.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts a server for tests, with a new empty directory and without fsync.
    ///
    /// # Errors
    /// If there is no PostgreSQL, or it does not start.
    pub fn temporary() -> Result<Self> {
        Self::builder().start()
    }

    /// A server for tests in several processes, such as documentation examples: the first process
    /// starts it, and the others use it too. It stops when the parent of this process ends.
    ///
    /// # Errors
    /// If there is no PostgreSQL, or it does not start.
    pub fn shared() -> Result<Self> {
        Self::builder().shared().start()
    }

    /// Options to connect to the server's maintenance database.
    #[must_use]
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// The version and the directory of the binaries, or how the server was found.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    fn external(url: &str) -> Result<Self> {
        Ok(Self {
            options: url.parse()?,
            description: "the server of DATABASE_URL".into(),
            watchdog: None,
            _lock: None,
            files: None,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(watchdog) = &mut self.watchdog {
            let watchdog = watchdog
                .get_mut()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            drop(watchdog.stdin.take());
            // The shell exits after the server. An error here cannot be handled.
            let _ = watchdog.wait();
        }
    }
}

impl Builder {
    /// Keeps the data in `directory`, with fsync.
    #[must_use]
    pub fn persistent(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Keeps the data in the directory `name` of the user's cache, with fsync.
    ///
    /// # Errors
    /// If the user has no cache directory, or it cannot be created.
    pub fn persistent_in_cache(self, name: &str) -> Result<Self> {
        let cache = cache::directory(Account::detect()?).map_err(Error::NoDirectory)?;
        cache::create(&cache).map_err(Error::NoDirectory)?;
        Ok(self.persistent(cache.join(name)))
    }

    /// Uses the server of another process, if that already runs one on the directory. It stops
    /// when the other process ends.
    #[must_use]
    pub fn join(mut self) -> Self {
        self.join = true;
        self
    }

    /// Uses the temporary server of another process with the same parent, or starts one that
    /// stops when that parent ends. See [`Server::shared`].
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// Ignores `DATABASE_URL`.
    #[must_use]
    pub fn ignore_database_url(mut self) -> Self {
        self.ignore_database_url = true;
        self
    }

    /// Uses only this major version, instead of that of `DEV_POSTGRES`. `DATABASE_URL` still comes
    /// first.
    #[must_use]
    pub fn version(mut self, major: u32) -> Self {
        self.version = Some(major);
        self
    }

    /// Adds a server setting, such as `("max_connections", "200")`.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Has the socket in this directory as well, and connects there. So servers that are started one
    /// after the other can have the same address.
    #[must_use]
    pub fn socket_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.socket = Some(directory.into());
        self
    }

    /// Finds or installs PostgreSQL, and starts it.
    ///
    /// # Errors
    /// If there is no PostgreSQL, or it does not start.
    pub fn start(self) -> Result<Server> {
        if !self.ignore_database_url
            && let Ok(url) = std::env::var("DATABASE_URL")
            && !url.is_empty()
        {
            return Server::external(&url);
        }
        let mut choice = Choice::from_env()?;
        if let Some(version) = self.version {
            choice = choice.only(version);
        }
        let account = Account::detect()?;
        let mut shared = self
            .shared
            .then(|| SharedServer::lock(account))
            .transpose()?;
        if let Some(shared) = &mut shared
            && let Some(socket) = shared.running()?
        {
            return Ok(running(&socket, "the server of another process"));
        }
        let lock = match &self.directory {
            None => None,
            Some(directory) => match lock(directory, account)? {
                Some(file) => Some(file),
                None if self.join => return join(directory),
                None => {
                    return Err(Error::InUse {
                        dir: directory.clone(),
                    });
                }
            },
        };
        let binaries = locate(account, choice)?;
        self.start_with(binaries, account, lock, shared, |binaries, data| {
            initdb(binaries, data, account)
        })
    }

    /// Starts a server, whose data `create` creates if there are none.
    fn start_with(
        self,
        binaries: Binaries,
        account: Account,
        lock: Option<File>,
        mut shared: Option<SharedServer>,
        create: impl FnOnce(&Binaries, &Path) -> Result<()>,
    ) -> Result<Server> {
        let run = run_dir(account)?;
        // If a later step fails, dropping `run` removes the directory.
        let data = match &self.directory {
            Some(directory) => {
                let data = directory.join(format!("data-{}", binaries.version()));
                wait_until_stopped(&data)?;
                data
            }
            None => run.path().join("data"),
        };
        if !data.join("PG_VERSION").exists() {
            create(&binaries, &data)?;
        }
        if let Some(socket) = &self.socket {
            std::fs::create_dir_all(socket).context(|| format!("creating {}", socket.display()))?;
            account.own(socket)?;
        }
        let watchdog = self.spawn(&binaries, &data, run.path(), account, shared.as_ref())?;
        wait_until_ready(&data, run.path())?;
        log(&binaries)?;
        if let Some(shared) = &mut shared {
            shared.write(run.path())?;
        }
        let socket = run.keep();
        if let Some(directory) = &self.directory {
            std::fs::write(
                directory.join("socket"),
                socket.to_string_lossy().as_bytes(),
            )
            .context(|| format!("writing into {}", directory.display()))?;
        }
        let watchdog = watchdog.disarm();
        let socket = self.socket.unwrap_or(socket);
        Ok(Server {
            options: connect_options(&socket),
            description: format!(
                "PostgreSQL {} from {}",
                binaries.release(),
                binaries.dir().display()
            ),
            files: Some(Files {
                binaries,
                data,
                socket,
                settings: self.settings,
            }),
            // A shared server must survive this process, so its watchdog is not kept.
            watchdog: shared.is_none().then(|| Mutex::new(watchdog)),
            _lock: lock,
        })
    }
}

fn connect_options(socket: &Path) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket)
        .port(5432)
        .username("postgres")
        .database("postgres")
}

/// Uses the server that another process runs on `directory`.
fn join(directory: &Path) -> Result<Server> {
    let path = directory.join("socket");
    let socket = std::fs::read_to_string(&path)
        .context(|| format!("reading {} (is its owner still starting?)", path.display()))?;
    let what = format!("the server that already runs on {}", directory.display());
    Ok(running(Path::new(&socket), &what))
}

/// A server that another process runs.
fn running(socket: &Path, description: &str) -> Server {
    Server {
        options: connect_options(socket),
        description: description.to_owned(),
        watchdog: None,
        _lock: None,
        files: None,
    }
}
