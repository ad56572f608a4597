//! The statements of a batch, one at a time.

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::db::scope::TransactionScope;
use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Operation, Result};
use crate::schema::key::Keys;
use crate::sql::lock;
use crate::sql::sync::FEW;
use crate::sync::protocol::Batch;
use crate::sync::protocol::answer::Answer;

/// How the statement is run.
#[derive(Clone, Copy)]
pub(super) enum Form<'k> {
    /// As a transaction of its own.
    Guarded,
    /// With these documents locked.
    Locked(&'k Keys),
}

impl Batch<'_> {
    /// Locks what the documents are made from, and those that exist, which it also says.
    pub(super) async fn lock_and_write(
        &mut self,
        keys: &Keys,
        scope: TransactionScope,
    ) -> Result<(Answer, Keys)> {
        let locked = self.lock(keys, scope).await?;
        let answer = self.write(keys, Form::Locked(&locked)).await?;
        Ok((answer, locked))
    }

    /// Locks the documents first: then no other transaction can have written them after the
    /// snapshot that the new ones are built in.
    pub(super) async fn write_locked(&mut self, keys: &Keys) -> Result<Answer> {
        let locked = self.lock_documents(keys).await?;
        self.write(keys, Form::Locked(&locked)).await
    }

    pub(super) async fn write(&mut self, keys: &Keys, form: Form<'_>) -> Result<Answer> {
        let few = keys.len() <= FEW;
        let sql: &'static str = match form {
            Form::Guarded if few => &self.sql.write_few,
            Form::Guarded => &self.sql.write,
            Form::Locked(_) if few => &self.sql.write_locked_few,
            Form::Locked(_) => &self.sql.write_locked,
        };
        trace_statement(sql);
        let query = keys.bind(sqlx::query(sql));
        let query = match form {
            Form::Guarded => query.bind(self.friends),
            Form::Locked(locked) => locked.bind(query),
        };
        let row = query
            .fetch_one(&mut *self.connection)
            .await
            .map_err(self.failed(Operation::Sync))?;
        Answer::read(&row, keys, form).map_err(self.failed(Operation::Sync))
    }

    /// Locks what the documents of `keys` are made from, and those that exist.
    async fn lock(&mut self, keys: &Keys, scope: TransactionScope) -> Result<Keys> {
        let sql: &'static str = &self.sql.lock;
        trace_statement(sql);
        let read = |row: PgRow| -> sqlx::Result<(String, Keys)> {
            let documents = keys.read(&row, lock::answer::DOCUMENTS)?;
            Ok((row.try_get(lock::answer::ISOLATION)?, documents))
        };
        let (isolation, documents) = keys
            .bind(sqlx::query(sql))
            .bind(scope == TransactionScope::Caller)
            .fetch_one(&mut *self.connection)
            .await
            .and_then(read)
            .map_err(self.failed(Operation::LockRows))?;
        if isolation == "repeatable read" {
            return Err(Error::RepeatableRead);
        }
        Ok(documents)
    }

    /// Locks the view rows of `keys`; says which of them exist.
    pub(in crate::sync) async fn lock_documents(&mut self, keys: &Keys) -> Result<Keys> {
        let sql: &'static str = &self.sql.lock_documents;
        trace_statement(sql);
        let locked = keys
            .bind(sqlx::query(sql))
            .fetch_one(&mut *self.connection)
            .await
            .and_then(|row| keys.read(&row, 0))
            .map_err(self.failed(Operation::LockDocuments))?;
        Ok(locked)
    }
}
