//! Rows as they were before a mutation changed them.
//!
//! A transaction cannot see what it has overwritten. Another connection sees what is committed,
//! and that is it: a row that this transaction has changed is locked by it, so nobody else has
//! changed it since, and what is committed is what was overwritten.
//!
//! A connection of the pool is taken if one is idle. It is never waited for: all others may be
//! held by mutations that wait for one, too. The read model keeps one of its own for that case.

use std::fmt;
use std::sync::Arc;

use futures_util::lock::{Mutex, MutexGuard};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Executor, PgConnection, PgPool};

use crate::db::connection::Lease;
use crate::error::{Error, Operation, Result};

/// Nothing here waits for a row, but a table that the mutation itself has locked, as by
/// TRUNCATE, would be waited for until it ends: for ever.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL lock_timeout = '3s'";

/// The connection that is kept for when the pool has none to spare.
#[derive(Default)]
pub(crate) struct Spare(Mutex<Option<Kept>>);

/// A connection, and the database that it is to.
pub(super) struct Kept {
    options: Arc<PgConnectOptions>,
    connection: PgConnection,
}

/// A connection that sees what is committed.
pub(super) enum Past<'a> {
    /// Given back at the end. Where the future is dropped before, either is closed.
    OfPool(Lease),
    /// Kept again at the end.
    Spare(Box<Kept>, MutexGuard<'a, Option<Kept>>),
}

impl<'a> Past<'a> {
    pub(super) async fn begin(pool: &PgPool, spare: &'a Spare) -> Result<Past<'a>> {
        // One that was idle for long may be lost: then it is as if there were none.
        if let Some(mut connection) = Lease::try_of(pool)
            && connection.execute(BEGIN).await.is_ok()
        {
            return Ok(Past::OfPool(connection));
        }
        let failed = || Error::database(Operation::AcquireConnection("look up committed rows"));
        let options = pool.connect_options();
        let mut place = spare.0.lock().await;
        if let Some(mut kept) = place.take()
            && Arc::ptr_eq(&kept.options, &options)
            && kept.connection.execute(BEGIN).await.is_ok()
        {
            return Ok(Past::Spare(Box::new(kept), place));
        }
        let mut connection = options.connect().await.map_err(failed())?;
        connection.execute(BEGIN).await.map_err(failed())?;
        Ok(Past::Spare(
            Box::new(Kept {
                options,
                connection,
            }),
            place,
        ))
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        match self {
            Past::OfPool(connection) => connection,
            Past::Spare(kept, _) => &mut kept.connection,
        }
    }

    /// Gives the connection back. One that fails to end its transaction is closed.
    pub(super) async fn end(self) {
        match self {
            Past::OfPool(mut connection) => {
                if connection.execute("ROLLBACK").await.is_ok() {
                    connection.give_back();
                }
            }
            Past::Spare(mut kept, mut place) => {
                if kept.connection.execute("ROLLBACK").await.is_ok() {
                    *place = Some(*kept);
                }
            }
        }
    }
}

impl fmt::Debug for Spare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spare")
    }
}
