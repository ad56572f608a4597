//! `WaitSynced`: waits until the documents of a transaction are synced.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::{Duration, Instant};

use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use sqlx_core::rt;

use crate::db::lease::Lease;
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::mutation::token::SyncToken;
use crate::sql::queue::{ON_REPLICA, QueueSql};

/// The time after which a wait is an error, by default.
const DEFAULT_TIME: Duration = Duration::from_secs(5);
const MIN_WAIT: Duration = Duration::from_millis(2);
const MAX_WAIT: Duration = Duration::from_millis(50);

/// A wait for the documents of a transaction: [`ReadModel::wait_synced`](crate::ReadModel::wait_synced).
/// Awaiting it waits.
#[must_use = "it waits when it is awaited"]
pub struct WaitSynced<'a> {
    queue: &'a QueueSql,
    pool: &'a PgPool,
    token: SyncToken,
    time: Duration,
}

impl<'a> WaitSynced<'a> {
    pub(crate) fn new(queue: &'a QueueSql, pool: &'a PgPool, token: SyncToken) -> Self {
        Self {
            queue,
            pool,
            token,
            time: DEFAULT_TIME,
        }
    }

    /// Sets how long it waits at most: 5 seconds by default.
    pub fn within(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    async fn wait(self) -> Result<()> {
        if self.token.is_none() {
            return Ok(());
        }
        let start = Instant::now();
        let mut wait = MIN_WAIT;
        loop {
            let left = self.left().await?;
            if left.is_empty() {
                return Ok(());
            }
            // A dead letter is tried again only if somebody says so.
            let all_dead = left.iter().all(|left| left.dead);
            if all_dead || start.elapsed() >= self.time {
                return Err(Error::NotSynced {
                    waited: start.elapsed(),
                    left: left.into_iter().map(|left| left.text).collect(),
                });
            }
            rt::sleep(wait.min(self.time.saturating_sub(start.elapsed()))).await;
            wait = (wait * 3 / 2).min(MAX_WAIT);
        }
    }

    /// What is left of the transaction; a few of many.
    async fn left(&self) -> Result<Vec<Left>> {
        let mut connection = Lease::acquire(self.pool, "wait for documents").await?;
        let left = Statement::composed(self.queue.left_of.clone(), Operation::Changes)
            .bind(self.queue.model)
            .bind(self.token.to_string())
            .fetch_each(&mut connection, Left::read)
            .await;
        connection.release();
        left
    }
}

/// A change that is left.
struct Left {
    text: String,
    dead: bool,
}

impl Left {
    fn read(row: &PgRow) -> sqlx::Result<Self> {
        let (table, operation): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (key, error): (Option<String>, Option<String>) = (row.try_get(2)?, row.try_get(3)?);
        let dead = row.try_get::<Option<bool>, _>(4)?.unwrap_or(false);
        let mut text = match (&*operation, key) {
            ("SYNC", Some(key)) => format!("{table}: documents from {key} on"),
            ("SYNC", None) => format!("{table}: all documents"),
            // It makes no sense to wait here: nothing is left of changes that are not there yet.
            (ON_REPLICA, _) => {
                "the server is a replica, which may not have the changes yet: wait on the primary"
                    .to_owned()
            }
            _ => format!("{table}: {operation}"),
        };
        if let Some(error) = error {
            let what = if dead { "given up" } else { "failing" };
            text = format!("{text} ({what}: {error})");
        }
        Ok(Self { text, dead })
    }
}

impl<'a> IntoFuture for WaitSynced<'a> {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.wait())
    }
}

impl fmt::Debug for WaitSynced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitSynced")
            .field("token", &self.token)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}
