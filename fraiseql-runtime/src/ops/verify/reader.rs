//! Reads and compares one chunk in a transaction that writes nothing.

use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::db::scope::{ScopeErrors, TransactionScope};
use crate::db::session::isolated_in_set_session;
use crate::error::Result;
use crate::error::invalid_document::InvalidDocument;
use crate::ops::verify::compare::{Comparison, compare, expected, next_keys};
use crate::ops::verify::sample::Sample;
use crate::schema::key::Keys;
use crate::sync::invalid;
use crate::sync::invalid::BatchWork;
use crate::view::Handle;

/// A chunk of keys that was verified.
pub(super) struct VerifiedChunk {
    pub(super) keys: Keys,
    /// One comparison, or several if documents that cannot be built were excluded.
    pub(super) comparisons: Vec<Comparison>,
    pub(super) invalid: Vec<InvalidDocument>,
}

/// Reads the documents of one view.
pub(super) struct Reader<'r> {
    pub(super) connection: &'r mut PgConnection,
    pub(super) scope: TransactionScope,
    pub(super) view: Handle,
    /// For how many more documents the differences are reported.
    pub(super) explain: usize,
}

impl BatchWork for Reader<'_> {
    type Done = Comparison;

    async fn attempt(&mut self, keys: &Keys) -> Result<Comparison> {
        let (view, explain) = (self.view, self.explain);
        let comparison = self
            .read(async |connection| compare(connection, view, keys, explain).await)
            .await?;
        self.explain -= comparison.explained.len();
        Ok(comparison)
    }

    fn connection(&mut self) -> (&mut PgConnection, &mut TransactionScope) {
        (self.connection, &mut self.scope)
    }

    async fn find_flaws(&mut self, keys: &Keys) -> Result<Vec<PgRow>> {
        let view = self.view;
        self.read(async |connection| invalid::find_flaws(connection, view, keys).await)
            .await
    }
}

impl Reader<'_> {
    /// Reads the keys of the next chunk, and compares their documents.
    pub(super) async fn chunk(
        &mut self,
        after: &Keys,
        size: usize,
        sample: Sample,
    ) -> Result<VerifiedChunk> {
        let (keys, result) = match self.compare_next(after, size, sample, true).await {
            // The view's filter fails for a row.
            Err(error) if error.is_about_values() => {
                self.compare_next(after, size, sample, false).await?
            }
            result => result?,
        };
        let view = self.view;
        let (comparisons, invalid) = match result {
            None => (Vec::new(), Vec::new()),
            Some(Err(error)) if error.is_about_values() => {
                invalid::without_invalid(self, view, &keys, error).await?
            }
            Some(result) => {
                let comparison = result?;
                self.explain -= comparison.explained.len();
                (vec![comparison], Vec::new())
            }
        };
        Ok(VerifiedChunk {
            keys,
            comparisons,
            invalid,
        })
    }

    /// Reads the next keys and compares their documents. A failed comparison is a value of this
    /// transaction's work and not its error: the keys are needed to find out which documents are
    /// invalid.
    async fn compare_next(
        &mut self,
        after: &Keys,
        size: usize,
        sample: Sample,
        filtered: bool,
    ) -> Result<(Keys, Option<Result<Comparison>>)> {
        let (view, explain) = (self.view, self.explain);
        self.read(async |connection| {
            let keys = next_keys(connection, view, after, size, sample, filtered).await?;
            if keys.is_empty() {
                return Ok((keys, None));
            }
            let comparison = compare(connection, view, &keys, explain).await;
            Ok((keys, Some(comparison)))
        })
        .await
    }

    /// Reads the approximate number of documents.
    pub(super) async fn expected(&mut self) -> Result<u64> {
        let view = self.view;
        self.read(async |connection| expected(connection, view).await)
            .await
    }

    /// Runs `work` with the session settings that documents need, and rolls back afterwards.
    async fn read<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
    ) -> Result<T> {
        let view = self.view;
        let errors = ScopeErrors::of_steps(view.view.table);
        isolated_in_set_session(self.connection, &mut self.scope, view, &errors, work).await
    }
}
