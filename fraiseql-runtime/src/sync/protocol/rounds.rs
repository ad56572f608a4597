//! The two protocols: which statements a batch takes, and what follows from their answers.

use sqlx::{AssertSqlSafe, Row};

use crate::db::scope::TransactionScope;
use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Operation, Result};
use crate::schema::key::Keys;
use crate::sql::sync::{FEW, keep_out};
use crate::sync::protocol::Batch;
use crate::sync::protocol::answer::Answer;
use crate::sync::protocol::statement::Form;
use crate::sync::report::SyncReport;
use crate::sync::telemetry;

/// How often what is blocked is built again. Once is enough unless a document is created
/// and deleted by others in between.
const REBUILDS: usize = 5;
/// How often it is asked whether others are still writing, first after [`FIRST_WAIT`], then after
/// twice as long each time: for a second in all.
const WAITS: i32 = 10;
/// Seconds.
const FIRST_WAIT: f64 = 0.001;

impl Batch<'_> {
    /// After the commit.
    pub(super) async fn guarded(&mut self, keys: &Keys) -> Result<SyncReport> {
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
        self.finish(answer, TransactionScope::Own).await
    }

    /// As inside a transaction. A role that may not lock rows does not wait for them: then it is
    /// as if nothing were open.
    async fn behind_open_transactions(&mut self, keys: &Keys) -> Result<Answer> {
        telemetry::waiting_for_open(self.view);
        let locked = self
            .in_own_transaction(async |batch| {
                let (answer, _) = batch.lock_and_write(keys, TransactionScope::Own).await?;
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
            trace_statement(sql);
            writing = sqlx::query(sql)
                .bind(&answer.others)
                .bind(FIRST_WAIT * f64::from(1 << wait))
                .fetch_one(&mut *self.connection)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(self.failed(Operation::AwaitWriters))?;
            if !writing {
                break;
            }
        }
        if writing {
            return Ok(unsure);
        }
        let sql: &'static str = &self.sql.overwritten;
        trace_statement(sql);
        unsure
            .bind(sqlx::query(sql))
            .bind(snapshot)
            .fetch_one(&mut *self.connection)
            .await
            .and_then(|row| unsure.read(&row, 0))
            .map_err(self.failed(Operation::FindOverwritten))
    }

    /// Inside the writer's transaction.
    pub(super) async fn in_transaction(&mut self, keys: &Keys) -> Result<SyncReport> {
        let (mut answer, locked) = self.lock_and_write(keys, TransactionScope::Caller).await?;
        let mut restore = None;
        if !answer.session_ok {
            telemetry::session_redone(self.view);
            restore = Some(self.session().await?);
            self.set_session().await?;
            answer = self.write(keys, Form::Locked(&locked)).await?;
        }
        let report = self.finish(answer, TransactionScope::Caller).await?;
        if let Some(settings) = restore {
            self.restore(&settings).await?;
        }
        Ok(report)
    }

    /// Builds what was blocked once more, then deletes the new documents whose row was deleted
    /// while they were built. An older document needs no such look: whoever deletes its row
    /// finds it.
    pub(super) async fn finish(
        &mut self,
        answer: Answer,
        scope: TransactionScope,
    ) -> Result<SyncReport> {
        let mut report = answer.report();
        let mut inserted = answer.inserted;
        let mut blocked = answer.blocked;
        let mut missing = answer.missing;
        for _ in 0..REBUILDS {
            if blocked.is_empty() {
                break;
            }
            telemetry::rebuilding(self.view, &blocked);
            let answer = match scope {
                TransactionScope::Caller => self.write_locked(&blocked).await?,
                TransactionScope::Own => {
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
        if scope == TransactionScope::Caller && !missing.is_empty() {
            self.keep_out(&missing).await?;
        }
        if !inserted.is_empty() {
            let sql: &'static str = &self.sql.delete_orphans;
            trace_statement(sql);
            let orphans = inserted
                .bind(sqlx::query(sql))
                .execute(&mut *self.connection)
                .await
                .map_err(self.failed(Operation::DeleteOrphans))?
                .rows_affected();
            report.inserted = report.inserted.saturating_sub(orphans);
        }
        Ok(report)
    }

    /// A row that the caller has deleted is still there for others, until the caller commits:
    /// they would insert a document for it.
    async fn keep_out(&mut self, missing: &Keys) -> Result<()> {
        let sql = keep_out(self.view.view, &missing.array());
        trace_statement(&sql);
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut *self.connection)
            .await
            .map_err(self.failed(Operation::BlockInserts))?;
        Ok(())
    }
}
