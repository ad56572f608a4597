//! How far the rebuild of a view has come.

use std::fmt;
use std::time::{Duration, SystemTime};

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};

use crate::db::telemetry::statement as trace_statement;
use crate::error::Result;
use crate::schema::Table;
use crate::sql::rebuild::status as column;
use crate::view::Handle;

/// How a view stands; see [`ReadModel::rebuild_status`](crate::ReadModel::rebuild_status).
///
/// The same can be seen by SQL: `SELECT * FROM fraiseql_view WHERE state = 'running'`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RebuildStatus {
    /// The view table.
    pub view: Table,
    /// The number of the struct's shape, as the column `shape` of its documents has it.
    pub shape: i64,
    /// Whether it was rebuilt.
    pub state: RebuildState,
    /// The key of the last document that is done, as text; none at the beginning.
    pub position: Option<String>,
    /// How many documents are done.
    pub done: u64,
    /// How many there are, about.
    pub expected: u64,
    /// When the rebuild began.
    pub started_at: Option<SystemTime>,
    /// When its last chunk was done.
    pub updated_at: Option<SystemTime>,
    /// When it was over.
    pub finished_at: Option<SystemTime>,
}

/// Whether a view was rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RebuildState {
    /// It was, or there was nothing to rebuild. An older release may have written documents
    /// since.
    Done,
    /// It was not, or was rebuilt to another shape since.
    Needed,
    /// A session is rebuilding it.
    Running,
    /// A rebuild was stopped or has crashed; the next one goes on from there.
    Interrupted,
}

impl fmt::Display for RebuildState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Done => "done",
            Self::Needed => "needs a rebuild",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
        })
    }
}

impl fmt::Display for RebuildStatus {
    /// `"public"."tv_post": running, 1500 of 10000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.view, self.state)?;
        match self.state {
            RebuildState::Running | RebuildState::Interrupted => {
                write!(f, ", {} of {}", self.done, self.expected.max(self.done))
            }
            RebuildState::Done | RebuildState::Needed => Ok(()),
        }
    }
}

/// How each view stands.
pub(crate) async fn all(views: &[Handle], pool: &PgPool) -> Result<Vec<RebuildStatus>> {
    let mut connection = super::run::acquire(pool).await?;
    let mut all = Vec::with_capacity(views.len());
    for view in views {
        all.push(read(&mut connection, *view).await?.0);
    }
    Ok(all)
}

/// How a view stands, and whether it was noted that it is done.
pub(super) async fn read(
    connection: &mut PgConnection,
    view: Handle,
) -> Result<(RebuildStatus, bool)> {
    let sql: &'static str = &view.statements().rebuild.status;
    trace_statement(sql);
    sqlx::query(sql)
        .fetch_one(connection)
        .await
        .and_then(|row| status(view, &row))
        .map_err(super::run::failed(view))
}

fn status(view: Handle, row: &PgRow) -> sqlx::Result<(RebuildStatus, bool)> {
    let state: Option<&str> = row.try_get(column::STATE)?;
    let locked: bool = row.try_get(column::LOCKED)?;
    let has_documents: bool = row.try_get(column::HAS_DOCUMENTS)?;
    let count = |column| -> sqlx::Result<u64> {
        let count: Option<i64> = row.try_get(column)?;
        Ok(count
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or(0))
    };
    let time = |column| -> sqlx::Result<Option<SystemTime>> {
        let micros: Option<i64> = row.try_get(column)?;
        Ok(micros
            .and_then(|micros| u64::try_from(micros).ok())
            .map(|micros| SystemTime::UNIX_EPOCH + Duration::from_micros(micros)))
    };
    let status = RebuildStatus {
        view: view.view.table,
        shape: view.statements().shape,
        state: match state {
            Some("done") => RebuildState::Done,
            Some("running") if locked => RebuildState::Running,
            Some("running") => RebuildState::Interrupted,
            _ if has_documents => RebuildState::Needed,
            _ => RebuildState::Done,
        },
        position: row.try_get(column::POSITION)?,
        done: count(column::DONE)?,
        expected: count(column::EXPECTED)?,
        started_at: time(column::STARTED_AT)?,
        updated_at: time(column::UPDATED_AT)?,
        finished_at: time(column::FINISHED_AT)?,
    };
    Ok((status, state == Some("done")))
}
