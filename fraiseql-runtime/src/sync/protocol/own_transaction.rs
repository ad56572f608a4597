//! The transaction and the settings that a batch needs of its session.

use sqlx::{Connection, Executor};

use crate::error::{Operation, Result};
use crate::sql::session::{RESTORE, SET_LOCAL, SETTINGS};
use crate::sync::protocol::Batch;
use crate::sync::protocol::answer::Answer;

impl Batch<'_> {
    /// In a transaction that is begun and committed here, with the settings that documents need.
    pub(super) async fn in_own_transaction(
        &mut self,
        work: impl AsyncFnOnce(&mut Batch<'_>) -> Result<Answer>,
    ) -> Result<Answer> {
        let view = self.view;
        let failed = |operation| self.failed(operation);
        let (begin_failed, commit_failed) = (
            failed(Operation::BeginTransaction),
            failed(Operation::CommitTransaction),
        );
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
    pub(super) async fn set_session(&mut self) -> Result<()> {
        if !self.sql.needs.any() {
            return Ok(());
        }
        self.connection
            .execute(SET_LOCAL)
            .await
            .map_err(self.failed(Operation::SessionSettings))?;
        Ok(())
    }

    /// The caller's settings, to be restored.
    pub(super) async fn session(&mut self) -> Result<(String, String)> {
        sqlx::query_as(SETTINGS)
            .fetch_one(&mut *self.connection)
            .await
            .map_err(self.failed(Operation::SessionSettings))
    }

    pub(super) async fn restore(&mut self, (zone, digits): &(String, String)) -> Result<()> {
        sqlx::query(RESTORE)
            .bind(zone)
            .bind(digits)
            .execute(&mut *self.connection)
            .await
            .map_err(self.failed(Operation::SessionSettings))?;
        Ok(())
    }
}
