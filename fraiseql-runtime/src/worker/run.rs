//! The loop of a worker: looks, drains a batch, waits.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use sqlx_core::rt;

use crate::db::lease::Lease;
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::worker::batch::{self, Found};
use crate::worker::builder::Queue;
use crate::worker::health::WorkerHealth;
use crate::worker::position::Position;
use crate::worker::report::WorkerReport;
use crate::worker::{telemetry, whole};

/// After an error the worker waits for so long, then for twice as long each time, up to `MAX_BACK_OFF`.
const FIRST_BACK_OFF: Duration = Duration::from_millis(100);
const MAX_BACK_OFF: Duration = Duration::from_secs(5);
/// How often a worker with nothing to do looks from the beginning. No change is missed without it; but a row
/// may have come by another way than an insert, such as a restored backup.
const RESCAN: Duration = Duration::from_secs(60);

/// When a run ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    Shutdown,
    Drained,
}

type WholeSync<'a> = Pin<Box<dyn Future<Output = Result<WorkerReport>> + Send + 'a>>;

/// One run of a worker.
pub(super) struct Run<'a> {
    queue: &'a Queue,
    health: &'a WorkerHealth,
    until: Until,
    position: Position,
    report: WorkerReport,
    /// The full sync of a view, which runs beside the batches.
    whole: Option<WholeSync<'a>>,
    /// The changes of a batch: fewer after a batch has failed.
    most: i32,
    wait: Duration,
    back_off: Duration,
    scanned: Instant,
    /// Transactions from here on are not waited for.
    drain_before: Option<u64>,
}

/// What follows from a step.
enum Next {
    /// There may be more.
    AtOnce,
    Wait(Duration),
    End,
}

impl<'a> Run<'a> {
    pub(super) fn new(queue: &'a Queue, health: &'a WorkerHealth, until: Until) -> Self {
        Self {
            queue,
            health,
            until,
            position: Position::default(),
            report: WorkerReport::default(),
            whole: None,
            most: queue.settings.batch,
            wait: queue.settings.min_wait,
            back_off: FIRST_BACK_OFF,
            scanned: Instant::now(),
            drain_before: None,
        }
    }

    /// Runs until the end, or until `shutdown` is ready.
    pub(super) async fn run(
        mut self,
        mut shutdown: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Result<WorkerReport> {
        let start = Instant::now();
        let _running = Running::of(self.health);
        loop {
            let next = self.step().await?;
            let wait = match next {
                Next::End => break,
                Next::AtOnce => Duration::ZERO,
                Next::Wait(wait) => wait,
            };
            let waited = {
                // Also without a wait: the runtime gets its turn, and the shutdown is looked at.
                let sleep = pin!(beside(&mut self.whole, rt::sleep(wait)));
                match select(shutdown.as_mut(), sleep).await {
                    Either::Left(_) => break,
                    Either::Right((whole, _)) => whole,
                }
            };
            self.whole_ended(waited.1)?;
        }
        self.report.duration = start.elapsed();
        Ok(self.report)
    }

    /// Looks, and drains a batch if there is something to drain.
    async fn step(&mut self) -> Result<Next> {
        let before = (self.position.clone(), self.most);
        let mut whole = self.whole.take();
        let (result, ended) = beside(&mut whole, self.look_and_drain()).await;
        self.whole = whole;
        self.whole_ended(ended)?;
        match result {
            Ok((found, batch)) => {
                self.back_off = FIRST_BACK_OFF;
                self.health.succeeded();
                telemetry::lag(found.lag);
                if found.whole && self.whole.is_none() {
                    self.whole = Some(Box::pin(whole::sync_next(self.queue)));
                }
                Ok(self.after(&found, batch))
            }
            Err(failed) => {
                self.position = before.0;
                self.failed(failed).await
            }
        }
    }

    async fn look_and_drain(&mut self) -> Result<(Found, WorkerReport), Failed> {
        if self.queue.views.is_empty() {
            // Materialized views need no changes.
            return Ok((Found::default(), WorkerReport::default()));
        }
        let mut connection = Lease::acquire(&self.queue.pool, "drain changes")
            .await
            .map_err(Failed::look)?;
        let result = async {
            let found = batch::look(self.queue, &mut connection, &mut self.position)
                .await
                .map_err(Failed::look)?;
            self.health.looked(found.lag);
            if !found.changes && !found.due {
                return Ok((found, WorkerReport::default()));
            }
            batch::drain(self.queue, &mut connection, &self.position, self.most)
                .await
                .map(|batch| (found, batch))
                .map_err(Failed::batch)
        }
        .await;
        connection.release();
        result
    }

    /// Counts a batch, and decides how to go on.
    fn after(&mut self, found: &Found, batch: WorkerReport) -> Next {
        let settings = &self.queue.settings;
        let is_full = batch.changes >= u64::try_from(self.most).unwrap_or(1);
        let progress = batch.changes > 0;
        self.report += batch;
        self.most = self.most.saturating_mul(2).min(settings.batch);
        if self.until == Until::Drained && self.is_drained(found, progress) {
            return Next::End;
        }
        if is_full || (found.due && progress) {
            self.wait = settings.min_wait;
            return Next::AtOnce;
        }
        if progress || found.changes {
            self.wait = settings.min_wait;
        } else {
            self.wait = (self.wait * 3 / 2).min(settings.max_wait);
            if self.scanned.elapsed() > RESCAN {
                self.scanned = Instant::now();
                self.position = Position::default();
            }
        }
        Next::Wait(self.wait)
    }

    /// Whether nothing is left of what was committed before the run.
    fn is_drained(&mut self, found: &Found, progress: bool) -> bool {
        let before = *self.drain_before.get_or_insert(found.end);
        let left = found.first.is_some_and(|xid| xid < before);
        // A batch may have left documents for later: only a look that finds none is the end.
        !left && !progress && !found.due && !found.whole && !found.waiting && self.whole.is_none()
    }

    fn whole_ended(&mut self, ended: Option<Result<WorkerReport>>) -> Result<()> {
        match ended {
            None => Ok(()),
            Some(Ok(report)) => {
                self.report += report;
                Ok(())
            }
            Some(Err(error)) => self.note_error(error),
        }
    }

    /// An error ends a run that drains. Otherwise the worker goes on, unless it cannot succeed.
    fn note_error(&mut self, error: Error) -> Result<()> {
        self.health.failed(&error);
        telemetry::error(&error);
        if self.until == Until::Drained || error.is_not_migrated() {
            return Err(error);
        }
        Ok(())
    }

    /// After an error: waits, and makes the batch smaller if it was the batch that failed.
    async fn failed(&mut self, Failed { error, in_batch }: Failed) -> Result<Next> {
        let is_of_changes = in_batch
            && !error.is_lost_connection()
            && !error.is_retryable()
            && !error.is_lock_timeout()
            && !error.is_not_migrated();
        if is_of_changes && self.most > 1 {
            self.health.failed(&error);
            telemetry::error(&error);
            self.most /= 2;
            return Ok(Next::AtOnce);
        }
        if is_of_changes && let Err(error) = self.set_aside(&error).await {
            self.note_error(error)?;
        }
        self.note_error(error)?;
        let wait = self.back_off;
        self.back_off = (self.back_off * 2).min(MAX_BACK_OFF);
        Ok(Next::Wait(wait))
    }

    /// Puts off a change that fails by itself, so that the others go on.
    async fn set_aside(&mut self, error: &Error) -> Result<()> {
        let sql = self.queue.context.queue();
        let mut connection = Lease::acquire(&self.queue.pool, "put off a change").await?;
        let done = Statement::composed(sql.set_aside.clone(), Operation::Changes)
            .bind(sql.model)
            .bind(self.position.xid.to_string())
            .bind(self.position.id)
            .bind(self.position.late_texts())
            .bind(error.to_string())
            .bind(self.queue.settings.max_attempts)
            .execute(&mut connection)
            .await;
        connection.release();
        done.map(|_| ())
    }
}

/// An error, and whether it was met while a batch was drained.
struct Failed {
    error: Error,
    in_batch: bool,
}

impl Failed {
    fn look(error: Error) -> Self {
        Self {
            error,
            in_batch: false,
        }
    }

    fn batch(error: Error) -> Self {
        Self {
            error,
            in_batch: true,
        }
    }
}

/// Notes that a worker runs, until it is dropped.
struct Running<'a>(&'a WorkerHealth);

impl<'a> Running<'a> {
    fn of(health: &'a WorkerHealth) -> Self {
        health.started();
        Self(health)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.stopped();
    }
}

/// Runs `main` to its end, and `side` beside it. Returns the result of `side` if that has ended meanwhile.
async fn beside<T>(
    side: &mut Option<WholeSync<'_>>,
    main: impl Future<Output = T>,
) -> (T, Option<Result<WorkerReport>>) {
    let mut main = pin!(main);
    let mut ended = None;
    poll_fn(move |context| {
        if let Some(future) = side.as_mut()
            && let std::task::Poll::Ready(result) = future.as_mut().poll(context)
        {
            *side = None;
            ended = Some(result);
        }
        main.as_mut()
            .poll(context)
            .map(|value| (value, ended.take()))
    })
    .await
}
