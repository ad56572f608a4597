//! The second phase of a migration: indexes that are created without blocking writers.
//!
//! PostgreSQL does that outside of transactions only, and waits for those of others. So nobody
//! may wait for who does it: the lock is taken or not, and it is not the lock of the first
//! phase, for which others wait in a transaction.

use sqlx::postgres::{PgAdvisoryLock, PgAdvisoryLockKey};
use sqlx::{AssertSqlSafe, Either, Executor, PgConnection};

use crate::error::{Error, Operation, Result};
use crate::ops::migrate::LeftOver;
use crate::ops::migrate::plan::Later;
use crate::sql::ddl::catalog;
use crate::sql::ddl::remedy::beside;

/// What the one instance takes that creates indexes: "fraiseqi".
const INDEX_LOCK: i64 = i64::from_be_bytes(*b"fraiseqi");

/// Creates indexes, and says which; or leaves them to who creates some now.
pub(super) async fn create(
    connection: &mut PgConnection,
    later: Vec<Later>,
    created: &mut Vec<String>,
    left_over: &mut Vec<LeftOver>,
) -> Result<()> {
    if later.is_empty() {
        return Ok(());
    }
    let failed = || Error::database(Operation::Migrate);
    // Where this future is dropped, the lock is given back when the connection is next used,
    // or returned to its pool.
    let lock = PgAdvisoryLock::with_key(PgAdvisoryLockKey::BigInt(INDEX_LOCK));
    let mut lock = match lock.try_acquire(connection).await.map_err(failed())? {
        Either::Left(guard) => guard,
        Either::Right(_) => {
            left_over.extend(later.into_iter().map(|later| {
                LeftOver::new(
                    what(&later),
                    "another session is creating indexes; migrate again when it is done",
                    later.index.concurrently.clone(),
                )
            }));
            return Ok(());
        }
    };
    let mut result = Ok(());
    for later in later {
        match one(lock.as_mut(), &later, left_over).await {
            Ok(true) => created.push(what(&later)),
            Ok(false) => {}
            Err(error) => {
                result = Err(error);
                break;
            }
        }
    }
    // After a failure, too: whoever tries again at once is not to find it taken.
    let released = lock.release_now().await.map_err(failed());
    result?;
    released.map(drop)
}

fn what(later: &Later) -> String {
    format!("index {}", beside(later.table, &later.index.name))
}

/// Creates an index; false where that was done meanwhile, or is being done by a person.
async fn one(
    connection: &mut PgConnection,
    later: &Later,
    left_over: &mut Vec<LeftOver>,
) -> Result<bool> {
    let found: Option<(bool, bool)> = sqlx::query_as(catalog::INDEX)
        .bind(beside(later.table, &later.index.name))
        .fetch_optional(&mut *connection)
        .await
        .map_err(Error::database(Operation::Inspect(what(later))))?;
    let mut steps = vec![&later.index.concurrently, &later.index.comment];
    match found {
        None => {}
        Some((true, _)) => return Ok(false),
        Some((false, true)) => {
            left_over.push(LeftOver::new(
                what(later),
                "it is being created by another session; migrate again when that is done",
                later.index.comment.clone(),
            ));
            return Ok(false);
        }
        Some((false, false)) => steps.insert(0, &later.index.drop_concurrently),
    }
    for sql in steps {
        connection
            .execute(AssertSqlSafe(sql.clone()))
            .await
            .map_err(Error::database(Operation::Create(what(later))))?;
    }
    Ok(true)
}
