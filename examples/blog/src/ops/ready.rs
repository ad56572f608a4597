//! Whether requests can be answered.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use fraiseql_runtime::RebuildState;
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
    /// A view table has documents of another shape. They are built anew to be read, which is slow.
    Stale(String),
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
    let failed = |error: anyhow::Error| {
        tracing::warn!(%error, "not ready");
        NotReady::Database
    };
    let done: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
        .fetch_all(&app.pool)
        .await
        .map_err(|error| failed(error.into()))?;
    let done: HashSet<i64> = done.into_iter().collect();
    let missing = MIGRATIONS
        .iter()
        .filter(|migration| !done.contains(&migration.version))
        .count();
    if missing > 0 {
        return Err(NotReady::Migrations(missing));
    }
    let status = app.blog.rebuild_status(&app.pool).await;
    let stale: Vec<String> = status
        .map_err(|error| failed(error.into()))?
        .iter()
        .filter(|view| view.state != RebuildState::Done)
        .map(ToString::to_string)
        .collect();
    if !stale.is_empty() {
        return Err(NotReady::Stale(stale.join("; ")));
    }
    Ok(())
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShuttingDown => f.write_str("it is shutting down"),
            Self::Slow => write!(f, "the database does not answer within {PATIENCE:?}"),
            Self::Database => f.write_str("the database cannot be asked"),
            Self::Migrations(missing) => write!(f, "{missing} migrations were not run"),
            Self::Stale(views) => f.write_str(views),
        }
    }
}
