//! The work of a full sync: workers, each with a connection, take chunks of keys in order.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use sqlx::{PgConnection, PgPool};

use super::progress::{OnProgress, Progress};
use super::{Pass, Settings};
use crate::db::connection::Lease;
use crate::db::mutex::lock;
use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Operation, Result};
use crate::schema::key::Keys;
use crate::schema::position::Position;
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;
use crate::sync::session::{PeerBackends, Session};
use crate::sync::watch::Watch;
use crate::view::Handle;

/// How many bytes of documents a chunk should have. More is not faster, and once the server
/// keeps them on disk, slower.
const WEIGHT: u64 = 1_500_000;
/// The first chunk, of documents whose weight is not known yet.
const FIRST: usize = 50;
/// The most documents in a chunk, however small.
const MOST: usize = 1_000;
/// How often a chunk is taken up again on another connection after its own was lost.
const RECONNECTS: usize = 3;
const ACQUIRING: &str = "sync";

/// How many documents the next chunk has, where so many had so many bytes.
pub(crate) fn chunk_size(documents: u64, bytes: u64) -> usize {
    if documents == 0 || bytes == 0 {
        return FIRST;
    }
    let size = u128::from(WEIGHT) * u128::from(documents) / u128::from(bytes);
    usize::try_from(size).unwrap_or(MOST).clamp(1, MOST)
}

/// A full sync on the connections of a pool.
pub(crate) async fn on_pool(
    pool: &PgPool,
    view: Handle,
    settings: Settings<'_>,
    watch: &Watch<'_>,
) -> Result<SyncReport> {
    let most = usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX);
    let connections = settings.connections.min(most);
    let run = Run::new(view, settings)?;
    let workers = (0..connections)
        .map(|worker| run.on_own_connection(pool, worker > 0, watch).boxed())
        .collect();
    run.work(workers).await?;
    Ok(run.report())
}

/// A full sync on a connection of the caller's, and on further ones of a pool. What was done is
/// told also where it failed; a connection of the caller's that is lost is a failure.
pub(crate) async fn beside(
    connection: &mut PgConnection,
    pool: &PgPool,
    view: Handle,
    settings: Settings<'_>,
    watch: &Watch<'_>,
) -> (SyncReport, Result<()>) {
    let most = usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX);
    let further = settings.connections.min(most).saturating_sub(1);
    let run = match Run::new(view, settings) {
        Ok(run) => run,
        Err(error) => return (SyncReport::default(), Err(error)),
    };
    let first = async {
        let mut session = Session::own(connection, Mode::Full, watch);
        let mut chunk = None;
        while run.step(&mut session, &mut chunk).await? {}
        Ok(())
    };
    let further = (0..further).map(|_| run.on_own_connection(pool, true, watch).boxed());
    let workers = std::iter::once(first.boxed()).chain(further).collect();
    let result = run.work(workers).await;
    (run.report(), result)
}

/// A full sync on one connection.
pub(crate) async fn on_connection(
    session: &mut Session<'_>,
    view: Handle,
    settings: Settings<'_>,
) -> Result<SyncReport> {
    let run = Run::new(view, settings)?;
    let mut chunk = None;
    while run.step(session, &mut chunk).await? {}
    Ok(run.report())
}

/// What the workers share.
pub(super) struct Run<'a> {
    pub(super) view: Handle,
    /// Held while the next keys are read: they are read one chunk after the other.
    cursor: futures_util::lock::Mutex<Keys>,
    plan: Mutex<Plan<'a>>,
    friends: PeerBackends,
    rebuild: Option<Pass>,
}

/// What is done, and what is to be done next.
struct Plan<'a> {
    size: Option<usize>,
    until: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
    on_progress: Option<OnProgress<'a>>,
    start: Instant,
    progress: Progress,
    /// The chunks in hand, by number; those that were done before an earlier one have
    /// their last key.
    chunks: BTreeMap<u64, Option<Keys>>,
    taken: u64,
    /// There are no more keys, or they are not wanted.
    ended: bool,
    stopped: bool,
}

/// Keys that a worker has in hand.
struct Chunk {
    number: u64,
    keys: Keys,
}

/// How far it has come.
struct Reached {
    position: Keys,
    done: u64,
    expected: u64,
}

impl<'a> Run<'a> {
    fn new(view: Handle, settings: Settings<'a>) -> Result<Self> {
        let none = view.no_keys();
        let after = settings.after.map_or(none.clone(), |position| position.0);
        if std::mem::discriminant(&after) != std::mem::discriminant(&none) {
            return Err(Error::Position {
                view: view.view.table,
                position: Position(after),
            });
        }
        let progress = Progress {
            report: SyncReport::default(),
            chunks: 0,
            expected: 0,
            position: Position(after.clone()),
        };
        Ok(Self {
            view,
            friends: PeerBackends::default(),
            rebuild: settings.rebuild,
            cursor: futures_util::lock::Mutex::new(after),
            plan: Mutex::new(Plan {
                size: settings.chunk,
                until: settings.until,
                on_progress: settings.progress,
                start: Instant::now(),
                progress,
                chunks: BTreeMap::new(),
                taken: 0,
                ended: false,
                stopped: false,
            }),
        })
    }

    fn plan(&self) -> MutexGuard<'_, Plan<'a>> {
        // A panic in the caller's `on_progress` is the caller's.
        lock(&self.plan)
    }

    /// Takes no more chunks.
    pub(super) fn end(&self) {
        self.plan().end();
    }

    /// Whether the caller wants it to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.plan().is_stopped()
    }

    fn report(&self) -> SyncReport {
        let mut plan = self.plan();
        let mut report = std::mem::take(&mut plan.progress.report);
        report.duration = plan.start.elapsed();
        if plan.stopped {
            report.stopped_at = Some(plan.progress.position.clone());
        }
        report
    }

    /// Waits for the workers, or for nothing to be left to do.
    async fn work(&self, mut workers: FuturesUnordered<BoxFuture<'_, Result<()>>>) -> Result<()> {
        let mut failed = None;
        while let Some(result) = workers.next().await {
            if let Err(error) = result {
                self.plan().end();
                failed.get_or_insert(error);
            }
            // Others may still wait for a connection, with nothing left to do.
            if self.plan().is_over() {
                break;
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// A worker with a connection of its own. Where there is none to be had for a further one,
    /// the others do its work.
    async fn on_own_connection(
        &self,
        pool: &PgPool,
        further: bool,
        watch: &Watch<'_>,
    ) -> Result<()> {
        let mut connection = match Lease::of(pool, ACQUIRING).await {
            Err(_) if further => return Ok(()),
            result => result?,
        };
        let result = self.on_lease(&mut connection, pool, watch).await;
        connection.give_back();
        result
    }

    async fn on_lease(
        &self,
        connection: &mut Lease,
        pool: &PgPool,
        watch: &Watch<'_>,
    ) -> Result<()> {
        self.friends.join(connection).await?;
        let mut chunk = None;
        let mut reconnects = 0;
        loop {
            let mut session =
                Session::own(connection, Mode::Full, watch).with(self.friends.clone());
            match self.step(&mut session, &mut chunk).await {
                Ok(true) => reconnects = 0,
                Ok(false) => return Ok(()),
                Err(error) if error.is_lost_connection() && reconnects < RECONNECTS => {
                    reconnects += 1;
                    *connection = Lease::of(pool, ACQUIRING).await?;
                    self.friends.join(connection).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Syncs one chunk: the one in hand, or the next. False where there is none.
    async fn step(&self, session: &mut Session<'_>, chunk: &mut Option<Chunk>) -> Result<bool> {
        if chunk.is_none() {
            *chunk = self.take(session).await?;
        }
        let Some(Chunk { number, keys }) = &chunk else {
            return Ok(false);
        };
        let done = session.batch(self.view, keys).await?;
        let progress = self.plan().done(*number, keys, done);
        *chunk = None;
        if let Some(Pass::Whole { done }) = self.rebuild {
            self.record(session, done, progress).await?;
        }
        Ok(true)
    }

    /// Notes how far a rebuild has come, of which `before` documents were done by another.
    async fn record(&self, session: &mut Session<'_>, before: u64, now: Reached) -> Result<()> {
        let sql: &'static str = &self.view.statements().rebuild.record;
        trace_statement(sql);
        let count = |documents: u64| i64::try_from(before + documents).unwrap_or(i64::MAX);
        now.position
            .bind(sqlx::query(sql))
            .bind(count(now.done))
            .bind(count(now.expected))
            .execute(session.connection())
            .await
            .map_err(Error::on_table(
                Operation::RecordProgress,
                self.view.view.table,
            ))?;
        Ok(())
    }

    /// Takes the next keys.
    async fn take(&self, session: &mut Session<'_>) -> Result<Option<Chunk>> {
        let mut after = self.cursor.lock().await;
        let (size, first) = {
            let mut plan = self.plan();
            if plan.ended || plan.is_stopped() {
                return Ok(None);
            }
            let first = plan.taken == 0 && plan.on_progress.is_some();
            (plan.size(), first && self.rebuild != Some(Pass::Others))
        };
        if first {
            let expected = self.expected(session, &after).await?;
            self.plan().progress.expected = expected;
        }
        let keys = if self.rebuild == Some(Pass::Others) {
            self.next_others(session, &mut after, size).await?
        } else {
            let keys = self.next_keys(session, &after, size).await?;
            if keys.len() < size {
                self.plan().end();
            }
            if !keys.is_empty() {
                *after = keys.last();
            }
            keys
        };
        let mut plan = self.plan();
        if keys.is_empty() {
            return Ok(None);
        }
        plan.taken += 1;
        let number = plan.taken;
        plan.chunks.insert(number, None);
        Ok(Some(Chunk { number, keys }))
    }
}

impl Plan<'_> {
    /// Takes no more chunks.
    fn end(&mut self) {
        self.ended = true;
    }

    /// Whether no chunk is left, taken or not.
    fn is_over(&self) -> bool {
        self.ended && self.chunks.values().all(Option::is_some)
    }

    /// Whether the caller wants it to stop. Then it takes no more chunks.
    fn is_stopped(&mut self) -> bool {
        let Some(until) = &mut self.until else {
            return false;
        };
        // Asked again before each chunk, so nobody needs to be woken. But never again after
        // it was ready.
        if until.now_or_never().is_none() {
            return false;
        }
        self.until = None;
        self.stopped = true;
        self.end();
        true
    }

    /// How many documents the next chunk has.
    fn size(&self) -> usize {
        if let Some(size) = self.size {
            return size;
        }
        let report = &self.progress.report;
        let built = report.total() - report.deleted - report.invalid.len() as u64;
        chunk_size(built, report.bytes)
    }

    fn done(&mut self, number: u64, keys: &Keys, report: SyncReport) -> Reached {
        self.progress.report += report;
        self.progress.report.duration = self.start.elapsed();
        self.progress.chunks += 1;
        self.chunks.insert(number, Some(keys.last()));
        // What is done without a gap is done for good.
        while let Some(entry) = self.chunks.first_entry() {
            let Some(last) = entry.get() else { break };
            self.progress.position = Position(last.clone());
            entry.remove();
        }
        if let Some(on_progress) = &mut self.on_progress {
            on_progress(&self.progress);
        }
        Reached {
            position: self.progress.position.0.clone(),
            done: self.progress.report.total(),
            expected: self.progress.expected,
        }
    }
}
