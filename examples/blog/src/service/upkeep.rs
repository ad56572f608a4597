//! Documents that were missed.
//!
//! What a mutation changes is committed with its documents. What is synced after its commit can be
//! missed: the process is killed while likes wait in the queue, a client goes away before its
//! row's document is made, somebody writes rows with psql. So when the server starts, and every
//! hour, all documents are compared with their rows, beside everything else, and those that differ
//! are synced. One that is synced by somebody else at that moment is no problem: no sync replaces
//! a document by an older one.

use std::time::Duration;

use fraiseql_runtime::ReadModel;
use sqlx::PgPool;
use tokio::time::{MissedTickBehavior, interval};

/// From one comparison to the next.
const EVERY: Duration = Duration::from_secs(3600);

/// Compares and repairs, now and every hour, until it is dropped: at any moment, since each chunk
/// is a transaction of its own.
pub async fn keep_repaired(blog: ReadModel, pool: PgPool) {
    let mut hour = interval(EVERY);
    hour.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        hour.tick().await;
        repair(&blog, &pool).await;
    }
}

/// Compares every document with its rows, and syncs those that differ. It is no secret: where this
/// finds more than a crash explains, a command forgets to say what it changes.
async fn repair(blog: &ReadModel, pool: &PgPool) {
    match blog.verify(pool).repair().await {
        Ok(reports) if reports.is_clean() => tracing::info!("every document is what its rows say"),
        Ok(reports) => tracing::warn!("documents were repaired\n{reports}"),
        Err(error) => tracing::warn!(%error, "documents could not be compared with their rows"),
    }
}
