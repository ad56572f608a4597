//! Whether requests can be answered.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use tokio::time::timeout;

use crate::app::{App, MIGRATIONS};

/// Who asks does not wait longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why they cannot.
#[derive(Debug)]
pub enum NotReady {
    /// The process is about to end.
    ShuttingDown,
    /// The database does not answer in time.
    Slow,
    /// The database answers with an error, which is for the log, not for who asks.
    Database,
    /// So many migrations of the base tables were not run.
    Migrations(usize),
}

/// Whether the process goes on, and the database answers and fits.
///
/// # Errors
/// The first reason why requests cannot be answered.
pub async fn check(app: &App) -> Result<(), NotReady> {
    if app.ops.is_shutting_down() {
        return Err(NotReady::ShuttingDown);
    }
    timeout(PATIENCE, database(app))
        .await
        .unwrap_or(Err(NotReady::Slow))
}

async fn database(app: &App) -> Result<(), NotReady> {
    let done: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
        .fetch_all(&app.pool)
        .await
        .map_err(|error| {
            tracing::warn!(%error, "not ready");
            NotReady::Database
        })?;
    let done: HashSet<i64> = done.into_iter().collect();
    let missing = MIGRATIONS
        .iter()
        .filter(|migration| !done.contains(&migration.version))
        .count();
    if missing > 0 {
        return Err(NotReady::Migrations(missing));
    }
    // Documents of another shape are no reason: while two releases run side by side, one of them
    // has them, and reads them all the same.
    Ok(())
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShuttingDown => f.write_str("it is shutting down"),
            Self::Slow => write!(f, "the database does not answer within {PATIENCE:?}"),
            Self::Database => f.write_str("the database cannot be asked"),
            Self::Migrations(missing) => write!(f, "{missing} migrations were not run"),
        }
    }
}
