//! `Mutation::commit`: the flush, then COMMIT.

use std::time::Instant;

use sqlx::Connection;

use crate::error::{Error, Result};
use crate::mutation::flush::flush;
use crate::mutation::report::MutationReport;
use crate::mutation::telemetry;
use crate::mutation::transaction::Mutation;

impl Mutation {
    /// Syncs every document that depends on the marked rows, each once and in the order that all
    /// mutations keep, writes the sync log, and commits.
    ///
    /// # Errors
    /// If the database refuses a statement or the commit, if there are more dependents than the
    /// [limits](crate::mutation::Limits) allow, if a mark matches nothing of the read model, if rows
    /// have to be read as they were and no second connection is free, and, with
    /// [`strict`](Self::strict), if a document is invalid, a foreign key cannot be followed, or a
    /// table was written and not marked. Then everything is rolled back.
    pub async fn commit(mut self) -> Result<MutationReport> {
        self.finish().await
    }

    /// [`commit`](Self::commit). After an error, the mutation is dropped, which rolls it back.
    pub(super) async fn finish(&mut self) -> Result<MutationReport> {
        let start = Instant::now();
        let mut result = self.flush_and_commit().await;
        let duration = start.elapsed();
        if let Ok(report) = &mut result {
            report.duration = duration;
        }
        telemetry::commit_ended(&result, duration);
        result
    }

    async fn flush_and_commit(&mut self) -> Result<MutationReport> {
        // If the future of a savepoint is dropped while SAVEPOINT is on its way, sqlx rolls back to
        // the depth that it knows, and that is the whole transaction. A flush would then run
        // statement by statement, each in a transaction of its own.
        if !self.connection.is_in_transaction() {
            return Err(Error::RolledBack);
        }
        // Boxed: the futures of a flush contain each other many levels deep, and those of the
        // application contain this one. The compiler has a limit for that depth.
        let mut report = Box::pin(flush(self)).await?;
        report.position = self.connection.commit(&self.context.positions).await?;
        Ok(report)
    }
}
