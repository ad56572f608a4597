//! The two protocols: which statements a batch takes, and in which order.

use crate::db::scope::TransactionScope;
use crate::error::{Error, Result};
use crate::schema::key::Keys;
use crate::sync::protocol::OpenWriters;
use crate::sync::protocol::lockable;
use crate::sync::protocol::outcome::{NextStep, Unconfirmed, WriteOutcome};
use crate::sync::protocol::writer::BatchWriter;
use crate::sync::report::SyncReport;
use crate::sync::telemetry;

/// How often documents in conflict are built again. Once is enough, unless other transactions
/// create and delete a document in between.
const MAX_REBUILDS: usize = 5;
/// How often the server is asked whether other transactions are still writing: after [`FIRST_WAIT`],
/// then after twice as long each time, for a second in all.
const MAX_WAITS: i32 = 10;
/// How often the server is asked whether transactions that have synced are still open, in the same
/// way, for four seconds in all.
const MAX_OPEN_WAITS: i32 = 12;
/// In seconds.
const FIRST_WAIT: f64 = 0.001;

impl BatchWriter<'_> {
    /// Writes the documents of `keys` in transactions of their own.
    ///
    /// Usually that is one statement, or two for a key whose document is equal or gone. Each further step is taken at most once, so the rounds end:
    /// a statement that runs with the settings that it needs does not ask for them, one that does
    /// not look for writers finds none, and no step after these asks for one of them.
    pub(super) async fn after_commit(
        &mut self,
        keys: &Keys,
        mut writers: OpenWriters,
    ) -> Result<SyncReport> {
        let mut settings_differ = self.session_is_unsuitable;
        // One document that has to be written is what a sync usually finds.
        if keys.len() == 1
            && writers == OpenWriters::WaitFor
            && !settings_differ
            && let Some(written) = self.write_one(keys).await?
        {
            return self.finish(written, TransactionScope::Own).await;
        }
        let mut outcome;
        loop {
            outcome = if settings_differ {
                self.in_own_transaction(async |writer| writer.write_guarded(keys, writers).await)
                    .await?
            } else {
                self.write_guarded(keys, writers).await?
            };
            match outcome.next_step() {
                NextStep::SetSession if !settings_differ => {
                    telemetry::session_redone(self.view);
                    settings_differ = true;
                }
                // The statement found nobody who holds the lock of open writers. So one that has
                // announced itself since will find the documents of this batch, and all earlier
                // ones are visible to the next snapshot.
                NextStep::WriteAgain => {
                    telemetry::writing_again(self.view);
                    writers = OpenWriters::Ignore;
                }
                _ => break,
            }
        }
        if outcome.next_step() == NextStep::LockRows {
            outcome = self.behind_active_writers(keys).await?;
        }
        match outcome.next_step() {
            NextStep::AwaitWriters => {
                let unconfirmed = outcome.take_unconfirmed();
                let overwritten = self.await_writers(unconfirmed).await?;
                outcome.mark_conflicted(overwritten);
            }
            NextStep::RebuildUnconfirmed => {
                let unconfirmed = outcome.take_unconfirmed();
                outcome.mark_conflicted(unconfirmed.keys);
            }
            _ => {}
        }
        self.finish(outcome, TransactionScope::Own).await
    }

    /// Writes as inside a transaction: locking the rows that the documents embed waits for the
    /// transaction that has changed them.
    async fn behind_active_writers(&mut self, keys: &Keys) -> Result<WriteOutcome> {
        telemetry::waiting_for_open(self.view);
        if lockable::may_leave_out(self.view) {
            // Locks do not wait for whoever changes what such a relation is computed from. If a
            // transaction stays open, the documents are as of now, and the sync that follows its
            // change has to repair them.
            self.await_open_writers().await?;
        }
        let outcome = self
            .in_own_transaction(async |writer| {
                let locked = writer.lock(keys, TransactionScope::Own).await?;
                writer.write_locked(keys, &locked).await
            })
            .await;
        match outcome {
            // The role lacks the privilege to lock rows, or a base table is a view that cannot be
            // locked. It waits for the transactions themselves, which is longer.
            Err(error) if error.is_about_locking() => {
                if !self.await_open_writers().await? {
                    return Err(error);
                }
                self.in_own_transaction(async |writer| {
                    writer.write_guarded(keys, OpenWriters::Ignore).await
                })
                .await
            }
            result => result,
        }
    }

    /// Waits for the transactions that have synced and are open now. Returns false if one of them
    /// still is after some seconds: it may be one that the caller itself holds open.
    async fn await_open_writers(&mut self) -> Result<bool> {
        let mut open = self.open_writers(None, 0.0).await?;
        let mut seconds = FIRST_WAIT;
        for _ in 0..MAX_OPEN_WAITS {
            if open.is_empty() {
                break;
            }
            open = self.open_writers(Some(&open), seconds).await?;
            seconds *= 2.0;
        }
        Ok(open.is_empty())
    }

    /// Waits for the transactions that may replace unconfirmed documents. Returns the documents
    /// that they have replaced, or all of them if the transactions go on for too long: building
    /// these again is always right, and waiting without limit could be a deadlock.
    async fn await_writers(&mut self, unconfirmed: Unconfirmed) -> Result<Keys> {
        let mut seconds = FIRST_WAIT;
        for _ in 0..MAX_WAITS {
            if !self
                .is_still_writing(&unconfirmed.conflicting_vxids, seconds)
                .await?
            {
                return self.overwritten(&unconfirmed).await;
            }
            seconds *= 2.0;
        }
        Ok(unconfirmed.keys)
    }

    /// Writes the documents of `keys` in the caller's transaction.
    pub(super) async fn in_transaction(
        &mut self,
        keys: &Keys,
        set_session: bool,
    ) -> Result<SyncReport> {
        if set_session {
            self.change_session().await?;
        }
        let locked = self.lock(keys, TransactionScope::Caller).await?;
        // A separate statement: in READ COMMITTED each statement takes a new snapshot, and this one
        // has to see what was committed while the previous one waited for its locks.
        let mut outcome = self.write_locked(keys, &locked).await?;
        if outcome.next_step() == NextStep::SetSession {
            self.change_session().await?;
            outcome = self.write_locked(keys, &locked).await?;
        }
        let report = self.finish(outcome, TransactionScope::Caller).await?;
        self.restore_session().await?;
        Ok(report)
    }

    /// Writes documents whose unique columns the statement `clear` empties first.
    pub(super) async fn exchanging(
        &mut self,
        keys: &Keys,
        clear: &'static str,
        scope: TransactionScope,
    ) -> Result<SyncReport> {
        let exchange = async |writer: &mut BatchWriter<'_>| {
            let locked = writer.lock_documents(keys).await?;
            writer.clear_unique(keys, clear).await?;
            writer.write_locked(keys, &locked).await
        };
        let outcome = match scope {
            TransactionScope::Own => self.in_own_transaction(exchange).await?,
            TransactionScope::Caller => {
                let mut outcome = exchange(self).await?;
                // The columns are empty, and nothing was written: it has to be done once more.
                if outcome.next_step() == NextStep::SetSession {
                    self.change_session().await?;
                    outcome = exchange(self).await?;
                }
                outcome
            }
        };
        let report = self.finish(outcome, scope).await?;
        self.restore_session().await?;
        Ok(report)
    }

    /// Locks documents, then builds and writes them in a snapshot that is newer than the locks: no
    /// other transaction can write them after that snapshot.
    async fn rebuild(&mut self, keys: &Keys) -> Result<WriteOutcome> {
        let locked = self.lock_documents(keys).await?;
        self.write_locked(keys, &locked).await
    }

    /// Builds documents in conflict again, then deletes what was inserted for rows that are gone.
    async fn finish(
        &mut self,
        outcome: WriteOutcome,
        scope: TransactionScope,
    ) -> Result<SyncReport> {
        let WriteOutcome {
            mut report,
            mut inserted,
            mut conflicted,
            mut absent,
            ..
        } = outcome;
        // After the lock, an existing document can no longer conflict. One that does not exist
        // cannot be locked: another transaction can still insert it before this one does. The next
        // round then locks it. So a conflict remains only if it was deleted again meanwhile, and a
        // bounded number of rounds is enough for every real case.
        for _ in 0..MAX_REBUILDS {
            if conflicted.is_empty() {
                break;
            }
            telemetry::rebuilding(self.view, &conflicted);
            let outcome = match scope {
                TransactionScope::Caller => self.rebuild(&conflicted).await?,
                // One transaction per round: the locks must last until the write, not longer.
                TransactionScope::Own => {
                    self.in_own_transaction(async |writer| writer.rebuild(&conflicted).await)
                        .await?
                }
            };
            report += outcome.report;
            inserted.append(outcome.inserted);
            absent.append(outcome.absent);
            conflicted = outcome.conflicted;
        }
        if !conflicted.is_empty() {
            return Err(Error::Contended {
                view: self.view.view.table.to_string(),
                keys: conflicted,
            });
        }
        if scope == TransactionScope::Caller && !absent.is_empty() {
            // The caller may have deleted a row that other transactions still see until the commit.
            // They would insert a document for it that no later sync deletes.
            self.block_inserts(&absent).await?;
        }
        if !inserted.is_empty() {
            // A row may have been deleted while its first document was built. The sync that follows
            // the deletion saw no document to delete. Documents that existed before need no such
            // check: that sync finds them.
            let orphans = self.delete_orphans(&inserted).await?;
            report.inserted = report.inserted.saturating_sub(orphans);
        }
        Ok(report)
    }
}
