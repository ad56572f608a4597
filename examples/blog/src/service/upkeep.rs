//! Periodic repair of documents whose sync was missed.
//!
//! A mutation commits its documents together with its rows, and what is left to the worker is committed with
//! them, too. But a sync after the commit can be missed, if the request is cancelled between the insert and
//! the sync; and without capture nobody says which rows were changed in psql. So at start and every hour
//! all documents are verified, and those that differ are synced. This runs beside all other work: no
//! sync replaces a document by an older one.

use std::time::Duration;

use fraiseql_runtime::ReadModel;
use sqlx::PgPool;
use tokio::time::{MissedTickBehavior, interval};

/// Time from one verification to the next.
const REPAIR_INTERVAL: Duration = Duration::from_secs(3600);

/// Verifies and repairs all documents, now and every hour. The future may be dropped at any time,
/// since each chunk is a transaction of its own.
pub async fn keep_repaired(blog: ReadModel, pool: PgPool) {
    let mut interval = interval(REPAIR_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        repair(&blog, &pool).await;
    }
}

/// Verifies every document, and syncs those that differ. Repairs are logged as warnings: more than
/// a crash explains means that a command forgets a mark.
async fn repair(blog: &ReadModel, pool: &PgPool) {
    match blog.verify(pool).repair().await {
        Ok(reports) if reports.is_clean() => tracing::info!("all documents are up to date"),
        Ok(reports) => tracing::warn!("documents were repaired\n{reports}"),
        Err(error) => tracing::warn!(%error, "documents could not be verified"),
    }
}
