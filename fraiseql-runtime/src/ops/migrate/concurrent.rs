//! The second phase of a migration: creates indexes of large tables without blocking writers.
//!
//! CREATE INDEX CONCURRENTLY cannot run in a transaction, and it waits for the transactions of
//! other sessions. So no session may wait, inside a transaction, for the session that runs it:
//! that would be a deadlock. The lock of this phase is therefore only tried, and it is not the
//! lock of the first phase, for which other instances wait in a transaction.
//!
//! On a pool, another connection holds the lock in a transaction that is idle. A lone connection has to
//! hold a lock of its session, which a pooler in transaction mode does not keep.

use sqlx::postgres::{PgAdvisoryLock, PgAdvisoryLockKey};
use sqlx::{AssertSqlSafe, Either, Executor, PgConnection, PgPool, Row as _};

use crate::db::held_lock::{HeldLock, LockErrors};
use crate::db::lease::Lease;
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::ops::migrate::migration::{Drift, Migration};
use crate::ops::migrate::plan::DeferredIndex;
use crate::sql::ddl::catalog;
use crate::sql::ddl::remedy::in_schema_of;

/// The key of the advisory lock under which one instance at a time creates indexes: "fraiseqi".
const INDEX_LOCK: i64 = i64::from_be_bytes(*b"fraiseqi");

/// Tries to take [`INDEX_LOCK`] for a transaction.
const TRY_LOCK: &str = "SELECT pg_catalog.pg_try_advisory_xact_lock(7382069844749152617)";

/// Ends the sessions that have [`INDEX_LOCK`].
const END_HOLDERS: &str = "\
SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_locks \
WHERE locktype = 'advisory' AND granted AND classid = 1718772073 AND objid = 1936028009";

/// Creates the deferred indexes and adds them to what was created. If another session is creating
/// indexes, adds them to the drift instead.
///
/// The caller must hold no connection of the pool: see [`HeldLock::try_take`].
pub(super) async fn on_pool(
    pool: &PgPool,
    deferred: Vec<DeferredIndex>,
    migration: &mut Migration,
) -> Result<()> {
    if deferred.is_empty() {
        return Ok(());
    }
    let errors = LockErrors {
        purpose: "migrate",
        operation: Operation::Migrate,
        table: None,
    };
    let lock = match HeldLock::fits(pool) {
        false => None,
        true => match HeldLock::try_take(pool, TRY_LOCK, &errors).await? {
            None => {
                leave(deferred, migration);
                return Ok(());
            }
            lock => lock,
        },
    };
    let mut connection = Lease::acquire(pool, errors.purpose).await?;
    let result = match &lock {
        Some(_) => create_all(&mut connection, deferred, migration).await,
        None => on_connection(&mut connection, deferred, migration).await,
    };
    connection.release();
    // After a failure, too, so that an immediate retry gets the lock.
    if let Some(lock) = lock {
        lock.release().await;
    }
    result
}

/// [`on_pool`] without another connection.
pub(super) async fn on_connection(
    connection: &mut PgConnection,
    deferred: Vec<DeferredIndex>,
    migration: &mut Migration,
) -> Result<()> {
    if deferred.is_empty() {
        return Ok(());
    }
    let failed = || Error::database(Operation::Migrate);
    // If this future is dropped, sqlx releases the lock when the connection is next used or
    // returned to its pool.
    let lock = PgAdvisoryLock::with_key(PgAdvisoryLockKey::BigInt(INDEX_LOCK));
    let mut guard = match lock.try_acquire(connection).await.map_err(failed())? {
        Either::Left(guard) => guard,
        Either::Right(_) => {
            leave(deferred, migration);
            return Ok(());
        }
    };
    let result = create_all(guard.as_mut(), deferred, migration).await;
    let released = lock.force_release(guard.leak()).await.map_err(failed());
    result?;
    let (_, was_held) = released?;
    if !was_held {
        migration.drift.push(Drift::new(
            "the lock under which indexes are created".to_owned(),
            "a pooler has given this connection another session since it took the lock, and that \
             one holds it until it ends; migrate on a pool of at least two connections",
            END_HOLDERS.to_owned(),
        ));
    }
    Ok(())
}

/// Leaves the indexes to the session that is creating others.
fn leave(deferred: Vec<DeferredIndex>, migration: &mut Migration) {
    let left = deferred.into_iter().map(|deferred| {
        Drift::new(
            deferred.what(),
            "another session is creating indexes; migrate again when it is done",
            deferred.index.concurrently.clone(),
        )
    });
    migration.drift.extend(left);
}

/// Creates the indexes, under the lock.
async fn create_all(
    connection: &mut PgConnection,
    deferred: Vec<DeferredIndex>,
    migration: &mut Migration,
) -> Result<()> {
    for deferred in deferred {
        if create_index(connection, &deferred, &mut migration.drift).await? {
            migration.created.push(deferred.what());
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statements_name_the_lock() {
        assert_eq!(
            TRY_LOCK,
            format!("SELECT pg_catalog.pg_try_advisory_xact_lock({INDEX_LOCK})")
        );
        let (high, low) = (INDEX_LOCK >> 32, INDEX_LOCK & 0xffff_ffff);
        assert!(END_HOLDERS.ends_with(&format!("AND classid = {high} AND objid = {low}")));
    }
}
