//! A second connection, which reads rows as they were before a mutation changed them.
//!
//! A transaction cannot see the values that it has overwritten. Another connection sees the
//! committed rows, and these are the overwritten values: a row that the mutation has changed is
//! locked by it, so no other transaction has changed it since.
//!
//! An idle connection of the pool is taken if there is one. The reader never waits for one: all
//! others may be held by mutations that wait for a connection, too. For that case the read model
//! keeps a spare connection of its own, which its mutations use in turn.

use std::fmt;
use std::sync::Arc;

use futures_util::lock::{Mutex, MutexGuard};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Executor, PgConnection, PgPool};

use crate::db::lease::Lease;
use crate::error::{Error, Operation, Result};

/// Plain reads wait for no row lock, but they do wait for a table lock. One that the mutation itself
/// holds, as after TRUNCATE, is held until the mutation ends, which waits for this reader:
/// PostgreSQL cannot see that deadlock, so the wait is bounded.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL lock_timeout = '3s'";

/// Holds the connection that a read model keeps for mutations on an exhausted pool. One mutation
/// uses it at a time.
#[derive(Default)]
pub(crate) struct SpareSlot(Mutex<Option<SpareConnection>>);

/// A connection outside of the pool, and the options that it was opened with.
pub(super) struct SpareConnection {
    options: Arc<PgConnectOptions>,
    connection: PgConnection,
}

/// A connection in a read-only transaction, which sees committed rows.
///
/// If it is dropped before [`end`](Self::end), the connection is closed.
pub(super) enum CommittedReader<'a> {
    /// Returns to the pool at the end.
    Pooled(Lease),
    /// Returns to its slot at the end. The guard keeps other mutations out until then.
    Spare(
        Box<SpareConnection>,
        MutexGuard<'a, Option<SpareConnection>>,
    ),
}

impl<'a> CommittedReader<'a> {
    pub(super) async fn begin(pool: &PgPool, spare: &'a SpareSlot) -> Result<Self> {
        // `try_acquire` does not test the connection. If it was lost while idle, BEGIN fails, and the
        // spare connection is used.
        if let Some(mut connection) = Lease::try_acquire(pool)
            && connection.execute(BEGIN).await.is_ok()
        {
            return Ok(Self::Pooled(connection));
        }
        let failed = || Error::database(Operation::AcquireConnection("look up committed rows"));
        let options = pool.connect_options();
        // It is taken out of the slot: if this future is dropped, or anything fails, the connection
        // is closed, and the next mutation opens another.
        let mut slot = spare.0.lock().await;
        // A mutation may run on any pool. The options tell whether the connection is to the same
        // database as before.
        if let Some(mut kept) = slot.take()
            && Arc::ptr_eq(&kept.options, &options)
            && kept.connection.execute(BEGIN).await.is_ok()
        {
            return Ok(Self::Spare(Box::new(kept), slot));
        }
        let mut connection = options.connect().await.map_err(failed())?;
        connection.execute(BEGIN).await.map_err(failed())?;
        let opened = SpareConnection {
            options,
            connection,
        };
        Ok(Self::Spare(Box::new(opened), slot))
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Spare(kept, _) => &mut kept.connection,
        }
    }

    /// Ends the transaction and returns the connection. If that fails, the connection is closed.
    pub(super) async fn end(self) {
        match self {
            Self::Pooled(mut connection) => {
                if connection.execute("ROLLBACK").await.is_ok() {
                    connection.release();
                }
            }
            Self::Spare(mut kept, mut slot) => {
                if kept.connection.execute("ROLLBACK").await.is_ok() {
                    *slot = Some(*kept);
                }
            }
        }
    }
}

impl fmt::Debug for SpareSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpareSlot")
    }
}
