//! The statements of a batch, one at a time.

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use crate::db::scope::{BEGIN_READ_COMMITTED, ScopeErrors, TransactionScope, in_own_transaction};
use crate::db::session;
use crate::db::statement::{Statement, execute_script};
use crate::error::{Error, Operation, Result};
use crate::schema::key::Keys;
use crate::sql::delete::keep_out;
use crate::sql::lock::result_row as lock_row;
use crate::sql::session::{restore, settings};
use crate::sql::sync::{MAX_FEW_KEYS, SyncSql};
use crate::sql::write::protocol::WriteProtocol;
use crate::sync::protocol::OpenWriters;
use crate::sync::protocol::lockable;
use crate::sync::protocol::outcome::{NextStep, Unconfirmed, WriteOutcome};
use crate::sync::telemetry;
use crate::view::Handle;

/// Writes documents of one view on one connection.
pub(in crate::sync) struct BatchWriter<'c> {
    pub(in crate::sync) connection: &'c mut PgConnection,
    pub(super) view: Handle,
    sql: &'static SyncSql,
    /// The number of the transactions that are known to write other documents.
    peers: Option<i32>,
    /// Whether the session was found not to be what documents need.
    pub(super) session_is_unsuitable: bool,
    /// Whether this transaction has the settings that documents need because they were set.
    session_is_set: bool,
    /// The settings of the caller's transaction, if others were set in it.
    callers_settings: Option<Vec<Option<String>>>,
}

impl<'c> BatchWriter<'c> {
    pub(in crate::sync) fn new(connection: &'c mut PgConnection, view: Handle) -> Self {
        Self {
            connection,
            view,
            sql: &view.statements().sync,
            peers: None,
            session_is_unsuitable: false,
            session_is_set: false,
            callers_settings: None,
        }
    }

    pub(super) fn with_peers(mut self, peers: Option<i32>) -> Self {
        self.peers = peers;
        self
    }

    /// A statement whose errors name the view table.
    pub(in crate::sync) fn statement<'q>(
        &self,
        sql: &'static str,
        operation: Operation,
    ) -> Statement<'q> {
        let text = self
            .session_is_set
            .then(|| self.sql.session.in_set_session(sql))
            .flatten();
        match text {
            Some(text) => Statement::composed(text, operation),
            None => Statement::new(sql, operation),
        }
        .on(self.view.view.table)
    }
}

/// Transactions and session settings.
impl BatchWriter<'_> {
    /// Runs `work` in a READ COMMITTED transaction with the session settings that documents need.
    pub(super) async fn in_own_transaction<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut BatchWriter<'_>) -> Result<T>,
    ) -> Result<T> {
        let (view, peers) = (self.view, self.peers);
        let errors = ScopeErrors::of_steps(view.view.table);
        in_own_transaction(
            self.connection,
            BEGIN_READ_COMMITTED,
            &errors,
            async |connection| {
                let mut writer = BatchWriter::new(connection, view).with_peers(peers);
                writer.set_session().await?;
                work(&mut writer).await
            },
        )
        .await
    }

    /// Sets what documents need for the rest of the transaction.
    async fn set_session(&mut self) -> Result<()> {
        session::set_local(self.connection, self.view).await?;
        self.session_is_set = true;
        Ok(())
    }

    /// Gives the caller's transaction the settings that documents need.
    ///
    /// They last until the end of the transaction, which is the caller's, so
    /// [`restore_session`](Self::restore_session) has to follow. After an error the savepoint restores
    /// the settings.
    pub(super) async fn change_session(&mut self) -> Result<()> {
        telemetry::session_redone(self.view);
        let table = self.view.view.table;
        let present: Vec<Option<String>> =
            Statement::composed(settings(), Operation::SessionSettings)
                .on(table)
                .fetch_one(self.connection, |row| row.try_get(0))
                .await?;
        self.callers_settings = Some(present);
        self.set_session().await
    }

    /// Restores the settings of the caller, if they were changed.
    pub(super) async fn restore_session(&mut self) -> Result<()> {
        if let Some(callers) = self.callers_settings.take() {
            self.session_is_set = false;
            Statement::composed(restore(), Operation::SessionSettings)
                .on(self.view.view.table)
                .bind(callers)
                .execute(self.connection)
                .await?;
        }
        Ok(())
    }

    /// Remembers whether the session is suitable, as a write statement has found.
    fn note_session(&mut self, outcome: WriteOutcome) -> Result<WriteOutcome> {
        if outcome.next_step() == NextStep::SetSession {
            if self.session_is_set {
                return Err(Error::Session {
                    view: self.view.view.table,
                });
            }
            self.session_is_unsuitable = true;
        }
        Ok(outcome)
    }

    /// Expects a session that does not have the settings that documents need: the statements may not
    /// even be prepared in it.
    pub(super) fn in_unsuitable_session(mut self) -> Self {
        self.session_is_unsuitable = true;
        self
    }
}

/// Locks.
impl BatchWriter<'_> {
    /// Locks the rows that the documents of `keys` are made of, then the documents. Returns the
    /// keys of the documents that exist.
    ///
    /// Rows and documents are locked in the order of tables and keys. Two syncs that need the same
    /// locks request them in the same order, so neither waits for the other while it holds a lock
    /// that the other needs.
    ///
    /// Refuses REPEATABLE READ: its snapshot is as old as the transaction, so a change that is
    /// committed while this waits for a lock would not be seen, and no error would say so. SERIALIZABLE
    /// has such a snapshot too, but PostgreSQL fails the transaction (40001).
    pub(super) async fn lock(&mut self, keys: &Keys, scope: TransactionScope) -> Result<Keys> {
        let (isolation, mut session_ok, mut documents) = self.try_lock(keys, scope).await?;
        if !session_ok && !self.session_is_set {
            self.change_session().await?;
            (_, session_ok, documents) = self.try_lock(keys, scope).await?;
        }
        if !session_ok {
            let view = self.view.view.table;
            return Err(Error::Session { view });
        }
        if isolation == "repeatable read" {
            return Err(Error::RepeatableRead);
        }
        Ok(documents)
    }

    /// Returns the isolation level, whether the session is suitable, and the keys of the documents
    /// that exist. In an unsuitable session nothing is locked.
    async fn try_lock(
        &mut self,
        keys: &Keys,
        scope: TransactionScope,
    ) -> Result<(String, bool, Keys)> {
        let read = |row: &PgRow| -> sqlx::Result<(String, bool, Keys)> {
            let documents = keys.read(row, lock_row::DOCUMENTS)?;
            let session_ok = row.try_get(lock_row::SESSION_OK)?;
            Ok((row.try_get(lock_row::ISOLATION)?, session_ok, documents))
        };
        let statement = match lockable::statement(self.connection, self.view).await? {
            Some(sql) => Statement::composed(sql, Operation::LockRows).on(self.view.view.table),
            None => self.statement(&self.sql.lock, Operation::LockRows),
        };
        statement
            .bind_keys(keys)
            // Whether the transaction may go on after the sync. If so, it announces itself.
            .bind(scope == TransactionScope::Caller)
            .fetch_one(self.connection, read)
            .await
    }

    /// Locks the documents of `keys` in key order. Returns the keys of those that exist.
    pub(in crate::sync) async fn lock_documents(&mut self, keys: &Keys) -> Result<Keys> {
        self.statement(&self.sql.lock_documents, Operation::LockDocuments)
            .bind_keys(keys)
            .fetch_one(self.connection, |row| keys.read(row, 0))
            .await
    }

    /// Waits for `seconds`, then returns the transactions that have synced and are still open: all of
    /// them, or those of `vxids`.
    pub(super) async fn open_writers(
        &mut self,
        vxids: Option<&[String]>,
        seconds: f64,
    ) -> Result<Vec<String>> {
        self.statement(&self.sql.open_writers, Operation::AwaitWriters)
            .bind(vxids)
            .bind(seconds)
            .fetch_one(self.connection, |row| row.try_get(0))
            .await
    }

    /// Waits for `seconds`, then returns whether one of the transactions still writes documents.
    pub(super) async fn is_still_writing(
        &mut self,
        vxids: &[String],
        seconds: f64,
    ) -> Result<bool> {
        self.statement(&self.sql.still_writing, Operation::AwaitWriters)
            .bind(vxids)
            .bind(seconds)
            .fetch_one(self.connection, |row| row.try_get(0))
            .await
    }

    /// Which of the unconfirmed documents other transactions have written, locked or deleted since
    /// the snapshot.
    pub(super) async fn overwritten(&mut self, unconfirmed: &Unconfirmed) -> Result<Keys> {
        let keys = &unconfirmed.keys;
        self.statement(&self.sql.overwritten, Operation::FindOverwritten)
            .bind_keys(keys)
            .bind(&unconfirmed.snapshot)
            .fetch_one(self.connection, |row| keys.read(row, 0))
            .await
    }
}

/// Writes.
impl BatchWriter<'_> {
    /// Writes the document of `keys`, the only one, if it differs from what is stored and nothing
    /// stands against that. `None`: nothing was done.
    pub(super) async fn write_one(&mut self, keys: &Keys) -> Result<Option<WriteOutcome>> {
        self.statement(&self.sql.write_one, Operation::Sync)
            .bind_keys(keys)
            .fetch_optional(self.connection, |row| WriteOutcome::of_one(row, keys))
            .await
    }

    /// Writes the documents of `keys` by the guarded statement.
    pub(super) async fn write_guarded(
        &mut self,
        keys: &Keys,
        writers: OpenWriters,
    ) -> Result<WriteOutcome> {
        let sql = if keys.len() <= MAX_FEW_KEYS {
            &self.sql.write_few
        } else {
            &self.sql.write
        };
        let outcome = self
            .statement(sql, Operation::Sync)
            .bind_keys(keys)
            .bind(self.peers)
            .bind(writers == OpenWriters::WaitFor)
            .fetch_one(self.connection, |row| {
                WriteOutcome::read(row, keys, WriteProtocol::Guarded)
            })
            .await?;
        self.note_session(outcome)
    }

    /// Writes the documents of `keys` by the locked statement. `locked` are those that this
    /// transaction has locked.
    pub(super) async fn write_locked(
        &mut self,
        keys: &Keys,
        locked: &Keys,
    ) -> Result<WriteOutcome> {
        let sql = if keys.len() <= MAX_FEW_KEYS {
            &self.sql.write_locked_few
        } else {
            &self.sql.write_locked
        };
        let outcome = self
            .statement(sql, Operation::Sync)
            .bind_keys(keys)
            .bind_keys(locked)
            .fetch_one(self.connection, |row| {
                WriteOutcome::read(row, keys, WriteProtocol::Locked)
            })
            .await?;
        self.note_session(outcome)
    }

    /// Empties the unique columns of the documents of `keys` by the statement `clear`.
    pub(super) async fn clear_unique(&mut self, keys: &Keys, clear: &'static str) -> Result<()> {
        self.statement(clear, Operation::ClearUnique)
            .bind_keys(keys)
            .execute(self.connection)
            .await?;
        Ok(())
    }

    /// The other documents that store unique values which the documents of `keys` should have, by the
    /// statement `sql`.
    pub(super) async fn unique_holders(&mut self, keys: &Keys, sql: &'static str) -> Result<Keys> {
        self.statement(sql, Operation::FindUniqueHolders)
            .bind_keys(keys)
            .fetch_one(self.connection, |row| keys.read(row, 0))
            .await
    }

    /// Deletes those documents of `keys` that have no root row. Returns their number.
    pub(super) async fn delete_orphans(&mut self, keys: &Keys) -> Result<u64> {
        let delete = async |writer: &mut BatchWriter<'_>| {
            writer
                .statement(&writer.sql.delete_orphans, Operation::DeleteOrphans)
                .bind_keys(keys)
                .execute(writer.connection)
                .await
        };
        // A row that the filter excludes is an orphan, and the filter may depend on the session.
        let has_filter = self.view.view.shape.filter.is_some();
        if has_filter && self.session_is_unsuitable && !self.session_is_set {
            self.in_own_transaction(delete).await
        } else {
            delete(self).await
        }
    }

    /// Makes other transactions that insert documents with these keys wait until this one ends.
    pub(super) async fn block_inserts(&mut self, keys: &Keys) -> Result<()> {
        // Both statements are in one message, so that the client cannot stop between them: the
        // first inserts placeholders, the second deletes them again.
        let sql = keep_out(self.view.view, &keys.array_literal());
        execute_script(
            self.connection,
            AssertSqlSafe(sql),
            Operation::BlockInserts,
            self.view.view.table,
        )
        .await
    }
}
