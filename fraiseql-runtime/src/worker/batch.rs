//! Looks for pending changes, and drains a batch of them, on one connection.

use std::time::{Duration, Instant};

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::db::scope::{BEGIN_READ_COMMITTED, ScopeErrors, in_own_transaction};
use crate::db::snapshot::Snapshot;
use crate::db::statement::{Statement, execute_all};
use crate::error::{Error, Operation, Result, sqlstate};
use crate::schema::TableName;
use crate::sql::queue::probe_row;
use crate::sync::finished::end_one;
use crate::sync::report::SyncReport;
use crate::worker::builder::Queue;
use crate::worker::position::Position;
use crate::worker::report::WorkerReport;
use crate::worker::telemetry;

/// What a look has found.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// Whether a change is pending, perhaps claimed by another worker.
    pub(super) changes: bool,
    /// Whether documents that were left for later are due.
    pub(super) due: bool,
    /// Whether a whole view is due.
    pub(super) whole: bool,
    /// Whether something waits for its time that has not failed, or is leased.
    pub(super) waiting: bool,
    /// The transaction of the first change, and those before it with changes.
    pub(super) first: Option<u64>,
    /// The end of the snapshot.
    pub(super) end: u64,
    pub(super) lag: Option<Duration>,
}

/// Looks for changes from a position on, and moves it.
pub(super) async fn look(
    queue: &Queue,
    connection: &mut PgConnection,
    position: &mut Position,
) -> Result<Found> {
    let sql = queue.context.queue();
    let look = sql.probe(position.xid, position.id, &position.late);
    let looked = execute_all(connection, vec![(look.into(), Operation::FindChanges)]).await?;
    let row = looked.first().and_then(|rows| rows.first());
    let looked = row.ok_or(sqlx::Error::RowNotFound).and_then(read_look);
    let looked = looked.map_err(Error::database(Operation::FindChanges))?;
    let (mut found, first, late, snapshot) = looked;
    let snapshot = Snapshot::parse(&snapshot).ok_or_else(|| {
        Error::database(Operation::FindChanges)(sqlx::Error::Decode(
            format!("`{snapshot}` is not a snapshot").into(),
        ))
    })?;
    found.changes = first.is_some() || !late.is_empty();
    found.first = late.iter().copied().chain(first.map(|(xid, _)| xid)).min();
    found.end = snapshot.end;
    position.advance(first, late, &snapshot);
    Ok(found)
}

type Look = (Found, Option<(u64, i64)>, Vec<u64>, String);

fn read_look(row: &PgRow) -> sqlx::Result<Look> {
    let number = |text: String| text.parse::<u64>().ok();
    let xid: Option<String> = row.try_get(probe_row::XID)?;
    let id: Option<i64> = row.try_get(probe_row::ID)?;
    let late: Vec<String> = row.try_get(probe_row::LATE)?;
    let age: Option<f64> = row.try_get(probe_row::AGE)?;
    let found = Found {
        due: row.try_get(probe_row::DUE)?,
        whole: row.try_get(probe_row::WHOLE)?,
        waiting: row.try_get(probe_row::WAITING)?,
        lag: age.map(|age| Duration::try_from_secs_f64(age).unwrap_or_default()),
        ..Found::default()
    };
    let first = xid.and_then(number).zip(id);
    let late = late.into_iter().filter_map(number).collect();
    Ok((found, first, late, row.try_get(probe_row::SNAPSHOT)?))
}

/// A part of a batch.
struct Part {
    /// The position of the view; `None` for the row about the whole batch.
    view: Option<usize>,
    keys: Vec<String>,
    report: SyncReport,
    error: Option<String>,
    dead: bool,
    changes: u64,
}

/// Drains one batch of at most `most` changes, in a transaction of its own.
pub(super) async fn drain(
    queue: &Queue,
    connection: &mut PgConnection,
    position: &Position,
    most: i32,
) -> Result<WorkerReport> {
    let start = Instant::now();
    let errors = ScopeErrors::of(Operation::Drain, TableName::from(queue.table()));
    let work = async |connection: &mut PgConnection| {
        let sql = queue.context.queue();
        let parts = Statement::composed(sql.drain.clone(), Operation::Drain)
            .bind(position.xid.to_string())
            .bind(position.id)
            .bind(position.late_texts())
            .bind(most)
            .bind(queue.settings.max_attempts)
            .fetch_each(connection, read_part)
            .await?;
        let mut report = WorkerReport::default();
        for part in parts {
            report += note(queue, connection, part).await;
        }
        Ok(report)
    };
    let work = in_own_transaction(connection, BEGIN_READ_COMMITTED, &errors, work);
    let result = telemetry::in_span(work).await;
    telemetry::batch_ended(&result, start.elapsed());
    result
}

fn read_part(row: &PgRow) -> sqlx::Result<Part> {
    let view: Option<i32> = row.try_get("view")?;
    let seconds: Option<f64> = row.try_get("seconds")?;
    let changes: Option<i64> = row.try_get("changes")?;
    Ok(Part {
        view: view.and_then(|view| usize::try_from(view).ok()),
        keys: row.try_get::<Option<_>, _>("keys")?.unwrap_or_default(),
        report: SyncReport {
            duration: Duration::try_from_secs_f64(seconds.unwrap_or(0.0)).unwrap_or_default(),
            ..SyncReport::read(row)?
        },
        error: row.try_get("error")?,
        dead: row.try_get::<Option<_>, _>("dead")?.unwrap_or(false),
        changes: changes
            .and_then(|changes| u64::try_from(changes).ok())
            .unwrap_or(0),
    })
}

/// Counts a part of a batch, and reports it to the observers and to the log.
async fn note(queue: &Queue, connection: &mut PgConnection, part: Part) -> WorkerReport {
    let mut report = WorkerReport {
        changes: part.changes,
        batches: u64::from(part.changes > 0),
        ..WorkerReport::default()
    };
    let Some(view) = part.view.and_then(|view| queue.views.get(view).copied()) else {
        return report;
    };
    let keys = view
        .no_keys()
        .parse(&part.keys)
        .unwrap_or_else(|| view.no_keys());
    let result = match part.error {
        None => {
            report.inserted = part.report.inserted;
            report.updated = part.report.updated;
            report.unchanged = part.report.unchanged;
            report.deleted = part.report.deleted;
            Ok(part.report)
        }
        // It is no attempt: another transaction holds a lock.
        Some(reason) if sqlstate::is_lock_conflict(&reason) => {
            report.postponed = 1;
            telemetry::postponed(view, &part.keys, &reason);
            return report;
        }
        Some(reason) => {
            report.failed = 1;
            report.dead = if part.dead { part.keys.len() as u64 } else { 0 };
            telemetry::failed(view, &part.keys, &reason, part.dead);
            Err(Error::NotWritten {
                view: view.view.table,
                keys: keys.clone(),
                reason,
                dead: part.dead,
            })
        }
    };
    end_one(connection, &queue.context.observers, (view, &keys), &result).await;
    report
}
