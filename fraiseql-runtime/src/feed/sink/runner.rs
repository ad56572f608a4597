//! `SinkRunner`: the settings of a sink, and the ways to run it.

use std::future::{Future, pending};
use std::hash::{BuildHasher as _, RandomState};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use sqlx::PgPool;

use crate::db::lease::Lease;
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::feed::settings::NoFeed;
use crate::feed::sink::document::Sink;
use crate::feed::sink::run::{Run, Until};
use crate::feed::sink::state::SinkRow;
use crate::read::readers::Readers;
use crate::schema::Storage;
use crate::schema::default_schema::DefaultSchema;
use crate::sql::feed::{FeedSql, SinkSql};
use crate::view::Handle;

/// Brings documents to a [`Sink`]: [`ReadModel::sink`](crate::ReadModel::sink). See [the module](super).
#[derive(Debug)]
#[must_use = "a sink has to be run"]
pub struct SinkRunner {
    feed: Result<FeedSql, NoFeed>,
    views: Vec<Handle>,
    pool: PgPool,
    readers: Readers,
    name: String,
    max_wait: Duration,
}

/// What a sink was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkReport {
    /// The documents that were written, those of passes over all documents among them.
    pub written: u64,
    /// The keys without a document, which were deleted.
    pub deleted: u64,
    /// The passes over all documents.
    pub passes: u64,
    /// How often the sink could not write, or the database could not be read.
    pub errors: u64,
}

impl SinkRunner {
    pub(crate) fn new(
        feed: Option<&FeedSql>,
        views: &[Handle],
        schema: DefaultSchema,
        pool: &PgPool,
        name: &str,
    ) -> Self {
        let stored = views.iter().copied();
        Self {
            feed: feed.cloned().ok_or(NoFeed),
            views: stored
                .filter(|handle| handle.view.storage == Storage::Table)
                .collect(),
            pool: pool.clone(),
            readers: Readers::from(pool.clone()).in_schema(schema),
            name: format!("sink {name}"),
            max_wait: Duration::from_millis(500),
        }
    }

    /// Sets how long it waits between two looks while nothing changes. 500 milliseconds by default.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = wait;
        self
    }

    /// Runs the sink until `shutdown` completes. Errors of the sink and of the database are retried, after a while.
    ///
    /// # Errors
    /// [`Error::NoFeed`](crate::Error::NoFeed) if the read model has no feed; if its tables were not migrated, or the role may
    /// not use them.
    pub async fn run(
        self,
        sink: impl Sink,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<SinkReport> {
        self.until(sink, Until::Shutdown, shutdown).await
    }

    /// Runs the sink until it has every change that was committed before: for tests, and for jobs that run once.
    ///
    /// # Errors
    /// As [`run`](Self::run); and the first error of the sink or the database.
    pub async fn drain(self, sink: impl Sink) -> Result<SinkReport> {
        self.until(sink, Until::Drained, pending()).await
    }

    /// Forgets where the sink is: the next run passes all documents. Changes are not kept for it any more.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn forget(self) -> Result<()> {
        let feed = self.feed.map_err(|NoFeed| Error::NoFeed)?;
        let sql = SinkSql::compose(&feed);
        let mut connection = Lease::acquire(&self.pool, "forget a sink").await?;
        let statement = Statement::composed(sql.forget, Operation::Changes).bind(self.name);
        let done = statement.execute(&mut connection).await;
        connection.release();
        done.map(|_| ())
    }

    async fn until(
        self,
        sink: impl Sink,
        until: Until,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<SinkReport> {
        let feed = self.feed.map_err(|NoFeed| Error::NoFeed)?;
        let sql = SinkSql::compose(&feed);
        let mut run = Run {
            row: SinkRow {
                pool: &self.pool,
                sql: &sql,
                name: self.name,
                holder: format!("{:016x}", RandomState::new().hash_one(Instant::now())),
            },
            feed: &feed,
            views: &self.views,
            readers: &self.readers,
            sink,
            max_wait: self.max_wait,
            report: SinkReport::default(),
            held: None,
        };
        let ended = {
            let running = pin!(run.run(until));
            let shutdown = pin!(shutdown);
            match select(running, shutdown).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => Ok(()),
            }
        };
        // Another process need not wait until the time has passed.
        let settled = run.settle().await;
        let released = run.row.step(&sql.release, &[]).await;
        ended.and(settled).and(released.map(|_| ()))?;
        Ok(run.report)
    }
}
