//! What is left to the workers, for `/metrics` and `/ready`.

use std::time::Duration;

use fraiseql_runtime::worker::PendingChanges;
use tokio::time::timeout;

use crate::app::App;

/// Time limit of the query, which counts the rows of the table of changes.
const TIMEOUT: Duration = Duration::from_millis(500);
/// A worker is alive if it has looked for changes within this time.
pub const WORKER_TIME: Duration = Duration::from_secs(10);

/// Reads how much is left. `None` if that takes too long or fails, which is logged.
pub async fn read(app: &App) -> Option<PendingChanges> {
    match timeout(TIMEOUT, app.blog.changes(&app.pool)).await {
        Ok(Ok(changes)) => Some(changes),
        Ok(Err(error)) => {
            tracing::warn!(%error, "changes cannot be counted");
            None
        }
        Err(_) => None,
    }
}
