//! A second connection, which reads rows as they were before a mutation changed them.
//!
//! A transaction cannot see the values that it has overwritten. Another connection sees the
//! committed rows, and these are the overwritten values: a row that the mutation has changed is
//! locked by it, so no other transaction has changed it since.
//!
//! It is a connection of the mutation's pool, which the application has set up, and it is waited for
//! with a bound: all others may be held by mutations that wait for one, too. Behind a pooler, that
//! is so even if the pool has idle connections: there, `BEGIN` waits for a connection of the server.

use std::time::{Duration, Instant};

use sqlx::{Executor, PgConnection, PgPool};
use sqlx_core::rt;

use crate::db::lease::Lease;
use crate::error::{Error, Operation, Result};
use crate::schema::TableName;

/// Plain reads wait for no row lock, but they do wait for a table lock. One that the mutation itself
/// holds, as after TRUNCATE, is held until the mutation ends, which waits for this reader:
/// PostgreSQL cannot see that deadlock, so the wait is bounded.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL lock_timeout = '3s'";

/// How long a mutation waits for its second connection by default.
pub(crate) const DEFAULT_WAIT: Duration = Duration::from_secs(1);

/// A connection in a read-only transaction, which sees committed rows.
///
/// If it is dropped before [`end`](Self::end), the connection is closed.
pub(super) struct CommittedReader(Lease);

impl CommittedReader {
    /// Takes a connection of the pool and begins, for a look at former rows of `table`. Fails if
    /// that takes longer than `wait`.
    pub(super) async fn begin(pool: &PgPool, wait: Duration, table: TableName) -> Result<Self> {
        let start = Instant::now();
        let unavailable = || Error::NoSecondConnection {
            table: table.clone(),
            waited: start.elapsed(),
        };
        if let Some(lease) = Lease::try_acquire(pool) {
            // `try_acquire` does not test the connection. If it was lost while idle, BEGIN fails, and
            // another is acquired.
            match rt::timeout(wait, begin(lease)).await {
                Ok(Ok(reader)) => return Ok(reader),
                Ok(Err(_)) => {}
                Err(_) => return Err(unavailable()),
            }
        }
        // The only connection is that of the mutation.
        if pool.options().get_max_connections() <= 1 {
            return Err(unavailable());
        }
        let acquired = async {
            let lease = Lease::acquire(pool, "look up committed rows").await?;
            begin(lease).await
        };
        match rt::timeout(wait.saturating_sub(start.elapsed()), acquired).await {
            // The pool has a bound of its own.
            Ok(Err(Error::Database {
                source: sqlx::Error::PoolTimedOut,
                ..
            }))
            | Err(_) => Err(unavailable()),
            Ok(result) => result,
        }
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.0
    }

    /// Ends the transaction and returns the connection. If that fails, the connection is closed.
    pub(super) async fn end(mut self) {
        if self.0.execute("ROLLBACK").await.is_ok() {
            self.0.release();
        }
    }
}

async fn begin(mut lease: Lease) -> Result<CommittedReader> {
    let failed = Error::database(Operation::AcquireConnection("look up committed rows"));
    lease.execute(BEGIN).await.map_err(failed)?;
    Ok(CommittedReader(lease))
}
