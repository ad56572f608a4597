//! The sync log: its settings, reading and pruning it, and writing its rows.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection, PgPool, Row as _};

use crate::db::scope::{TransactionScope, in_savepoint, script_in_savepoint};
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::mutex::lock;
use crate::schema::TableName;
use crate::schema::default_schema::DefaultSchema;
use crate::sql::log as sql;
use crate::sql::log::{LogSql, MAX_PRUNED};
use crate::sync::event::BatchEvent;
use crate::sync::log::entry::LogEntry;
use crate::sync::log::row::LogRow;
use crate::sync::report::SyncReport;

/// The time between two prunes of one process.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The longest age that [`SyncLog::keep`] can set, a thousand years. PostgreSQL cannot subtract much
/// more from a `timestamptz`, so rows are not deleted if it is longer.
const MAX_AGE: Duration = Duration::from_secs(1_000 * 365 * 24 * 60 * 60);

/// A table with a row for each batch, also for those that failed.
///
/// It is passed to the [read model](crate::model::ReadModelBuilder::sync_log), whose `migrate` creates
/// the table. The batches of calls on [`ReadModel::on`](crate::ReadModel::on) are logged. Clones share
/// what [`set_enabled`](Self::set_enabled) and [`set_failures_only`](Self::set_failures_only) set.
///
/// | column | type | |
/// |---|---|---|
/// | `id` | `bigint` | |
/// | `created_at` | `timestamptz` | when the batch ended |
/// | `entity` | `text` | the view: `post` |
/// | `mode` | `text` | `sync`, `delete` or `full` |
/// | `keys` | `bigint` | the number of keys of the batch; 0 if a call failed outside of a batch |
/// | `inserted`, `updated`, `unchanged`, `deleted`, `invalid` | `bigint` | documents, as in the [`SyncReport`] |
/// | `duration` | `interval` | the time the batch took, with its retries |
/// | `retries` | `integer` | how often it was retried |
/// | `success` | `boolean` | whether it succeeded, also with invalid documents |
/// | `error` | `text` | the error, or the first invalid documents and their reasons |
///
/// A batch that succeeds is logged on the connection that synced it: inside a transaction the row
/// becomes visible with the documents, or, after a rollback, never. A batch that fails is logged on
/// another connection, and its row stays: an idle connection of the log's pool, or a new one if none
/// is idle, so that a transaction that holds the last connection of the pool does not wait for
/// itself. The pool must connect to the database that is synced. A batch whose future is dropped
/// before its end has no row.
///
/// If the log cannot be written, the sync does not fail. The error is traced, and passed to
/// [`SyncObserver::log_failed`](crate::sync::SyncObserver::log_failed).
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
    /// The statements, or an invalid table name and the reason why it is invalid.
    sql: Arc<std::result::Result<LogSql, (String, &'static str)>>,
    switches: Arc<Switches>,
}

/// What the clones of a log share.
struct Switches {
    enabled: AtomicBool,
    failures_only: AtomicBool,
    /// When old rows were last looked for.
    pruned: Mutex<Option<Instant>>,
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

/// Settings.
impl SyncLog {
    /// A log in the table `public.sync_log`, whose rows are never deleted.
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

    /// Sets the name of the table: `"sync_log"`, or `"ops.sync_log"` in a schema that exists. Names
    /// are taken as they are, also with upper case letters. An invalid name is an error of
    /// [`build`](crate::model::ReadModelBuilder::build).
    #[must_use]
    pub fn table(mut self, name: &str) -> Self {
        self.sql = Arc::new(composed(name));
        self
    }

    /// Deletes rows that are older than `age`: at most 1,000 after a row was written, once an hour,
    /// or more often until none is left. [`prune`](Self::prune) deletes them at once.
    #[must_use]
    pub fn keep(mut self, age: Duration) -> Self {
        self.keep = (age < MAX_AGE).then_some(age);
        self
    }

    /// Switches the log off or on, at any time. By default it is on.
    pub fn set_enabled(&self, enabled: bool) {
        self.switches.enabled.store(enabled, Ordering::Relaxed);
    }

    /// Whether the log is switched on.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.switches.enabled.load(Ordering::Relaxed)
    }

    /// Logs only batches that fail, or all of them, which is the default.
    pub fn set_failures_only(&self, only: bool) {
        self.switches.failures_only.store(only, Ordering::Relaxed);
    }

    /// The statements that create the table, for applications with migrations of their own.
    /// `migrate` runs them if the table is missing.
    ///
    /// # Errors
    /// If the name of the table is invalid.
    pub fn ddl(&self) -> Result<Vec<String>> {
        Ok(self.sql()?.ddl.iter().map(|sql| sql.to_string()).collect())
    }

    /// The schema, the name, and the quoted name with schema of the table; `None` if it is not valid.
    pub(crate) fn table_name(&self) -> Option<(&str, &str, &str)> {
        let sql = self.sql().ok()?;
        Some((&sql.table_name.schema, &sql.table_name.name, &sql.table))
    }

    /// Whether the name of the table is valid.
    pub(crate) fn check(&self) -> Result<()> {
        self.sql().map(|_| ())
    }

    /// The same log in the schema that stands for `public`.
    pub(crate) fn in_schema(&self, schema: DefaultSchema) -> Self {
        let Ok(sql) = &*self.sql else {
            return self.clone();
        };
        let TableName { schema, name } = schema.table_name(sql.table_name.clone());
        let composed = sql::compose_in(&sql.name, &schema, &name);
        Self {
            sql: Arc::new(composed.map_err(|reason| (sql.name.clone(), reason))),
            ..self.clone()
        }
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

/// Reading and pruning.
impl SyncLog {
    /// The last `limit` rows, newest first.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn recent(&self, limit: u32) -> Result<Vec<LogEntry>> {
        let sql = self.sql()?;
        let mut connection = self
            .pool
            .acquire()
            .await
            .map_err(failed(Operation::Read, sql))?;
        let rows = Statement::composed(Arc::clone(&sql.recent), Operation::Read)
            .on(sql.table_name.clone())
            .bind(i64::from(limit))
            .fetch_all(&mut connection)
            .await?;
        rows.iter()
            .map(LogEntry::read)
            .collect::<sqlx::Result<_>>()
            .map_err(failed(Operation::Read, sql))
    }

    /// Deletes the rows that are older than [`keep`](Self::keep) allows, 1,000 at a time, and
    /// returns their number. Without `keep` no row is deleted.
    ///
    /// # Errors
    /// If the database refuses. Rows that were deleted before stay deleted.
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
            let deleted = prune_some(sql, age, &mut connection).await?;
            total += deleted;
            if deleted < MAX_PRUNED {
                return Ok(total);
            }
        }
    }

    /// What of the table is missing, and the statements that create it.
    pub(crate) async fn missing(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Option<(String, Vec<Arc<str>>)>> {
        let sql = self.sql()?;
        let operation = Operation::Inspect("the sync log".to_owned());
        let (exists, is_old): (bool, bool) = Statement::new(sql::EXISTS, operation)
            .on(sql.table_name.clone())
            .bind(&sql.table)
            .fetch_one(connection, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .await?;
        let table = &sql.table;
        Ok(match (exists, is_old) {
            (false, _) => Some((format!("table {table}"), sql.ddl.clone())),
            (true, true) => {
                let what = format!("column \"created_at\" of {table}");
                Some((what, vec![Arc::clone(&sql.rename)]))
            }
            (true, false) => None,
        })
    }

    /// Deletes some old rows, unless this process did so lately. `own` is a connection outside of
    /// any transaction.
    async fn prune_when_due(&self, sql: &LogSql, own: Option<&mut PgConnection>) -> Result<()> {
        let Some(age) = self.keep else {
            return Ok(());
        };
        if !self.claim_prune() {
            return Ok(());
        }
        let deleted = match own {
            Some(connection) => prune_some(sql, age, connection).await?,
            None => match self.pool.try_acquire() {
                Some(mut idle) => prune_some(sql, age, &mut idle).await?,
                // No connection to delete on. The next row tries again.
                None => MAX_PRUNED,
            },
        };
        if deleted == MAX_PRUNED {
            // More rows may be left: the next row continues.
            *self.pruned() = None;
        }
        Ok(())
    }

    /// Whether it is time to prune. If so, it is marked as done, so that no other task prunes too.
    fn claim_prune(&self) -> bool {
        let mut pruned = self.pruned();
        let due = pruned.is_none_or(|last| last.elapsed() >= PRUNE_INTERVAL);
        if due {
            *pruned = Some(Instant::now());
        }
        due
    }

    fn pruned(&self) -> MutexGuard<'_, Option<Instant>> {
        lock(&self.switches.pruned)
    }
}

/// Writing.
impl SyncLog {
    /// Logs a batch that succeeded, on the connection that synced it.
    pub(in crate::sync) async fn success(
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
        let row = LogRow::success(sql, event, report);
        // The caller's transaction goes on if the row cannot be written.
        let mut row_scope = scope;
        in_savepoint(connection, &mut row_scope, async |connection, _| {
            row.insert(connection).await
        })
        .await?;
        // Deleting old rows in the caller's transaction would lock them until it ends.
        let own = (scope == TransactionScope::Own).then_some(connection);
        self.prune_when_due(sql, own).await
    }

    /// Logs batches that were written in the caller's transaction, by one message.
    pub(in crate::sync) async fn successes(
        &self,
        events: &[(BatchEvent<'_>, &SyncReport)],
        connection: &mut PgConnection,
    ) -> Result<()> {
        if events.is_empty()
            || !self.is_enabled()
            || self.switches.failures_only.load(Ordering::Relaxed)
        {
            return Ok(());
        }
        let sql = self.sql()?;
        let rows: Vec<String> = events
            .iter()
            .map(|(event, report)| LogRow::success(sql, event, report).values())
            .collect();
        let script = sql.insert_values(&rows);
        script_in_savepoint(connection, &script)
            .await
            .map_err(failed(Operation::WriteLog, sql))?;
        self.prune_when_due(sql, None).await
    }

    /// Logs a batch that failed, on a connection that no failed transaction holds.
    pub(in crate::sync) async fn failure(&self, event: &BatchEvent<'_>) -> Result<()> {
        let Err(error) = event.result else {
            return Ok(());
        };
        if !self.is_enabled() {
            return Ok(());
        }
        let sql = self.sql()?;
        let row = LogRow::failure(sql, event, error);
        self.insert_elsewhere(&row).await?;
        self.prune_when_due(sql, None).await
    }

    /// Inserts a row on an idle connection of the pool, or on a new one. It does not wait for a
    /// connection: the caller may hold the last one, and would wait for itself.
    async fn insert_elsewhere(&self, row: &LogRow<'_>) -> Result<()> {
        if let Some(mut idle) = self.pool.try_acquire() {
            match row.insert_with_timeout(&mut idle).await {
                // The server closed it while it was idle. `try_acquire` does not test connections.
                Err(error) if error.is_lost_connection() => {}
                result => return result,
            }
        }
        let mut new = PgConnection::connect_with(&self.pool.connect_options())
            .await
            .map_err(row.failed())?;
        row.insert_with_timeout(&mut new).await?;
        new.close().await.map_err(row.failed())
    }
}

fn composed(name: &str) -> std::result::Result<LogSql, (String, &'static str)> {
    sql::compose(name).map_err(|reason| (name.to_owned(), reason))
}

/// Maps an error to one that names the log's table: `reading "public"."sync_log": ..`.
fn failed(operation: Operation, sql: &LogSql) -> impl FnOnce(sqlx::Error) -> Error + use<> {
    Error::on_table(operation, sql.table_name.clone())
}

/// Deletes at most [`MAX_PRUNED`] rows that are older than `age`, and returns their number.
async fn prune_some(sql: &LogSql, age: Duration, connection: &mut PgConnection) -> Result<u64> {
    Statement::composed(Arc::clone(&sql.prune), Operation::PruneLog)
        .on(sql.table_name.clone())
        .bind(age.as_secs_f64())
        .execute(connection)
        .await
}
