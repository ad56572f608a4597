//! The second phase of a migration: creates indexes of large tables without blocking writers.
//!
//! CREATE INDEX CONCURRENTLY cannot run in a transaction, and it waits for the transactions of
//! other sessions. So no session may wait, inside a transaction, for the session that runs it:
//! that would be a deadlock. The lock of this phase is therefore only tried, and it is not the
//! lock of the first phase, for which other instances wait in a transaction.

use sqlx::postgres::{PgAdvisoryLock, PgAdvisoryLockKey};
use sqlx::{AssertSqlSafe, Either, Executor, PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::ops::migrate::migration::Drift;
use crate::ops::migrate::plan::DeferredIndex;
use crate::sql::ddl::catalog;
use crate::sql::ddl::remedy::in_schema_of;

/// The key of the advisory lock under which one instance at a time creates indexes: "fraiseqi".
const INDEX_LOCK: i64 = i64::from_be_bytes(*b"fraiseqi");

/// Creates the deferred indexes and adds them to `created`. If another session is creating
/// indexes, adds them to `drift` instead.
pub(super) async fn create(
    connection: &mut PgConnection,
    deferred: Vec<DeferredIndex>,
    created: &mut Vec<String>,
    drift: &mut Vec<Drift>,
) -> Result<()> {
    if deferred.is_empty() {
        return Ok(());
    }
    let failed = || Error::database(Operation::Migrate);
    // If this future is dropped, sqlx releases the lock when the connection is next used or
    // returned to its pool.
    let lock = PgAdvisoryLock::with_key(PgAdvisoryLockKey::BigInt(INDEX_LOCK));
    let mut lock = match lock.try_acquire(connection).await.map_err(failed())? {
        Either::Left(guard) => guard,
        Either::Right(_) => {
            drift.extend(deferred.into_iter().map(|deferred| {
                Drift::new(
                    deferred.what(),
                    "another session is creating indexes; migrate again when it is done",
                    deferred.index.concurrently.clone(),
                )
            }));
            return Ok(());
        }
    };
    let mut result = Ok(());
    for deferred in deferred {
        match create_index(lock.as_mut(), &deferred, drift).await {
            Ok(true) => created.push(deferred.what()),
            Ok(false) => {}
            Err(error) => {
                result = Err(error);
                break;
            }
        }
    }
    // Released after a failure, too, so that an immediate retry gets the lock.
    let released = lock.release_now().await.map_err(failed());
    result?;
    released.map(drop)
}

/// Creates an index. Returns false if another session created it meanwhile, or is creating it
/// without the lock, as an operator does.
async fn create_index(
    connection: &mut PgConnection,
    deferred: &DeferredIndex,
    drift: &mut Vec<Drift>,
) -> Result<bool> {
    let index = deferred.index;
    let found: Option<(bool, bool)> =
        Statement::new(catalog::INDEX, Operation::Inspect(deferred.what()))
            .bind(in_schema_of(deferred.table, &index.name))
            .fetch_optional(&mut *connection, |row| {
                Ok((row.try_get(0)?, row.try_get(1)?))
            })
            .await?;
    let is_invalid = match found {
        None => false,
        Some((true, _)) => return Ok(false),
        Some((false, true)) => {
            drift.push(Drift::new(
                deferred.what(),
                "it is being created by another session; migrate again when that is done",
                index.comment.clone(),
            ));
            return Ok(false);
        }
        // A failed attempt has left an index that is not valid, and that no session builds.
        Some((false, false)) => true,
    };
    let deferred = &DeferredIndex {
        is_invalid,
        ..*deferred
    };
    for sql in deferred.statements() {
        connection
            .execute(AssertSqlSafe(sql))
            .await
            .map_err(Error::database(Operation::Create(deferred.what())))?;
    }
    Ok(true)
}
