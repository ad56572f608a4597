//! The work of a rebuild: one view after the other, each under its lock.

use std::future::Future;
use std::pin::Pin;

use futures_util::future::FutureExt as _;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres, Row};

use super::OnProgress;
use super::report::{RebuildOutcome, ViewRebuild};
use super::status;
use super::status::RebuildState;
use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Operation, Result};
use crate::schema::position::Position;
use crate::sync::full;
use crate::sync::full::{Pass, Settings};
use crate::sync::request::Mode;
use crate::sync::telemetry;
use crate::sync::watch::{Observers, Watch};
use crate::view::Handle;

/// How often a lost connection is replaced before anything was done on the new one.
const RECONNECTS: u32 = 3;

type Until<'u> = Option<Pin<Box<dyn Future<Output = ()> + Send + 'u>>>;

/// A view that is to be rebuilt.
pub(super) struct View<'a> {
    pub(super) pool: &'a PgPool,
    pub(super) view: Handle,
    pub(super) observers: &'a Observers,
    pub(super) chunk: Option<usize>,
    pub(super) connections: usize,
}

impl View<'_> {
    /// Rebuilds the view, if it needs that.
    pub(super) async fn rebuild(
        &self,
        until: &mut Until<'_>,
        progress: &mut Option<OnProgress<'_>>,
    ) -> Result<ViewRebuild> {
        let mut done = ViewRebuild::of(self.view.view.table);
        let work = async {
            let watch = Watch::new(self.observers);
            let mut lost = 0;
            loop {
                let before = done.report.total();
                let again = lost > 0;
                let attempt = self.attempt(again, &mut done, until, progress, &watch);
                match attempt.await {
                    Err(error) if error.is_lost_connection() && lost < RECONNECTS => {
                        let advanced = done.report.total() > before;
                        lost = if advanced { 1 } else { lost + 1 };
                    }
                    result => return result.map(|outcome| done.outcome = outcome),
                }
            }
        };
        let result = telemetry::in_span(self.view, Mode::Full, None, work).await;
        if let Err(error) = result {
            telemetry::failed(self.view, Mode::Full, &error);
            return Err(error);
        }
        Ok(done)
    }

    /// Rebuilds the view on a connection that holds its lock.
    async fn attempt(
        &self,
        again: bool,
        done: &mut ViewRebuild,
        until: &mut Until<'_>,
        progress: &mut Option<OnProgress<'_>>,
        watch: &Watch<'_>,
    ) -> Result<RebuildOutcome> {
        let mut connection = acquire(self.pool).await?;
        // Also where this future is dropped: the lock goes with the session.
        connection.close_on_drop();
        let outcome = if self.lock(&mut connection, again).await? {
            let outcome = self
                .locked(&mut connection, done, until, progress, watch)
                .await?;
            // The end of the session would do, some time after this has returned.
            self.execute(&mut connection, &self.view.statements().rebuild.unlock)
                .await?;
            outcome
        } else {
            RebuildOutcome::InProgress
        };
        connection.close().await.map_err(failed(self.view))?;
        Ok(outcome)
    }

    async fn locked(
        &self,
        connection: &mut PgConnection,
        done: &mut ViewRebuild,
        until: &mut Until<'_>,
        progress: &mut Option<OnProgress<'_>>,
        watch: &Watch<'_>,
    ) -> Result<RebuildOutcome> {
        let sql = &self.view.statements().rebuild;
        let (status, is_noted) = status::read(connection, self.view).await?;
        let (pass, after) = match status.state {
            // There are no documents.
            RebuildState::Done if !is_noted => {
                self.execute(connection, &sql.note_empty).await?;
                return Ok(RebuildOutcome::UpToDate);
            }
            RebuildState::Done => (Pass::Others, None),
            _ => self.begin(connection).await?,
        };
        done.resumed_at = done.resumed_at.take().or(after.clone());
        let settings = Settings::of_rebuild(
            pass,
            after,
            self.chunk,
            self.connections,
            std::future::poll_fn(|context| match until {
                Some(stop) => {
                    let ready = stop.poll_unpin(context);
                    if ready.is_ready() {
                        *until = None;
                    }
                    ready
                }
                None => std::task::Poll::Pending,
            }),
            |now| {
                if let Some(progress) = progress {
                    progress(self.view.view.table, now);
                }
            },
        );
        let (report, result) =
            full::beside(connection, self.pool, self.view, settings, watch).await;
        let stopped = report.stopped_at.is_some();
        let total = report.total();
        done.report += report;
        result?;
        match pass {
            _ if stopped => Ok(RebuildOutcome::Stopped),
            Pass::Others if done.report.total() == 0 => Ok(RebuildOutcome::UpToDate),
            Pass::Others => Ok(RebuildOutcome::Rebuilt),
            Pass::Whole { done: before } => {
                trace_statement(&sql.finish);
                sqlx::query(sql.finish.as_str())
                    .bind(i64::try_from(before + total).unwrap_or(i64::MAX))
                    .execute(connection)
                    .await
                    .map_err(failed(self.view))?;
                Ok(RebuildOutcome::Rebuilt)
            }
        }
    }

    /// Takes the lock of the view; waits for it where a session of ours was lost.
    async fn lock(&self, connection: &mut PgConnection, again: bool) -> Result<bool> {
        let statements = &self.view.statements().rebuild;
        if again {
            let sql = statements.lock_again.as_str();
            trace_statement(sql);
            return match sqlx::raw_sql(sql).execute(connection).await {
                Ok(_) => Ok(true),
                Err(error) if is_lock_timeout(&error) => Ok(false),
                Err(error) => Err(failed(self.view)(error)),
            };
        }
        let sql = statements.lock.as_str();
        trace_statement(sql);
        sqlx::query(sql)
            .fetch_one(connection)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed(self.view))
    }

    /// Notes that it begins, or goes on behind a position.
    async fn begin(&self, connection: &mut PgConnection) -> Result<(Pass, Option<Position>)> {
        let sql: &'static str = &self.view.statements().rebuild.begin;
        trace_statement(sql);
        let (keys, done) = sqlx::query(sql)
            .fetch_one(connection)
            .await
            .and_then(|row| {
                let keys = self.view.no_keys().read(&row, 0)?;
                Ok((keys, row.try_get::<i64, _>(1)?))
            })
            .map_err(failed(self.view))?;
        let done = u64::try_from(done).unwrap_or(0);
        let after = (!keys.is_empty()).then_some(Position(keys));
        Ok((Pass::Whole { done }, after))
    }

    async fn execute(&self, connection: &mut PgConnection, sql: &'static str) -> Result<()> {
        trace_statement(sql);
        sqlx::query(sql)
            .execute(connection)
            .await
            .map_err(failed(self.view))?;
        Ok(())
    }
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == "55P03")
}

pub(super) async fn acquire(pool: &PgPool) -> Result<PoolConnection<Postgres>> {
    pool.acquire()
        .await
        .map_err(Error::database(Operation::AcquireConnection("rebuild")))
}

pub(super) fn failed(view: Handle) -> impl FnOnce(sqlx::Error) -> Error {
    Error::on_table(Operation::Rebuild, view.view.table)
}
