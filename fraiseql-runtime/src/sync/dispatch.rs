//! Runs a request on a session, in batches.

use std::time::Instant;

use crate::db::scope::TransactionScope;
use crate::error::Result;
use crate::sql::sync::MAX_BATCH;
use crate::sync::full::workers;
use crate::sync::report::SyncReport;
use crate::sync::request::SyncRequest;
use crate::sync::session::Session;
use crate::sync::{batch, part, protocol};

/// Runs `request` on one connection.
pub(super) async fn run(session: &mut Session<'_>, request: SyncRequest<'_>) -> Result<SyncReport> {
    let start = Instant::now();
    let mut report = SyncReport::default();
    if request.is_without_table() {
        return Ok(report);
    }
    match request {
        // This transaction may have changed rows that no document embeds yet. A sync of a document
        // that comes to embed one of them has to wait for it.
        SyncRequest::Sync { view, keys }
            if keys.is_empty() && session.scope == TransactionScope::Caller =>
        {
            protocol::announce(session.connection, view).await?;
        }
        SyncRequest::Sync { view, keys } | SyncRequest::Delete { view, keys } => {
            for chunk in keys.chunks(MAX_BATCH) {
                report += batch::run(session, view, &chunk).await?;
            }
        }
        SyncRequest::Replace {
            view,
            part,
            rows,
            keys,
        } => {
            for chunk in keys.chunks(part::MAX_BATCH) {
                report += batch::replace_part(session, view, part, &rows, &chunk).await?;
            }
        }
        SyncRequest::Full { view, settings } => {
            report = workers::on_connection(session, view, settings).await?;
        }
    }
    report.duration = start.elapsed();
    Ok(report)
}
