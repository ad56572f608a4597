//! The readiness check.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use tokio::time::timeout;

use crate::app::{App, MIGRATIONS};

/// Time limit of the check.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Why the server is not ready.
#[derive(Debug)]
pub enum NotReady {
    /// The process is shutting down.
    ShuttingDown,
    /// The database does not respond in time.
    Timeout,
    /// The query failed. The error is logged, and not shown to clients.
    Database,
    /// The number of migrations of the base tables that were not run.
    PendingMigrations(usize),
}

/// Checks that the process is not shutting down, that the database responds, and that all
/// migrations have run.
///
/// # Errors
/// The first check that failed.
pub async fn check(app: &App) -> Result<(), NotReady> {
    if app.ops.is_shutting_down() {
        return Err(NotReady::ShuttingDown);
    }
    timeout(TIMEOUT, database(app))
        .await
        .unwrap_or(Err(NotReady::Timeout))
}

async fn database(app: &App) -> Result<(), NotReady> {
    let applied: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(&app.pool)
            .await
            .map_err(|error| {
                tracing::warn!(%error, "not ready");
                NotReady::Database
            })?;
    let applied: HashSet<i64> = applied.into_iter().collect();
    let pending = MIGRATIONS
        .iter()
        .filter(|migration| !applied.contains(&migration.version))
        .count();
    if pending > 0 {
        return Err(NotReady::PendingMigrations(pending));
    }
    // Stale documents are not checked: while two releases run side by side, one of them always has
    // stale documents, and reads build those from the base tables.
    Ok(())
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShuttingDown => f.write_str("the server is shutting down"),
            Self::Timeout => write!(f, "the database does not respond within {TIMEOUT:?}"),
            Self::Database => f.write_str("the database query failed"),
            Self::PendingMigrations(pending) => write!(f, "{pending} migrations were not run"),
        }
    }
}
