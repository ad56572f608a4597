//! A pooled connection with an open transaction.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use sqlx::postgres::PgTransactionManager;
use sqlx::{AssertSqlSafe, Connection, Either, PgConnection, PgPool};
use sqlx_core::rt;
use sqlx_core::transaction::TransactionManager;

use crate::db::lease::Lease;
use crate::db::wal_position::{POSITION, WalPosition};
use crate::error::{Error, Operation, Result};

/// A pooled connection with an open transaction, which is rolled back if it is dropped.
///
/// sqlx's `Transaction` would borrow the connection; this owns it. It has none after the commit.
pub(super) struct OpenTransaction(Option<Lease>);

const UNTIL_COMMITTED: &str = "the transaction was committed";

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
            Ok(()) => Ok(Self(Some(lease))),
            Err(error) => {
                lease.release();
                Err(Error::database(Operation::BeginMutation)(error))
            }
        }
    }

    /// Commits, and returns the position after the commit, unless `positions` is false. It becomes false if
    /// the server refuses to say: an error in its log for each commit would be too much.
    pub(super) async fn commit(&mut self, positions: &AtomicBool) -> Result<Option<WalPosition>> {
        let is_outermost = PgTransactionManager::get_transaction_depth(self) == 1;
        if !is_outermost || !positions.load(Ordering::Relaxed) {
            PgTransactionManager::commit(self)
                .await
                .map_err(Error::database(Operation::CommitMutation))?;
            return Ok(None);
        }
        match self.commit_and_read().await? {
            Committed::With(position) => {
                if let Some(lease) = self.0.take() {
                    rt::spawn(end_empty(lease));
                }
                Ok(position)
            }
            Committed::Without { is_refused } => {
                positions.fetch_and(!is_refused, Ordering::Relaxed);
                Ok(None)
            }
        }
    }

    /// Commits and reads the position by one message, in an empty transaction. sqlx has counted one, and only its
    /// own COMMIT, which is a message of its own, makes it count none: nobody has to wait for that.
    async fn commit_and_read(&mut self) -> Result<Committed> {
        let message = format!("COMMIT AND CHAIN;\n{POSITION}");
        let mut results = sqlx::raw_sql(AssertSqlSafe(message)).fetch_many(&mut **self);
        let mut is_committed = false;
        let mut position = None;
        while let Some(result) = results.next().await {
            match result {
                // The first statement has ended, and so has the transaction.
                Ok(Either::Left(_)) => is_committed = true,
                Ok(Either::Right(row)) => position = WalPosition::read(&row).ok(),
                // What was committed stays so, whether its position is known or not.
                Err(error) if is_committed => {
                    let error = error.as_database_error();
                    let is_refused = error
                        .and_then(|error| error.code())
                        .is_some_and(|code| REFUSED.contains(&&*code));
                    return Ok(Committed::Without { is_refused });
                }
                Err(error) => return Err(Error::database(Operation::CommitMutation)(error)),
            }
        }
        Ok(Committed::With(position))
    }

    pub(super) async fn rollback(&mut self) -> Result<()> {
        PgTransactionManager::rollback(self)
            .await
            .map_err(Error::database(Operation::RollBackMutation))
    }
}

/// The errors of a server that will never say its position: no privilege, no such function, no such feature. Others
/// are of the moment, as a shutdown.
const REFUSED: [&str; 3] = ["42501", "42883", "0A000"];

/// What is known after a commit.
enum Committed {
    /// The position, and an empty transaction has begun.
    With(Option<WalPosition>),
    /// The position was refused, or the connection was lost.
    Without { is_refused: bool },
}

/// Ends the empty transaction, and returns the connection to the pool. A rollback would do, too, without a
/// task; but the server would count one for each mutation, and a rate of rollbacks is an alarm.
async fn end_empty(mut lease: Lease) {
    if PgTransactionManager::commit(&mut lease).await.is_ok() {
        lease.release();
    }
}

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        if let Some(lease) = &mut self.0 {
            // Queues a ROLLBACK, which is sent before the next statement on the connection. Does
            // nothing if the transaction has ended.
            PgTransactionManager::start_rollback(lease);
            lease.release();
        }
    }
}

impl Deref for OpenTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect(UNTIL_COMMITTED)
    }
}

impl DerefMut for OpenTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect(UNTIL_COMMITTED)
    }
}
