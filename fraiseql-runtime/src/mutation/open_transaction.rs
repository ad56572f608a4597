//! A pooled connection with an open transaction.

use std::ops::{Deref, DerefMut};

use sqlx::postgres::PgTransactionManager;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use sqlx_core::transaction::TransactionManager;

use crate::db::lease::Lease;
use crate::error::{Error, Operation, Result};

/// A pooled connection with an open transaction, which is rolled back if it is dropped.
///
/// sqlx's `Transaction` would borrow the connection; this owns it.
pub(super) struct OpenTransaction(Lease);

impl OpenTransaction {
    /// Begins a transaction by `begin`, whose first statement is `BEGIN`.
    ///
    /// If this future is dropped, the `Lease` closes the connection: BEGIN may have been sent, and
    /// sqlx counts a transaction only after the response.
    pub(super) async fn begin(pool: &PgPool, begin: String) -> Result<Self> {
        let mut lease = Lease::acquire(pool, "begin a mutation").await?;
        // sqlx has counted the transaction. Its guard is forgotten, because it would roll back when
        // dropped; `Drop` of this type does that later.
        let begun = lease
            .begin_with(AssertSqlSafe(begin))
            .await
            .map(std::mem::forget);
        match begun {
            Ok(()) => Ok(Self(lease)),
            Err(error) => {
                lease.release();
                Err(Error::database(Operation::BeginMutation)(error))
            }
        }
    }

    pub(super) async fn commit(&mut self) -> Result<()> {
        PgTransactionManager::commit(&mut self.0)
            .await
            .map_err(Error::database(Operation::CommitMutation))
    }

    pub(super) async fn rollback(&mut self) -> Result<()> {
        PgTransactionManager::rollback(&mut self.0)
            .await
            .map_err(Error::database(Operation::RollBackMutation))
    }
}

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        // Queues a ROLLBACK, which is sent before the next statement on the connection. Does
        // nothing if the transaction has ended.
        PgTransactionManager::start_rollback(&mut self.0);
        self.0.release();
    }
}

impl Deref for OpenTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for OpenTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}
