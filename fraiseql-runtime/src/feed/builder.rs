//! `FeedBuilder`: the settings of a feed.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;

use crate::error::{Error, Result};
use crate::feed::handle::Feed;
use crate::feed::reader::Reader;
use crate::feed::settings::{NoFeed, Settings};
use crate::feed::shared::Shared;
use crate::read::readers::Readers;
use crate::schema::default_schema::DefaultSchema;
use crate::sql::feed::{FeedSql, KEPT};

/// A feed before it starts: [`ReadModel::feed`](crate::ReadModel::feed).
#[derive(Clone, Debug)]
#[must_use = "a feed has to be started"]
pub struct FeedBuilder {
    /// Or an error, if the read model has no feed.
    sql: Result<FeedSql, NoFeed>,
    pool: PgPool,
    schema: DefaultSchema,
    settings: Settings,
}

impl FeedBuilder {
    pub(crate) fn new(sql: Option<&FeedSql>, schema: DefaultSchema, pool: &PgPool) -> Self {
        Self {
            sql: sql.cloned().ok_or(NoFeed),
            pool: pool.clone(),
            schema,
            settings: Settings {
                min_wait: Duration::from_millis(10),
                max_wait: Duration::from_secs(1),
                keep: KEPT,
                max_keys: 1_000,
                listen: true,
            },
        }
    }

    /// Sets how long the feed waits between two looks while documents change. 10 milliseconds by default.
    pub fn min_wait(mut self, wait: Duration) -> Self {
        self.settings.min_wait = wait;
        self.settings.max_wait = self.settings.max_wait.max(wait);
        self
    }

    /// Sets how long the feed waits between two looks while nothing changes, if nobody can wake it. 1 second by default.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.settings.max_wait = wait;
        self.settings.min_wait = self.settings.min_wait.min(wait);
        self
    }

    /// Sets whether the feed sleeps until a writer wakes it. It does by default, if notifications arrive.
    pub fn listen(mut self, on: bool) -> Self {
        self.settings.listen = on;
        self
    }

    /// Sets how long changes are kept. 10 minutes by default: a feed whose connection is lost for longer reads all pictures
    /// again. They are deleted after that time, and before twice that time, by the feeds and sinks that run; without
    /// any, they are not.
    pub fn keep(mut self, time: Duration) -> Self {
        self.settings.keep = time;
        self
    }

    /// Sets how many keys may wait in a stream of [`changes`](Feed::changes) that are not taken. 1,000 by default; more
    /// become a [`Reset`](super::DocumentChange::Reset).
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.settings.max_keys = keys.max(1);
        self
    }

    /// Starts the feed: a task of the runtime, which ends when the last [`Feed`] and the last stream of it are dropped.
    ///
    /// # Errors
    /// [`Error::NoFeed`](crate::Error::NoFeed) if the read model was built without
    /// [`feed`](crate::model::ReadModelBuilder::feed). If the tables of the feed cannot be read, since they were not
    /// [migrated](crate::ReadModel::migrate) or the role may not.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn start(self) -> Result<Feed> {
        let readers = Readers::from(self.pool.clone()).in_schema(self.schema);
        let sql = self.sql.map_err(|NoFeed| Error::NoFeed)?;
        let (shared, kicks) = Shared::new(self.pool, sql, self.settings, self.schema, readers);
        let shared = Arc::new(shared);
        Reader::start(&shared, kicks).await?;
        Ok(Feed::of(shared))
    }
}
