//! Runs a verification: one view after the other, chunk by chunk, with repairs.

use std::time::Instant;

use sqlx::PgConnection;

use crate::db::scope::TransactionScope;
use crate::error::Result;
use crate::ops::verify::compare::Comparison;
use crate::ops::verify::on_replica::OnReplica;
use crate::ops::verify::options::{VerifyOptions, VerifyRequest};
use crate::ops::verify::reader::Reader;
use crate::ops::verify::report::{VerifyProgress, VerifyReport};
use crate::ops::verify::sample::Sample;
use crate::ops::verify::telemetry;
use crate::schema::Storage;
use crate::schema::key::Keys;
use crate::sql::sync::MAX_BATCH;
use crate::sync::batch;
use crate::sync::full::chunk_size::chunk_size;
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;
use crate::sync::session::Session;
use crate::sync::watch::Watch;
use crate::view::Handle;

/// Verifies the views of a request, one after the other.
pub(super) async fn all(
    connection: &mut PgConnection,
    scope: TransactionScope,
    request: VerifyRequest<'_>,
    watch: &Watch<'_>,
) -> Result<Vec<VerifyReport>> {
    let mut options = request.options;
    let sample = Sample::new(&options)?;
    let is_stored = |view: &Handle| view.view.storage != Storage::Live;
    let on_replica = match request.views.iter().any(is_stored) {
        true => OnReplica::of(connection).await?,
        false => None,
    };
    let mut reports = Vec::new();
    for view in request.views {
        if view.view.storage == Storage::Live {
            // Nothing is stored that could differ.
            reports.push(VerifyReport::new(view));
            continue;
        }
        let mut verification = ViewVerification {
            reader: Reader {
                connection: &mut *connection,
                scope,
                view,
                explain: options.explain,
            },
            watch,
            sample,
            start: Instant::now(),
            report: VerifyReport::new(view),
            expected: 0,
        };
        verification.run(&mut options).await?;
        let mut report = verification.report;
        report.duration = verification.start.elapsed();
        report.on_replica = on_replica;
        telemetry::verified(&report);
        reports.push(report);
    }
    Ok(reports)
}

/// The verification of one view.
struct ViewVerification<'r, 'w> {
    reader: Reader<'r>,
    watch: &'r Watch<'w>,
    sample: Sample,
    start: Instant,
    report: VerifyReport,
    /// The approximate number of documents, for the progress.
    expected: u64,
}

impl ViewVerification<'_, '_> {
    async fn run(&mut self, options: &mut VerifyOptions<'_>) -> Result<()> {
        if options.repair {
            self.report.repaired = Some(SyncReport::default());
        }
        if matches!(self.sample, Sample::None) {
            return Ok(());
        }
        if options.progress.is_some() {
            let expected = self.reader.expected().await?;
            self.expected = self.sample.estimate(expected);
        }
        let mut after = self.reader.view.no_keys();
        let (mut built, mut bytes) = (0, 0);
        loop {
            let size = options.chunk.unwrap_or_else(|| chunk_size(built, bytes));
            let chunk = self.reader.chunk(&after, size, self.sample).await?;
            let keys = chunk.keys;
            if keys.is_empty() {
                return Ok(());
            }
            self.report.add_invalid(chunk.invalid);
            let mut wrong = keys.none();
            for comparison in chunk.comparisons {
                built += comparison.found;
                bytes += comparison.bytes;
                self.add(comparison, &mut wrong);
            }
            if options.repair {
                // Syncs lock documents in key order, as all other writers do.
                self.repair(wrong.sorted()).await?;
            }
            self.notify(options);
            // A chunk that is not full is the last one. After any other, the next one begins
            // behind its last key, so no key is read twice.
            if keys.len() < size {
                return Ok(());
            }
            after = keys.last();
        }
    }

    /// Adds a comparison to the report, and its keys to `wrong` if a sync would change their
    /// documents.
    fn add(&mut self, comparison: Comparison, wrong: &mut Keys) {
        let report = &mut self.report;
        report.checked += comparison.found + comparison.orphaned.len() as u64;
        for (list, keys) in [
            (&mut report.drifted, comparison.drifted),
            (&mut report.missing, comparison.missing),
            (&mut report.orphaned, comparison.orphaned),
        ] {
            list.add(&keys);
            wrong.append(keys);
        }
        report.explained.extend(comparison.explained);
    }

    /// Syncs the documents of `wrong` like any other sync: they are built again, because the
    /// snapshot of the comparison is over.
    async fn repair(&mut self, wrong: Keys) -> Result<()> {
        let Reader {
            connection,
            scope,
            view,
            ..
        } = &mut self.reader;
        let mut session = match scope {
            TransactionScope::Own => Session::own(connection, Mode::Sync, self.watch),
            TransactionScope::Caller => {
                Session::in_caller_transaction(connection, Mode::Sync, self.watch)
            }
        };
        for keys in wrong.chunks(MAX_BATCH) {
            let report = batch::run(&mut session, *view, &keys).await?;
            if let Some(repaired) = &mut self.report.repaired {
                *repaired += report;
            }
        }
        Ok(())
    }

    /// Calls the closure of [`on_progress`](super::Verify::on_progress).
    fn notify(&self, options: &mut VerifyOptions<'_>) {
        if let Some(progress) = &mut options.progress {
            progress(&VerifyProgress {
                entity: self.report.entity,
                checked: self.report.checked,
                wrong: self.report.wrong(),
                expected: self.expected,
                duration: self.start.elapsed(),
            });
        }
    }
}
