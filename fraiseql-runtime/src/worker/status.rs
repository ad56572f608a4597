//! `PendingChanges`: numbers of changes.

use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::mutex::lock;
use crate::sql::queue::QueueSql;

/// How much is left to the workers: [`ReadModel::changes`](crate::ReadModel::changes).
///
/// ```text
/// 1200 pending, the oldest for 2.1s; 3 failing, 1 dead; 5120 drained a second
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PendingChanges {
    /// Changes that are not drained, and documents that were left for later. Dead letters do not count.
    pub pending: u64,
    /// How long ago the oldest of them was written.
    pub oldest: Option<Duration>,
    /// Those of them that have failed and wait for another attempt.
    pub failing: u64,
    /// Dead letters: [`ReadModel::dead_letters`](crate::ReadModel::dead_letters).
    pub dead: u64,
    /// How many rows of the table of changes were deleted a second, by all workers and mutations, between this
    /// call and the one before it in this process. By the statistics of PostgreSQL, which are up to a second old.
    pub rate: Option<f64>,
}

impl fmt::Display for PendingChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pending", self.pending)?;
        if let Some(oldest) = self.oldest {
            write!(f, ", the oldest for {oldest:.1?}")?;
        }
        write!(f, "; {} failing, {} dead", self.failing, self.dead)?;
        if let Some(rate) = self.rate {
            write!(f, "; {rate:.0} drained a second")?;
        }
        Ok(())
    }
}

/// The number of deleted rows at the time of a call.
pub(crate) type Deleted = Mutex<Option<(Instant, i64)>>;

/// Reads the numbers.
pub(crate) async fn read(
    queue: &QueueSql,
    deleted: &Deleted,
    connection: &mut PgConnection,
) -> Result<PendingChanges> {
    let count = |count: i64| u64::try_from(count).unwrap_or(0);
    let (mut changes, now) = Statement::composed(queue.numbers.clone(), Operation::Changes)
        .bind(queue.model)
        .fetch_one(connection, |row| {
            let oldest: Option<f64> = row.try_get("oldest")?;
            let changes = PendingChanges {
                pending: count(row.try_get("pending")?),
                failing: count(row.try_get("failing")?),
                dead: count(row.try_get("dead")?),
                oldest: oldest.map(|age| Duration::try_from_secs_f64(age).unwrap_or_default()),
                rate: None,
            };
            Ok((
                changes,
                row.try_get::<Option<i64>, _>("deleted")?.unwrap_or(0),
            ))
        })
        .await?;
    let at = Instant::now();
    if let Some((before, then)) = lock(deleted).replace((at, now)) {
        let seconds = at.duration_since(before).as_secs_f64().max(0.001);
        // Statistics may be reset.
        let rows = i32::try_from((now - then).max(0)).unwrap_or(i32::MAX);
        changes.rate = Some(f64::from(rows) / seconds);
    }
    Ok(changes)
}
