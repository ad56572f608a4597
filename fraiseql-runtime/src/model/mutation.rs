//! `ReadModel::mutation` and `mutate`: transactions that sync what they change.

use sqlx::PgPool;

use crate::error::Result;
use crate::model::ReadModel;
use crate::mutation::report::MutationReport;
use crate::mutation::retry::{self, MutateError};
use crate::mutation::{Isolation, Mutation};

impl ReadModel {
    /// Begins a mutation, READ COMMITTED; see [`Mutation`].
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn mutation(&self, pool: &PgPool) -> Result<Mutation> {
        self.mutation_with(pool, Isolation::ReadCommitted).await
    }

    /// Begins a mutation with another isolation level.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn mutation_with(&self, pool: &PgPool, isolation: Isolation) -> Result<Mutation> {
        Mutation::begin(&self.context, pool, isolation).await
    }

    /// Runs `work` as a [`Mutation`] and commits it. After a deadlock or a serialization
    /// failure, in `work` or in the commit, all of it is run again, after a short wait of random
    /// length: so it should do nothing but what is rolled back.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # struct Post { id: i64, title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
    /// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
    /// # let blog = ReadModel::builder().view::<Post>().build()?;
    /// # blog.migrate(&pool).await?;
    /// let (rows, report) = blog
    ///     .mutate(&pool, async |m| -> anyhow::Result<u64> {
    ///         let done = sqlx::query("UPDATE tb_post SET title = 'More' WHERE id = 7")
    ///             .execute(&mut **m)
    ///             .await?;
    ///         m.changed::<Post>(&[7]);
    ///         Ok(done.rows_affected())
    ///     })
    ///     .await?;
    /// assert_eq!((rows, report.changed(), report.retries), (1, 1, 0));
    /// # Ok(()) }) }
    /// ```
    ///
    /// In a task that is spawned, let the closure own what it needs: `async move |m| ..` with
    /// clones. One that borrows is refused by the compiler, which cannot say of it that it is
    /// `Send` for every lifetime.
    ///
    /// # Errors
    /// Those of `work`, which roll everything back, and those of
    /// [`commit`](Mutation::commit); one that is worth running again after ten times.
    pub async fn mutate<T, E, Kind>(
        &self,
        pool: &PgPool,
        work: impl AsyncFnMut(&mut Mutation) -> Result<T, E>,
    ) -> Result<(T, MutationReport), E>
    where
        E: MutateError<Kind>,
    {
        self.mutate_with(pool, Isolation::ReadCommitted, work).await
    }

    /// The same with another isolation level.
    ///
    /// # Errors
    /// As [`mutate`](Self::mutate).
    pub async fn mutate_with<T, E, Kind>(
        &self,
        pool: &PgPool,
        isolation: Isolation,
        work: impl AsyncFnMut(&mut Mutation) -> Result<T, E>,
    ) -> Result<(T, MutationReport), E>
    where
        E: MutateError<Kind>,
    {
        retry::mutate(&self.context, pool, isolation, work).await
    }
}
