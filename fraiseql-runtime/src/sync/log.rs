//! The log: a table with a row for each batch that was synced.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Postgres, Row};

use crate::db::mutex::lock;
use crate::db::scope::TransactionScope;
use crate::db::scope::in_savepoint;
use crate::error::{Error, Operation, Result};
use crate::sql::log as sql;
use crate::sql::log::{LogSql, PRUNED};
use crate::sync::event::BatchEvent;
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;

/// How often a process looks for rows that are too old.
const BETWEEN_PRUNES: Duration = Duration::from_secs(60 * 60);

/// How many invalid documents a row names.
const INVALID: usize = 10;

/// The longest time that rows are kept: what is longer is for ever.
const FOR_EVER: Duration = Duration::from_secs(1_000 * 365 * 24 * 60 * 60);

/// A table with a row for each batch that was synced, or failed to be.
///
/// It is given to the [read model](crate::model::ReadModelBuilder::sync_log), whose `migrate` creates
/// the table, and gets the batches that run on [`ReadModel::on`](crate::ReadModel::on). Clones
/// share their switches.
///
/// | column | type | |
/// |---|---|---|
/// | `id` | `bigint` | |
/// | `at` | `timestamptz` | when the batch was over |
/// | `entity` | `text` | the view: `post` |
/// | `mode` | `text` | `sync`, `delete` or `full` |
/// | `keys` | `bigint` | how many keys the batch had; 0 where a call failed outside of a batch |
/// | `inserted`, `updated`, `unchanged`, `deleted`, `invalid` | `bigint` | documents, as in the [`SyncReport`] |
/// | `duration` | `interval` | the time the batch took, with its retries |
/// | `retries` | `integer` | how often it was run again |
/// | `success` | `boolean` | whether it succeeded, also with invalid documents |
/// | `error` | `text` | why not, or the first invalid documents and what is wrong with them |
///
/// A batch that succeeds is logged on the connection that synced it. So inside a transaction
/// the row becomes visible with the documents, or, after a rollback, never. A batch that fails
/// is logged on another connection, and stays: one of the log's pool if one is idle, or else a
/// new one, so that a transaction which holds the pool's last connection does not wait for
/// itself. The pool must be one of the database that is synced. A batch whose future is dropped
/// before its end has no row.
///
/// A log that cannot be written fails no sync: `tracing` and the
/// [observers](crate::sync::SyncObserver::log_failed) are told.
///
/// ```
/// # #[derive(fraiseql_runtime::TView)]
/// # struct Post { id: i64, title: String }
/// use std::time::Duration;
///
/// use fraiseql_runtime::{ReadModel, SyncLog};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = dev_postgres::Server::shared()?;
/// # let pool = sqlx::PgPool::connect_with(server.create_database().await?).await?;
/// # sqlx::raw_sql("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes')").execute(&pool).await?;
/// let log = SyncLog::new(pool.clone()).keep(Duration::from_secs(30 * 24 * 3600));
/// let blog = ReadModel::builder().view::<Post>().sync_log(log.clone()).build()?;
/// blog.migrate(&pool).await?; // tv_post and sync_log
///
/// sync_post(blog.on(&pool), &[7]).await?;
///
/// let last = &log.recent(1).await?[0];
/// assert_eq!((last.entity.as_str(), last.inserted, last.success), ("post", 1, true));
/// # pool.close().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SyncLog {
    pool: PgPool,
    keep: Option<Duration>,
    /// Or the name that cannot be, and why.
    sql: Arc<std::result::Result<LogSql, (String, &'static str)>>,
    switches: Arc<Switches>,
}

struct Switches {
    enabled: AtomicBool,
    failures_only: AtomicBool,
    /// When old rows were last looked for.
    pruned: Mutex<Option<Instant>>,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// Counts up.
    pub id: i64,
    /// When the batch was over.
    pub at: SystemTime,
    /// The view's entity: `post`.
    pub entity: String,
    /// What was asked for.
    pub mode: Mode,
    /// How many keys the batch had.
    pub keys: u64,
    /// Documents that were not there before.
    pub inserted: u64,
    /// Documents that were replaced.
    pub updated: u64,
    /// Documents that were equal already.
    pub unchanged: u64,
    /// Documents that were deleted.
    pub deleted: u64,
    /// Documents that could not be written.
    pub invalid: u64,
    /// The time the batch took, with its retries.
    pub duration: Duration,
    /// How often it was run again after a deadlock or a serialization failure.
    pub retries: u32,
    /// Whether it succeeded, also with invalid documents.
    pub success: bool,
    /// Why not, or the first invalid documents and what is wrong with them.
    pub error: Option<String>,
}

impl fmt::Debug for SyncLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncLog")
            .field("table", &self.name())
            .field("keep", &self.keep)
            .field("enabled", &self.is_enabled())
            .finish_non_exhaustive()
    }
}

impl SyncLog {
    /// A log in the table `public.sync_log`, which keeps its rows.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            keep: None,
            sql: Arc::new(composed("public.sync_log")),
            switches: Arc::new(Switches {
                enabled: AtomicBool::new(true),
                failures_only: AtomicBool::new(false),
                pruned: Mutex::new(None),
            }),
        }
    }

    /// Names the table: `"sync_log"`, or `"ops.sync_log"` in a schema that exists. The names
    /// are taken as they are, upper case too. A name that cannot be is an error of
    /// [`build`](crate::model::ReadModelBuilder::build).
    #[must_use]
    pub fn table(mut self, name: &str) -> Self {
        self.sql = Arc::new(composed(name));
        self
    }

    /// Deletes rows that are older than `age`: at most 1,000 of them after a row was written,
    /// once an hour or until none is left. [`prune`](Self::prune) does it at once.
    #[must_use]
    pub fn keep(mut self, age: Duration) -> Self {
        self.keep = (age < FOR_EVER).then_some(age);
        self
    }

    /// Switches the log off or on, also while the application runs. It begins switched on.
    pub fn set_enabled(&self, enabled: bool) {
        self.switches.enabled.store(enabled, Ordering::Relaxed);
    }

    /// Whether it is switched on.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.switches.enabled.load(Ordering::Relaxed)
    }

    /// Logs only batches that fail, or all of them, which it begins with.
    pub fn set_failures_only(&self, only: bool) {
        self.switches.failures_only.store(only, Ordering::Relaxed);
    }

    /// The statements that create the table, for who has migrations of their own. `migrate`
    /// runs them where the table is missing.
    ///
    /// # Errors
    /// When the table's name cannot be one.
    pub fn ddl(&self) -> Result<Vec<String>> {
        Ok(self.sql()?.ddl.iter().map(|sql| sql.to_string()).collect())
    }

    /// The last `limit` rows, newest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn recent(&self, limit: u32) -> Result<Vec<LogEntry>> {
        let sql = self.sql()?;
        let rows = sqlx::query(AssertSqlSafe(Arc::clone(&sql.recent)))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(failed(Operation::Read, sql))?;
        rows.iter()
            .map(entry)
            .collect::<sqlx::Result<_>>()
            .map_err(failed(Operation::Read, sql))
    }

    /// Deletes the rows that are older than [`keep`](Self::keep) says, 1,000 at a time, and says
    /// how many there were. Without `keep` there are none.
    ///
    /// # Errors
    /// When the database refuses. What was deleted until then stays deleted.
    pub async fn prune(&self) -> Result<u64> {
        let Some(age) = self.keep else {
            return Ok(0);
        };
        let sql = self.sql()?;
        let mut connection = self
            .pool
            .acquire()
            .await
            .map_err(failed(Operation::PruneLog, sql))?;
        let mut total = 0;
        loop {
            let deleted = prune_some(sql, age, &mut connection)
                .await
                .map_err(failed(Operation::PruneLog, sql))?;
            total += deleted;
            if deleted < PRUNED {
                return Ok(total);
            }
        }
    }

    /// Whether the table's name can be one.
    pub(crate) fn check(&self) -> Result<()> {
        self.sql().map(|_| ())
    }

    /// The table and the statements that create it, where it is missing.
    pub(crate) async fn missing(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Option<(&str, Vec<Arc<str>>)>> {
        let sql = self.sql()?;
        let exists: bool = sqlx::query_scalar(sql::EXISTS)
            .bind(&sql.table)
            .fetch_one(connection)
            .await
            .map_err(failed(Operation::Inspect("the sync log".to_owned()), sql))?;
        Ok((!exists).then(|| (sql.table.as_str(), sql.ddl.clone())))
    }

    /// Logs a batch that succeeded, on the connection that synced it.
    pub(crate) async fn success(
        &self,
        event: &BatchEvent<'_>,
        report: &SyncReport,
        connection: &mut PgConnection,
        scope: TransactionScope,
    ) -> Result<()> {
        if !self.is_enabled() || self.switches.failures_only.load(Ordering::Relaxed) {
            return Ok(());
        }
        let sql = self.sql()?;
        let row = Entry {
            sql,
            event,
            report: Some(report),
            error: invalid(report),
        };
        let insert = async |connection: &mut PgConnection| {
            let inserted = row.insert(connection).await;
            inserted.map_err(failed(Operation::WriteLog, sql))
        };
        match scope {
            TransactionScope::Own => insert(connection).await?,
            TransactionScope::Caller => in_savepoint(connection, insert).await?,
        }
        let own = (scope == TransactionScope::Own).then_some(connection);
        self.prune_when_due(sql, own).await
    }

    /// Logs a batch that failed, on a connection that no failed transaction holds.
    pub(crate) async fn failure(&self, event: &BatchEvent<'_>) -> Result<()> {
        let Err(error) = event.result else {
            return Ok(());
        };
        if !self.is_enabled() {
            return Ok(());
        }
        let sql = self.sql()?;
        let row = Entry {
            sql,
            event,
            report: None,
            error: Some(error.to_string()),
        };
        self.insert_elsewhere(&row).await?;
        self.prune_when_due(sql, None).await
    }

    async fn insert_elsewhere(&self, row: &Entry<'_>) -> Result<()> {
        let writing = || failed(Operation::WriteLog, row.sql);
        if let Some(mut idle) = self.pool.try_acquire() {
            match row.insert_in_time(&mut idle).await.map_err(writing()) {
                // It was idle for too long.
                Err(error) if error.is_lost_connection() => {}
                result => return result,
            }
        }
        let mut new = PgConnection::connect_with(&self.pool.connect_options())
            .await
            .map_err(writing())?;
        row.insert_in_time(&mut new).await.map_err(writing())?;
        new.close().await.map_err(writing())
    }

    /// Deletes some old rows, if that was not done lately. `own` is a connection outside of any
    /// transaction.
    async fn prune_when_due(&self, sql: &LogSql, own: Option<&mut PgConnection>) -> Result<()> {
        let Some(age) = self.keep else {
            return Ok(());
        };
        if !self.claim_prune() {
            return Ok(());
        }
        let deleted = match own {
            Some(connection) => prune_some(sql, age, connection).await,
            None => match self.pool.try_acquire() {
                Some(mut idle) => prune_some(sql, age, &mut idle).await,
                // The next row tries again.
                None => Ok(PRUNED),
            },
        };
        let deleted = deleted.map_err(failed(Operation::PruneLog, sql))?;
        if deleted == PRUNED {
            *self.pruned() = None;
        }
        Ok(())
    }

    /// Whether it is time to prune; then no other does.
    fn claim_prune(&self) -> bool {
        let mut pruned = self.pruned();
        let due = pruned.is_none_or(|last| last.elapsed() >= BETWEEN_PRUNES);
        if due {
            *pruned = Some(Instant::now());
        }
        due
    }

    fn pruned(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        lock(&self.switches.pruned)
    }

    fn name(&self) -> &str {
        match &*self.sql {
            Ok(sql) => &sql.name,
            Err((name, _)) => name,
        }
    }

    fn sql(&self) -> Result<&LogSql> {
        self.sql
            .as_ref()
            .as_ref()
            .map_err(|(name, reason)| Error::LogName {
                name: name.clone(),
                reason,
            })
    }
}

fn composed(name: &str) -> std::result::Result<LogSql, (String, &'static str)> {
    sql::compose(name).map_err(|reason| (name.to_owned(), reason))
}

/// Writes `writing "public"."sync_log"` in front of an error.
fn failed(operation: Operation, sql: &LogSql) -> impl FnOnce(sqlx::Error) -> Error + use<> {
    Error::on_table(operation, sql.table_name.clone())
}

async fn prune_some(
    sql: &LogSql,
    age: Duration,
    connection: &mut PgConnection,
) -> sqlx::Result<u64> {
    sqlx::query(AssertSqlSafe(Arc::clone(&sql.prune)))
        .bind(age.as_secs_f64())
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
}

/// A row to be written.
struct Entry<'a> {
    sql: &'a LogSql,
    event: &'a BatchEvent<'a>,
    /// What was done, if it succeeded.
    report: Option<&'a SyncReport>,
    error: Option<String>,
}

impl Entry<'_> {
    fn query(&self) -> Query<'static, Postgres, PgArguments> {
        let Self {
            sql,
            event,
            report,
            error,
        } = self;
        #[allow(clippy::cast_precision_loss)] // exact for 285 years
        let microseconds = event.duration.as_micros() as f64;
        let count = |of: fn(&SyncReport) -> u64| signed(report.map_or(0, of));
        sqlx::query(AssertSqlSafe(Arc::clone(&sql.insert)))
            .bind(event.entity)
            .bind(event.mode.as_str())
            .bind(i64::try_from(event.keys.len()).unwrap_or(i64::MAX))
            .bind(count(|report| report.inserted))
            .bind(count(|report| report.updated))
            .bind(count(|report| report.unchanged))
            .bind(count(|report| report.deleted))
            .bind(count(|report| report.invalid.len() as u64))
            .bind(microseconds)
            .bind(i32::try_from(event.retries).unwrap_or(i32::MAX))
            .bind(report.is_some())
            .bind(error.clone())
    }

    async fn insert(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        self.query().execute(connection).await.map(|_| ())
    }

    /// Does not wait long for who has locked the table: that may be the transaction that waits
    /// for this.
    async fn insert_in_time(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let mut transaction = connection.begin().await?;
        transaction.execute("SET LOCAL lock_timeout = '2s'").await?;
        self.insert(&mut transaction).await?;
        transaction.commit().await
    }
}

/// The first invalid documents, and how many more there are.
fn invalid(report: &SyncReport) -> Option<String> {
    let mut lines: Vec<String> = report
        .invalid
        .iter()
        .take(INVALID)
        .map(ToString::to_string)
        .collect();
    let more = report.invalid.len().saturating_sub(INVALID);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn entry(row: &PgRow) -> sqlx::Result<LogEntry> {
    let count = |column| -> sqlx::Result<u64> {
        Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
    };
    let mode: String = row.try_get("mode")?;
    Ok(LogEntry {
        id: row.try_get("id")?,
        at: SystemTime::UNIX_EPOCH + Duration::from_micros(count("at")?),
        entity: row.try_get("entity")?,
        mode: Mode::named(&mode).ok_or_else(|| sqlx::Error::ColumnDecode {
            index: "mode".to_owned(),
            source: format!("`{mode}` is not a mode of a sync").into(),
        })?,
        keys: count("keys")?,
        inserted: count("inserted")?,
        updated: count("updated")?,
        unchanged: count("unchanged")?,
        deleted: count("deleted")?,
        invalid: count("invalid")?,
        duration: Duration::from_micros(count("duration")?),
        retries: u32::try_from(row.try_get::<i32, _>("retries")?).unwrap_or(0),
        success: row.try_get("success")?,
        error: row.try_get("error")?,
    })
}
