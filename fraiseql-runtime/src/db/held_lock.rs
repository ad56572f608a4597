//! An advisory lock that outlives many transactions of other connections.
//!
//! It is a lock of a transaction, which is idle on a connection of its own, not a lock of a session:
//! behind a pooler, a session's next statement runs on another connection of the server, and a lock
//! of the first one would be held by whoever gets that connection, and released by nobody. A
//! transaction keeps its connection of the server, and ends with it.
//!
//! In READ COMMITTED a transaction that is idle has no snapshot. So it does not keep dead rows from
//! being removed, nor does CREATE INDEX CONCURRENTLY wait for it.

use sqlx::{Executor as _, PgPool, Row as _};

use crate::db::lease::Lease;
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::schema::TableName;

/// Begins, without the time limits for idle and for long transactions. PostgreSQL 14 has not all of
/// them.
const BEGIN: &str = "\
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
SELECT pg_catalog.set_config(name, '0', true)
FROM pg_catalog.pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')";

/// How long [`HeldLock::retake`] waits: the server may need a moment to end a connection that is lost.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '10s'";

/// An advisory lock, and the connection that holds it.
///
/// If it is dropped before [`release`](Self::release), the connection is closed, with which the lock is
/// released some time later.
pub(crate) struct HeldLock(Lease);

/// What a lock is for, in errors.
#[derive(Clone, Debug)]
pub(crate) struct LockErrors {
    /// As in [`Lease::acquire`].
    pub(crate) purpose: &'static str,
    pub(crate) operation: Operation,
    pub(crate) table: Option<TableName>,
}

impl HeldLock {
    /// Whether a pool has a connection for the lock, and another one for the work.
    pub(crate) fn fits(pool: &PgPool) -> bool {
        pool.options().get_max_connections() > 1
    }

    /// Takes a lock, if no other session has it. `sql` tries to take a lock of a transaction, and returns
    /// whether that succeeded.
    ///
    /// Call it before the connection for the work is acquired: whoever waits here must hold none.
    pub(crate) async fn try_take(
        pool: &PgPool,
        sql: &'static str,
        errors: &LockErrors,
    ) -> Result<Option<Self>> {
        let mut held = Self::begin(pool, errors).await?;
        let mut statement = Statement::new(sql, errors.operation.clone());
        if let Some(table) = &errors.table {
            statement = statement.on(table.clone());
        }
        let taken: bool = statement
            .fetch_one(&mut held.0, |row| row.try_get(0))
            .await?;
        if taken {
            return Ok(Some(held));
        }
        held.release().await;
        Ok(None)
    }

    /// Takes a lock whose last holder was lost a moment ago. `sql` waits for it. Returns `None` if
    /// another session has it.
    pub(crate) async fn retake(
        pool: &PgPool,
        sql: &'static str,
        errors: &LockErrors,
    ) -> Result<Option<Self>> {
        let mut held = Self::begin(pool, errors).await?;
        held.0
            .execute(LOCK_TIMEOUT)
            .await
            .map_err(errors.failed())?;
        match held.0.execute(sql).await.map_err(errors.failed()) {
            Ok(_) => Ok(Some(held)),
            Err(error) if error.is_lock_timeout() => {
                held.release().await;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn begin(pool: &PgPool, errors: &LockErrors) -> Result<Self> {
        let mut lease = Lease::acquire(pool, errors.purpose).await?;
        lease.execute(BEGIN).await.map_err(errors.failed())?;
        Ok(Self(lease))
    }

    /// Releases the lock and returns the connection. If the connection was lost, so was the lock.
    pub(crate) async fn release(mut self) {
        if self.0.execute("ROLLBACK").await.is_ok() {
            self.0.release();
        }
    }
}

impl LockErrors {
    fn failed(&self) -> impl FnOnce(sqlx::Error) -> Error {
        let (operation, table) = (self.operation.clone(), self.table.clone());
        move |source| Error::Database {
            operation,
            table: table.map(Box::new),
            source,
        }
    }
}
