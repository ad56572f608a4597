//! Rebuilds one view under its advisory lock.
//!
//! The lock is held by a connection of its own, from before the bookkeeping is read until after the
//! last chunk. So at most one rebuild of a view runs at a time, and a crashed one releases the lock
//! with its connection.
//!
//! A pool of one connection has none for the lock. There, a rebuild does not start while another one
//! holds the lock, but does not hold it itself. Two at once write the same documents.

use sqlx::{PgConnection, PgPool, Row as _};

use crate::db::held_lock::{HeldLock, LockErrors};
use crate::db::lease::Lease;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::ops::rebuild::report::{RebuildOutcome, ViewRebuild};
use crate::ops::rebuild::status;
use crate::ops::rebuild::status::{Entry, NotedStatus, RebuildState};
use crate::ops::run_options::{OnViewProgress, Until, stop_of};
use crate::schema::position::Position;
use crate::sync::full::settings::{FullSyncSettings, RebuildPass};
use crate::sync::full::workers;
use crate::sync::request::Mode;
use crate::sync::telemetry;
use crate::sync::watch::{Observers, Watch};
use crate::view::Handle;

/// How often in a row a lost connection is replaced, without any document that was written in
/// between.
const MAX_RECONNECTS: u32 = 3;

/// What connections are acquired for, in errors.
const PURPOSE: &str = "rebuild";

/// The state of a rebuild that inserts the documents of a view which has none.
const FILLING: &str = "filling";
/// The state of a rebuild that replaces stale documents.
const RUNNING: &str = "running";

/// The rebuild of one view.
pub(super) struct RebuildTask<'a> {
    pub(super) pool: &'a PgPool,
    pub(super) view: Handle,
    pub(super) observers: &'a Observers,
    pub(super) chunk: Option<usize>,
    pub(super) connections: usize,
}

impl RebuildTask<'_> {
    /// Rebuilds the view if it needs a rebuild.
    pub(super) async fn run(
        &self,
        until: &mut Until<'_>,
        progress: &mut Option<OnViewProgress<'_>>,
    ) -> Result<ViewRebuild> {
        let mut rebuild = ViewRebuild::of(self.view.view.table);
        let work = async {
            let watch = Watch::new(self.observers);
            let mut reconnects = 0;
            loop {
                let before = rebuild.report.total();
                let is_retry = reconnects > 0;
                let attempt = self.attempt(is_retry, &mut rebuild, until, progress, &watch);
                match attempt.await {
                    Err(error) if error.is_lost_connection() && reconnects < MAX_RECONNECTS => {
                        // Only connections that are lost without progress count, so a long
                        // rebuild survives any number of restarts, and the loop still ends.
                        let has_advanced = rebuild.report.total() > before;
                        reconnects = if has_advanced { 1 } else { reconnects + 1 };
                    }
                    result => return result.map(|outcome| rebuild.outcome = outcome),
                }
            }
        };
        let result = telemetry::in_span(self.view, Mode::Full, None, work).await;
        if let Err(error) = result {
            telemetry::failed(self.view, Mode::Full, &error);
            return Err(error);
        }
        Ok(rebuild)
    }

    /// Rebuilds the view under its lock.
    async fn attempt(
        &self,
        is_retry: bool,
        rebuild: &mut ViewRebuild,
        until: &mut Until<'_>,
        progress: &mut Option<OnViewProgress<'_>>,
        watch: &Watch<'_>,
    ) -> Result<RebuildOutcome> {
        let lock = match HeldLock::fits(self.pool) {
            false => None,
            true => match self.lock(is_retry).await? {
                None => return Ok(RebuildOutcome::InProgress),
                lock => lock,
            },
        };
        let mut connection = Lease::acquire(self.pool, PURPOSE).await?;
        let result = match &lock {
            None if self.is_locked(&mut connection).await? => Ok(RebuildOutcome::InProgress),
            _ => {
                self.rebuild_locked(&mut connection, rebuild, until, progress, watch)
                    .await
            }
        };
        connection.release();
        // Dropping it closes its connection, which releases the lock, too, but some time after this function
        // has returned: the next rebuild would find it held.
        if let Some(lock) = lock {
            lock.release().await;
        }
        result
    }

    /// Rebuilds the view, whose lock is held.
    async fn rebuild_locked(
        &self,
        connection: &mut PgConnection,
        rebuild: &mut ViewRebuild,
        until: &mut Until<'_>,
        progress: &mut Option<OnViewProgress<'_>>,
        watch: &Watch<'_>,
    ) -> Result<RebuildOutcome> {
        let sql = &self.view.statements().rebuild;
        let NotedStatus { status, entry } = status::read(connection, self.view).await?;
        let (pass, after) = match (status.state, entry) {
            // Done without an entry: there are no documents and no rows.
            (RebuildState::Done, Entry::None) => {
                self.execute(connection, &sql.note).await?;
                return Ok(RebuildOutcome::UpToDate);
            }
            // An older release may have written documents since the rebuild, or rows without
            // documents.
            (RebuildState::Done, Entry::Done) => (RebuildPass::Stale, None),
            // A full sync has filled the view.
            (RebuildState::Done, _) => {
                self.execute(connection, &sql.note_filled).await?;
                (RebuildPass::Stale, None)
            }
            (RebuildState::Unfilled, _) | (_, Entry::Fill) => {
                self.begin(connection, FILLING).await?
            }
            _ => self.begin(connection, RUNNING).await?,
        };
        // After a lost connection, the first position is the one that is reported.
        rebuild.resumed_at = rebuild.resumed_at.take().or(after.clone());
        let settings = FullSyncSettings::of_rebuild(
            pass,
            after,
            self.chunk,
            self.connections,
            stop_of(until),
            |now| {
                if let Some(progress) = progress {
                    progress(self.view.view.table, now);
                }
            },
        );
        let (report, result) =
            workers::on_connection_and_pool(connection, self.pool, self.view, settings, watch)
                .await;
        let is_stopped = report.stopped_at.is_some();
        let total = report.total();
        // Added before the error is returned: `run` compares the totals.
        rebuild.report += report;
        result?;
        match pass {
            _ if is_stopped => Ok(RebuildOutcome::Stopped),
            RebuildPass::Stale if rebuild.report.total() == 0 => Ok(RebuildOutcome::UpToDate),
            RebuildPass::Stale => Ok(RebuildOutcome::Rebuilt),
            RebuildPass::Whole {
                done_before: before,
            } => {
                self.statement(&sql.finish)
                    .bind(i64::try_from(before + total).unwrap_or(i64::MAX))
                    .execute(connection)
                    .await?;
                Ok(RebuildOutcome::Rebuilt)
            }
        }
    }

    /// Takes the lock of the view. Returns `None` if another rebuild holds it.
    ///
    /// A retry waits for the lock: the server may not have noticed yet that the connection is
    /// lost, and then the lost one still holds it.
    async fn lock(&self, is_retry: bool) -> Result<Option<HeldLock>> {
        let statements = &self.view.statements().rebuild;
        let errors = LockErrors {
            purpose: PURPOSE,
            operation: Operation::Rebuild,
            table: Some(self.view.view.table.into()),
        };
        match is_retry {
            true => HeldLock::retake(self.pool, &statements.lock_again, &errors).await,
            false => HeldLock::try_take(self.pool, &statements.lock, &errors).await,
        }
    }

    /// Whether another rebuild holds the lock of the view.
    async fn is_locked(&self, connection: &mut PgConnection) -> Result<bool> {
        let is_free: bool = self
            .statement(&self.view.statements().rebuild.lock)
            .fetch_one(connection, |row| row.try_get(0))
            .await?;
        Ok(!is_free)
    }

    /// Notes that the rebuild begins or continues. Returns the position after which it continues.
    async fn begin(
        &self,
        connection: &mut PgConnection,
        state: &'static str,
    ) -> Result<(RebuildPass, Option<Position>)> {
        let (keys, done) = self
            .statement(&self.view.statements().rebuild.begin)
            .bind(state)
            .fetch_one(connection, |row| {
                let keys = self.view.no_keys().read(row, 0)?;
                Ok((keys, row.try_get::<i64, _>(1)?))
            })
            .await?;
        let done = u64::try_from(done).unwrap_or(0);
        let after = (!keys.is_empty()).then_some(Position(keys));
        Ok((RebuildPass::Whole { done_before: done }, after))
    }

    async fn execute(&self, connection: &mut PgConnection, sql: &'static str) -> Result<()> {
        self.statement(sql).execute(connection).await?;
        Ok(())
    }

    fn statement(&self, sql: &'static str) -> Statement<'static> {
        Statement::new(sql, Operation::Rebuild).on(self.view.view.table)
    }
}
