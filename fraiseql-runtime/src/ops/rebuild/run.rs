//! Rebuilds one view under its advisory lock.
//!
//! The lock belongs to a session, and is held from before the bookkeeping is read until after the
//! last chunk. So at most one session rebuilds a view at a time, and a crashed one releases the
//! lock with its connection.

use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row as _};

use crate::db::statement::{Statement, execute_script};
use crate::error::{Error, Operation, Result};
use crate::ops::rebuild::connection::acquire;
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

    /// Rebuilds the view on a new connection, which holds the lock.
    async fn attempt(
        &self,
        is_retry: bool,
        rebuild: &mut ViewRebuild,
        until: &mut Until<'_>,
        progress: &mut Option<OnViewProgress<'_>>,
        watch: &Watch<'_>,
    ) -> Result<RebuildOutcome> {
        let mut connection = acquire(self.pool).await?;
        // The lock is released with the session, also if this future is dropped. Back in the
        // pool, the connection would keep it.
        connection.close_on_drop();
        let outcome = if self.lock(&mut connection, is_retry).await? {
            let outcome = self
                .rebuild_locked(&mut connection, rebuild, until, progress, watch)
                .await?;
            // Closing the connection releases the lock, too, but some time after this function
            // has returned: the next rebuild would find it held.
            self.execute(&mut connection, &self.view.statements().rebuild.unlock)
                .await?;
            outcome
        } else {
            RebuildOutcome::InProgress
        };
        let failed = Error::on_table(Operation::Rebuild, self.view.view.table);
        connection.close().await.map_err(failed)?;
        Ok(outcome)
    }

    /// Rebuilds the view, whose lock the connection holds.
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

    /// Takes the lock of the view. Returns false if another session holds it.
    ///
    /// A retry waits for the lock: the server may not have noticed yet that the connection is
    /// lost, and then the lost session still holds it.
    async fn lock(&self, connection: &mut PgConnection, is_retry: bool) -> Result<bool> {
        let statements = &self.view.statements().rebuild;
        if is_retry {
            let sql = AssertSqlSafe(statements.lock_again.as_str());
            let (operation, table) = (Operation::Rebuild, self.view.view.table);
            return match execute_script(connection, sql, operation, table).await {
                Ok(()) => Ok(true),
                Err(error) if error.is_lock_timeout() => Ok(false),
                Err(error) => Err(error),
            };
        }
        self.statement(&statements.lock)
            .fetch_one(connection, |row| row.try_get(0))
            .await
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
