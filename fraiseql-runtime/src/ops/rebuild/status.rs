//! The status of a view's rebuild, from the bookkeeping table.

use std::fmt;
use std::time::{Duration, SystemTime};

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};

use crate::db::lease::Lease;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::schema::Table;
use crate::sql::rebuild::status as column;
use crate::view::Handle;

/// The status of a view's rebuild; see
/// [`ReadModel::rebuild_status`](crate::ReadModel::rebuild_status).
///
/// SQL shows the same: `SELECT * FROM fraiseql_view WHERE state = 'running'`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RebuildStatus {
    /// The view table.
    pub view: Table,
    /// The number of the struct's shape, which the column `shape` of its documents contains.
    pub shape: i64,
    /// Whether the view was rebuilt.
    pub state: RebuildState,
    /// The key of the last document that was rebuilt, as text. `None` before the first chunk.
    pub position: Option<String>,
    /// How many documents were rebuilt.
    pub done: u64,
    /// The approximate number of documents.
    pub expected: u64,
    /// When the rebuild began.
    pub started_at: Option<SystemTime>,
    /// When the last chunk was written.
    pub updated_at: Option<SystemTime>,
    /// When the rebuild was complete.
    pub finished_at: Option<SystemTime>,
}

/// Whether a view was rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RebuildState {
    /// The rebuild is complete, or there were no rows. An older release may have written
    /// stale documents since, or rows without documents.
    Done,
    /// Rows exist that have no document: the view is new over them, or its table was emptied.
    Unfilled,
    /// The view has documents, and was not rebuilt to this shape, or was rebuilt to another one
    /// since.
    Needed,
    /// A session is rebuilding the view.
    Running,
    /// A rebuild was stopped or crashed. The next one continues after its last chunk.
    Interrupted,
}

impl fmt::Display for RebuildState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Done => "done",
            Self::Unfilled => "is not filled",
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
            RebuildState::Done | RebuildState::Unfilled | RebuildState::Needed => Ok(()),
        }
    }
}

/// Reads the status of each view.
pub(crate) async fn all(views: &[Handle], pool: &PgPool) -> Result<Vec<RebuildStatus>> {
    let mut connection = Lease::acquire(pool, "read the state of a rebuild").await?;
    let result = async {
        let mut all = Vec::with_capacity(views.len());
        for view in views {
            all.push(read(&mut connection, *view).await?.status);
        }
        Ok(all)
    }
    .await;
    connection.release();
    result
}

/// The status of a view, and the entry of the bookkeeping table that it was read from.
pub(crate) struct NotedStatus {
    pub(crate) status: RebuildStatus,
    pub(super) entry: Entry,
}

impl NotedStatus {
    /// Whether the entry is about inserting the documents of a view that has none.
    pub(crate) fn is_fill(&self) -> bool {
        self.entry == Entry::Fill
    }
}

/// The entry of a view and a shape in the bookkeeping table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// There is none, or another shape superseded it.
    None,
    /// The view has to be filled, or is being filled.
    Fill,
    /// Stale documents are being replaced.
    Rebuild,
    Done,
}

/// Reads the status of a view.
pub(crate) async fn read(connection: &mut PgConnection, view: Handle) -> Result<NotedStatus> {
    let noted = read_once(connection, view).await?;
    if noted.status.state != RebuildState::Interrupted {
        return Ok(noted);
    }
    // The entry is that of the snapshot, and the lock was looked for later: the rebuild may have ended
    // in between. A second snapshot is newer than the end of that lock.
    read_once(connection, view).await
}

async fn read_once(connection: &mut PgConnection, view: Handle) -> Result<NotedStatus> {
    Statement::new(&view.statements().rebuild.status, Operation::Rebuild)
        .on(view.view.table)
        .fetch_one(connection, |row| status(view, row))
        .await
}

fn status(view: Handle, row: &PgRow) -> sqlx::Result<NotedStatus> {
    let entry = match row.try_get(column::STATE)? {
        Some("done") => Entry::Done,
        Some("unfilled" | "filling") => Entry::Fill,
        Some("running") => Entry::Rebuild,
        _ => Entry::None,
    };
    let has_begun = matches!(row.try_get(column::STATE)?, Some("running" | "filling"));
    let locked: bool = row.try_get(column::LOCKED)?;
    let has_documents: bool = row.try_get(column::HAS_DOCUMENTS)?;
    let unfilled: bool = row.try_get(column::UNFILLED)?;
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
        state: match entry {
            // A rebuild holds the lock of its view: without it, the session is gone.
            _ if has_begun && locked => RebuildState::Running,
            _ if has_begun => RebuildState::Interrupted,
            _ if unfilled => RebuildState::Unfilled,
            Entry::None if has_documents => RebuildState::Needed,
            _ => RebuildState::Done,
        },
        position: row.try_get(column::POSITION)?,
        done: count(column::DONE)?,
        expected: count(column::EXPECTED)?,
        started_at: time(column::STARTED_AT)?,
        updated_at: time(column::UPDATED_AT)?,
        finished_at: time(column::FINISHED_AT)?,
    };
    Ok(NotedStatus { status, entry })
}
