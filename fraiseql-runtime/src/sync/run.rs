//! The two protocols for a batch of keys: after the commit, and inside the writer's
//! transaction.
//!
//! After the commit, one guarded statement builds, compares, writes and deletes. It only
//! replaces documents that its snapshot has seen: `EXCLUDED` was computed before the wait for a
//! row lock, so a document that was written meanwhile may be newer. What it did not write, and
//! what it skipped while others were about to write, is locked first and then built again, in a
//! snapshot that is newer than the lock. Inside a transaction everything is locked first.
//!
//! [`write`](crate::sql::write) says why that is enough.

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::error::{Error, Result};
use crate::key::Keys;
use crate::sql::lock;
use crate::sql::session::SET_LOCAL;
use crate::sql::sync::{FEW, SyncSql, keep_out};
use crate::sql::write::answer;
use crate::sync::report::SyncReport;
use crate::sync::telemetry;
use crate::view::Handle;

/// How often what is blocked is built again. Once is enough unless a document is created
/// and deleted by others in between.
const REBUILDS: usize = 5;
/// How often it is asked whether others are still writing, first after [`FIRST_WAIT`], then after
/// twice as long each time: for a second in all.
const WAITS: i32 = 10;
/// Seconds.
const FIRST_WAIT: f64 = 0.001;

/// What the write statement answered.
struct Answer {
    session_ok: bool,
    found: u64,
    changed: u64,
    written: u64,
    deleted: Keys,
    bytes: u64,
    inserted: Keys,
    /// Documents that another transaction wrote after the snapshot or has locked, and that were
    /// not replaced or deleted, or not skipped for good.
    blocked: Keys,
    /// How many of these are equal.
    blocked_equal: u64,
    /// Equal documents that others may be about to replace.
    unsure: Keys,
    /// These others, by transaction.
    others: Vec<String>,
    snapshot: Option<String>,
    /// A transaction that has synced is not over.
    open: bool,
    /// Keys without a row or a document.
    missing: Keys,
}

impl Answer {
    /// What was done. Keys that were blocked are not counted: they will be.
    fn report(&self) -> SyncReport {
        let inserted = self.inserted.len() as u64;
        SyncReport {
            inserted,
            updated: self.written - inserted,
            unchanged: self.found - self.changed - self.blocked_equal,
            deleted: self.deleted.len() as u64,
            bytes: self.bytes,
            ..SyncReport::default()
        }
    }

    /// Equal documents are to be looked at again.
    fn block_equal(&mut self, keys: Keys) {
        self.blocked_equal += keys.len() as u64;
        self.blocked.append(keys);
    }
}

/// How the statement is run.
#[derive(Clone, Copy)]
enum Form<'k> {
    /// As a transaction of its own.
    Guarded,
    /// With these documents locked.
    Locked(&'k Keys),
}

/// Whose transaction a batch runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Each statement's own, or one that is begun and committed here.
    Own,
    /// The caller's.
    Callers,
}

/// A batch of one view on one connection.
pub(super) struct Batch<'c> {
    pub(super) connection: &'c mut PgConnection,
    view: Handle,
    sql: &'static SyncSql,
    /// The backends that are known to write other documents.
    friends: &'c [i32],
}

/// The protocol after the commit: the statement is its own transaction. `friends` are the
/// backends that are known to write other documents.
pub(crate) async fn guarded(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    friends: &[i32],
) -> Result<SyncReport> {
    let mut batch = Batch::new(connection, view);
    batch.friends = friends;
    batch.guarded(keys).await
}

/// The protocol inside the writer's transaction.
pub(crate) async fn in_transaction(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
) -> Result<SyncReport> {
    Batch::new(connection, view).in_transaction(keys).await
}

/// The protocol for documents that take each other's values in `unique` columns, which one
/// statement cannot give them: in a transaction, the columns are emptied first.
pub(crate) async fn exchanging(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    clear: &'static str,
    place: Place,
) -> Result<SyncReport> {
    let mut batch = Batch::new(connection, view);
    let exchange = async |batch: &mut Batch<'_>| {
        let locked = batch.lock_documents(keys).await?;
        telemetry::statement(clear);
        keys.bind(sqlx::query(clear))
            .execute(&mut *batch.connection)
            .await
            .map_err(batch.failed("emptying unique columns of"))?;
        batch.write(keys, Form::Locked(&locked)).await
    };
    let answer = match place {
        Place::Own => batch.in_own_transaction(exchange).await?,
        Place::Callers => exchange(&mut batch).await?,
    };
    batch.finish(answer, place).await
}

/// There is nothing to sync; but what this transaction has changed may come to be embedded while
/// it is open.
pub(crate) async fn announce(connection: &mut PgConnection, view: Handle) -> Result<()> {
    let sql: &'static str = &view.statements().sync.announce;
    telemetry::statement(sql);
    let batch = Batch::new(connection, view);
    let failed = batch.failed("announcing a transaction to other syncs of");
    sqlx::query(sql)
        .execute(batch.connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Deletes documents, and says how many there were.
pub(crate) async fn delete(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
) -> Result<u64> {
    let sql: &'static str = &view.statements().sync.delete;
    telemetry::statement(sql);
    let done = keys
        .bind(sqlx::query(sql))
        .execute(connection)
        .await
        .map_err(Error::database(format!(
            "deleting documents of {}",
            view.view.table
        )))?;
    Ok(done.rows_affected())
}

impl<'c> Batch<'c> {
    pub(super) fn new(connection: &'c mut PgConnection, view: Handle) -> Self {
        Self {
            connection,
            view,
            sql: &view.statements().sync,
            friends: &[],
        }
    }

    async fn guarded(&mut self, keys: &Keys) -> Result<SyncReport> {
        let mut answer = self.write(keys, Form::Guarded).await?;
        if !answer.session_ok && !answer.open {
            telemetry::session_redone(self.view);
            answer = self
                .in_own_transaction(async |batch| batch.write(keys, Form::Guarded).await)
                .await?;
        }
        if answer.open {
            answer = self.behind_open_transactions(keys).await?;
        }
        let unsure = std::mem::replace(&mut answer.unsure, keys.none());
        if !unsure.is_empty() {
            let overwritten = self.overwritten(unsure, &answer).await?;
            answer.block_equal(overwritten);
        }
        self.finish(answer, Place::Own).await
    }

    /// As inside a transaction. A role that may not lock rows does not wait for them: then it is
    /// as if nothing were open.
    async fn behind_open_transactions(&mut self, keys: &Keys) -> Result<Answer> {
        telemetry::waiting_for_open(self.view);
        let locked = self
            .in_own_transaction(async |batch| {
                let (answer, _) = batch.lock_and_write(keys, Place::Own).await?;
                Ok(answer)
            })
            .await;
        match locked {
            Err(error) if error.is_about_locking() => {
                self.in_own_transaction(async |batch| batch.write_locked(keys).await)
                    .await
            }
            result => result,
        }
    }

    /// Which of these equal documents are to be looked at again: those that were overwritten,
    /// or still may be.
    async fn overwritten(&mut self, unsure: Keys, answer: &Answer) -> Result<Keys> {
        // Of few, looking again is cheaper than asking.
        let Some(snapshot) = &answer.snapshot else {
            return Ok(unsure);
        };
        if unsure.len() <= FEW || answer.others.is_empty() {
            return Ok(unsure);
        }
        let sql: &'static str = &self.sql.still_writing;
        let mut writing = true;
        for wait in 0..WAITS {
            telemetry::statement(sql);
            writing = sqlx::query(sql)
                .bind(&answer.others)
                .bind(FIRST_WAIT * f64::from(1 << wait))
                .fetch_one(&mut *self.connection)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(self.failed("waiting for others who write"))?;
            if !writing {
                break;
            }
        }
        if writing {
            return Ok(unsure);
        }
        let sql: &'static str = &self.sql.overwritten;
        telemetry::statement(sql);
        unsure
            .bind(sqlx::query(sql))
            .bind(snapshot)
            .fetch_one(&mut *self.connection)
            .await
            .and_then(|row| unsure.read(&row, 0))
            .map_err(self.failed("asking what others have written to"))
    }

    async fn in_transaction(&mut self, keys: &Keys) -> Result<SyncReport> {
        let (mut answer, locked) = self.lock_and_write(keys, Place::Callers).await?;
        let mut restore = None;
        if !answer.session_ok {
            telemetry::session_redone(self.view);
            restore = Some(self.session().await?);
            self.set_session().await?;
            answer = self.write(keys, Form::Locked(&locked)).await?;
        }
        let report = self.finish(answer, Place::Callers).await?;
        if let Some(settings) = restore {
            self.restore(&settings).await?;
        }
        Ok(report)
    }

    /// Builds what was blocked once more, then deletes the new documents whose row was deleted
    /// while they were built. An older document needs no such look: whoever deletes its row
    /// finds it.
    async fn finish(&mut self, answer: Answer, place: Place) -> Result<SyncReport> {
        let mut report = answer.report();
        let mut inserted = answer.inserted;
        let mut blocked = answer.blocked;
        let mut missing = answer.missing;
        for _ in 0..REBUILDS {
            if blocked.is_empty() {
                break;
            }
            telemetry::rebuilding(self.view, &blocked);
            let answer = match place {
                Place::Callers => self.write_locked(&blocked).await?,
                Place::Own => {
                    self.in_own_transaction(async |batch| batch.write_locked(&blocked).await)
                        .await?
                }
            };
            report += answer.report();
            inserted.append(answer.inserted);
            missing.append(answer.missing);
            blocked = answer.blocked;
        }
        if !blocked.is_empty() {
            return Err(Error::Contended {
                view: self.view.view.table.to_string(),
                keys: blocked,
            });
        }
        if place == Place::Callers && !missing.is_empty() {
            self.keep_out(&missing).await?;
        }
        if !inserted.is_empty() {
            let sql: &'static str = &self.sql.delete_orphans;
            telemetry::statement(sql);
            let orphans = inserted
                .bind(sqlx::query(sql))
                .execute(&mut *self.connection)
                .await
                .map_err(self.failed("removing orphans of"))?
                .rows_affected();
            report.inserted = report.inserted.saturating_sub(orphans);
        }
        Ok(report)
    }

    /// A row that the caller has deleted is still there for others, until the caller commits:
    /// they would insert a document for it.
    async fn keep_out(&mut self, missing: &Keys) -> Result<()> {
        let sql = keep_out(self.view.view, &missing.array());
        telemetry::statement(&sql);
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut *self.connection)
            .await
            .map_err(self.failed("keeping others from inserting documents without a row into"))?;
        Ok(())
    }

    /// Locks what the documents are made from, and those that exist, which it also says.
    async fn lock_and_write(&mut self, keys: &Keys, place: Place) -> Result<(Answer, Keys)> {
        let locked = self.lock(keys, place).await?;
        let answer = self.write(keys, Form::Locked(&locked)).await?;
        Ok((answer, locked))
    }

    /// Locks the documents first: then no other transaction can have written them after the
    /// snapshot that the new ones are built in.
    async fn write_locked(&mut self, keys: &Keys) -> Result<Answer> {
        let locked = self.lock_documents(keys).await?;
        self.write(keys, Form::Locked(&locked)).await
    }

    async fn write(&mut self, keys: &Keys, form: Form<'_>) -> Result<Answer> {
        let few = keys.len() <= FEW;
        let sql: &'static str = match form {
            Form::Guarded if few => &self.sql.write_few,
            Form::Guarded => &self.sql.write,
            Form::Locked(_) if few => &self.sql.write_locked_few,
            Form::Locked(_) => &self.sql.write_locked,
        };
        telemetry::statement(sql);
        let query = keys.bind(sqlx::query(sql));
        let query = match form {
            Form::Guarded => query.bind(self.friends),
            Form::Locked(locked) => locked.bind(query),
        };
        let row = query
            .fetch_one(&mut *self.connection)
            .await
            .map_err(self.failed("syncing"))?;
        let read = || -> sqlx::Result<Answer> {
            let count = |column| -> sqlx::Result<u64> {
                Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
            };
            let (changed, written) = (count(answer::CHANGED)?, count(answer::WRITTEN)?);
            let deleted = keys.read(&row, answer::DELETED)?;
            let mut blocked = keys.read(&row, answer::BLOCKED)?;
            let mut left_over = keys.read(&row, answer::ORPHANS)?;
            left_over.remove(&deleted);
            let mut answer = Answer {
                session_ok: row.try_get(answer::SESSION_OK)?,
                found: count(answer::FOUND)?,
                changed,
                written,
                deleted,
                bytes: count(answer::BYTES)?,
                inserted: keys.read(&row, answer::INSERTED)?,
                // Where a key has several rows, they are one key here, and several changed rows.
                blocked_equal: (blocked.len() as u64).saturating_sub(changed - written),
                blocked: keys.none(),
                unsure: keys.none(),
                others: Vec::new(),
                snapshot: None,
                open: false,
                missing: keys.none(),
            };
            match form {
                Form::Guarded => {
                    answer.unsure = keys.read(&row, answer::UNSURE)?;
                    let others: Option<_> = row.try_get(answer::OTHERS)?;
                    answer.others = others.unwrap_or_default();
                    answer.snapshot = row.try_get(answer::SNAPSHOT)?;
                    answer.open = row.try_get(answer::OPEN)?;
                }
                Form::Locked(_) => answer.missing = keys.read(&row, answer::MISSING)?,
            }
            blocked.append(left_over);
            answer.blocked = blocked;
            Ok(answer)
        };
        read().map_err(self.failed("reading the answer of syncing"))
    }

    /// Locks what the documents of `keys` are made from, and those that exist.
    async fn lock(&mut self, keys: &Keys, place: Place) -> Result<Keys> {
        let sql: &'static str = &self.sql.lock;
        telemetry::statement(sql);
        let read = |row: PgRow| -> sqlx::Result<(String, Keys)> {
            let documents = keys.read(&row, lock::answer::DOCUMENTS)?;
            Ok((row.try_get(lock::answer::ISOLATION)?, documents))
        };
        let (isolation, documents) = keys
            .bind(sqlx::query(sql))
            .bind(place == Place::Callers)
            .fetch_one(&mut *self.connection)
            .await
            .and_then(read)
            .map_err(self.failed("locking the rows of"))?;
        if isolation == "repeatable read" {
            return Err(Error::RepeatableRead);
        }
        Ok(documents)
    }

    /// Locks the view rows of `keys`; says which of them exist.
    pub(super) async fn lock_documents(&mut self, keys: &Keys) -> Result<Keys> {
        let sql: &'static str = &self.sql.lock_documents;
        telemetry::statement(sql);
        let locked = keys
            .bind(sqlx::query(sql))
            .fetch_one(&mut *self.connection)
            .await
            .and_then(|row| keys.read(&row, 0))
            .map_err(self.failed("locking documents of"))?;
        Ok(locked)
    }

    async fn in_own_transaction(
        &mut self,
        work: impl AsyncFnOnce(&mut Batch<'_>) -> Result<Answer>,
    ) -> Result<Answer> {
        let view = self.view;
        let failed = |what: &'static str| self.failed(what);
        let (begin_failed, commit_failed) = (failed("beginning to sync"), failed("committing"));
        let mut transaction = self
            .connection
            .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")
            .await
            .map_err(begin_failed)?;
        let mut batch = Batch::new(&mut transaction, view);
        batch.set_session().await?;
        let answer = work(&mut batch).await?;
        transaction.commit().await.map_err(commit_failed)?;
        Ok(answer)
    }

    /// Makes this transaction print times and floats as documents need them.
    async fn set_session(&mut self) -> Result<()> {
        if !self.sql.needs.any() {
            return Ok(());
        }
        self.connection
            .execute(SET_LOCAL)
            .await
            .map_err(self.failed("preparing the session for"))?;
        Ok(())
    }

    async fn session(&mut self) -> Result<(String, String)> {
        sqlx::query_as("SELECT pg_catalog.current_setting('TimeZone'), pg_catalog.current_setting('extra_float_digits')")
            .fetch_one(&mut *self.connection)
            .await
            .map_err(self.failed("reading the session's settings for"))
    }

    async fn restore(&mut self, (zone, digits): &(String, String)) -> Result<()> {
        sqlx::query(
            "SELECT pg_catalog.set_config('TimeZone', $1, true), pg_catalog.set_config('extra_float_digits', $2, true)",
        )
        .bind(zone)
        .bind(digits)
        .execute(&mut *self.connection)
        .await
        .map_err(self.failed("restoring the session after"))?;
        Ok(())
    }

    /// `syncing "public"."tv_post"`: what was being done when an error came.
    pub(super) fn failed(&self, what: &'static str) -> impl FnOnce(sqlx::Error) -> Error + use<> {
        let table = self.view.view.table;
        move |source| Error::database(format!("{what} {table}"))(source)
    }
}
