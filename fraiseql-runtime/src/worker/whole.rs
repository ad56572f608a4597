//! Views that are synced as a whole: after a `TRUNCATE`, and after a change with more documents than can be
//! listed.
//!
//! Such a sync may take minutes, and commits chunk by chunk. So its rows are leased for a short time, again
//! and again while it runs; if the worker dies, another one begins after that.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, pending, select};
use sqlx::Row as _;
use sqlx_core::rt;

use crate::db::lease::Lease;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::mutation::left::leave;
use crate::sync::full::settings::FullSyncSettings;
use crate::sync::report::SyncReport;
use crate::sync::request::SyncRequest;
use crate::sync::run::run_observed_in_span;
use crate::view::Handle;
use crate::worker::builder::Queue;
use crate::worker::report::WorkerReport;

/// How long rows are leased.
const LEASE: Duration = Duration::from_secs(30);
/// How often a lease is renewed.
const RENEWAL: Duration = Duration::from_secs(10);

/// The rows of a view, which stand for all of its documents.
struct LeasedRows {
    view: Option<Handle>,
    xids: Vec<String>,
    ids: Vec<i64>,
}

/// Syncs one view that is due, if there is one.
pub(super) async fn sync_next(queue: &Queue) -> Result<WorkerReport> {
    let Some(rows) = lease(queue).await? else {
        return Ok(WorkerReport::default());
    };
    let synced = match rows.view {
        Some(view) => sync(queue, view, &rows).await,
        // The view is not one of this read model any more.
        None => Ok(SyncReport::default()),
    };
    let sql = queue.context.queue();
    let mut connection = Lease::acquire(&queue.pool, "end the full sync of a view").await?;
    let ended = match &synced {
        Ok(_) => {
            of_rows(&sql.finish, queue, &rows)
                .execute(&mut connection)
                .await
        }
        Err(error) => {
            let failed = of_rows(&sql.fail, queue, &rows);
            let failed = failed
                .bind(error.to_string())
                .bind(queue.settings.max_attempts);
            failed.execute(&mut connection).await
        }
    };
    // A document that is invalid is one that the worker could not write.
    if let (Ok(report), Some(view)) = (&synced, rows.view)
        && !report.invalid.is_empty()
    {
        let keys: Vec<String> = report
            .invalid
            .iter()
            .map(|document| document.key.clone())
            .collect();
        if let Some(keys) = view.no_keys().parse(&keys) {
            leave(sql, &mut connection, view, &keys).await?;
        }
    }
    connection.release();
    ended?;
    let synced = synced?;
    Ok(WorkerReport {
        changes: rows.ids.len() as u64,
        batches: 1,
        inserted: synced.inserted,
        updated: synced.updated,
        unchanged: synced.unchanged,
        deleted: synced.deleted,
        full_syncs: 1,
        ..WorkerReport::default()
    })
}

async fn lease(queue: &Queue) -> Result<Option<LeasedRows>> {
    let sql = queue.context.queue();
    let mut connection = Lease::acquire(&queue.pool, "begin the full sync of a view").await?;
    let rows = Statement::composed(sql.lease.clone(), Operation::Changes)
        .bind(sql.model)
        .bind(LEASE.as_secs_f64())
        .fetch_optional(&mut connection, |row| {
            let table: String = row.try_get(0)?;
            let is_view = |view: &&Handle| view.view.table.to_string() == table;
            Ok(LeasedRows {
                view: queue.views.iter().find(is_view).copied(),
                xids: row.try_get(1)?,
                ids: row.try_get(2)?,
            })
        })
        .await;
    connection.release();
    rows
}

fn of_rows(sql: &Arc<str>, queue: &Queue, rows: &LeasedRows) -> Statement<'static> {
    Statement::composed(Arc::clone(sql), Operation::Changes)
        .bind(queue.context.queue().model)
        .bind(rows.xids.clone())
        .bind(rows.ids.clone())
}

/// Syncs all documents of a view, and renews the lease meanwhile.
async fn sync(queue: &Queue, view: Handle, rows: &LeasedRows) -> Result<SyncReport> {
    let request = SyncRequest::Full {
        view,
        settings: FullSyncSettings::of_view(None, 1, pending(), None),
    };
    let mut sync = pin!(run_observed_in_span(
        &queue.pool,
        &queue.context.observers,
        request
    ));
    loop {
        let wait = pin!(rt::sleep(RENEWAL));
        match select(sync, wait).await {
            Either::Left((report, _)) => return report,
            Either::Right(((), unfinished)) => sync = unfinished,
        }
        // If it cannot be renewed, another worker may begin the same, which does no harm.
        let renewed = async {
            let mut connection = Lease::acquire(&queue.pool, "renew a lease").await?;
            let sql = &queue.context.queue().renew;
            let renew = of_rows(sql, queue, rows).bind(LEASE.as_secs_f64());
            let renewed = renew.execute(&mut connection).await;
            connection.release();
            renewed
        };
        let renewed = pin!(renewed);
        match select(sync, renewed).await {
            Either::Left((report, _)) => return report,
            Either::Right((_, unfinished)) => sync = unfinished,
        }
    }
}
