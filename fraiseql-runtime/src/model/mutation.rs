//! `ReadModel::mutation` and `mutate`: transactions that sync the dependents of their changes.

use sqlx::PgPool;

use crate::error::Result;
use crate::model::read_model::ReadModel;
use crate::mutation::isolation::Isolation;
use crate::mutation::report::MutationReport;
use crate::mutation::retry::{self, Attempts, MutateError};
use crate::mutation::transaction::Mutation;

impl ReadModel {
    /// Begins a mutation with the isolation level READ COMMITTED; see [`Mutation`].
    ///
    /// # Errors
    /// If the pool has no connection, or BEGIN fails.
    pub async fn mutation(&self, pool: &PgPool) -> Result<Mutation> {
        self.mutation_with(pool, Isolation::ReadCommitted).await
    }

    /// Begins a mutation with another isolation level.
    ///
    /// # Errors
    /// If the pool has no connection, or BEGIN fails.
    pub async fn mutation_with(&self, pool: &PgPool, isolation: Isolation) -> Result<Mutation> {
        Mutation::begin(&self.context, pool, isolation).await
    }

    /// Runs `work` as a [`Mutation`] and commits it. After a deadlock or a serialization failure, in
    /// `work` or in the commit, all of it runs again, after a short random wait: so `work` should
    /// have no effects that a rollback does not undo.
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
    /// In a spawned task, and so in a handler or a resolver, the closure must own its data:
    /// `async move |m| ..` with clones. The compiler refuses one that borrows, with E0477 or
    /// "`Send` is not general enough", because it cannot prove that its future is `Send` for every
    /// lifetime. [`mutate!`](crate::mutate!) is the form that may borrow.
    ///
    /// If the commit finds no [second connection](crate::Error::NoSecondConnection), the work runs
    /// again as well, and the rows that it has marked are looked at before.
    ///
    /// # Errors
    /// An error of `work`, after which everything is rolled back, or of
    /// [`commit`](Mutation::commit). A deadlock or a serialization failure is returned after ten
    /// retries.
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

    /// Runs `work` with another isolation level; see [`mutate`](Self::mutate).
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
        retry::mutate(self.attempts_with(pool, isolation), work).await
    }

    /// Begins no mutation yet: the attempts at one piece of work, with the isolation level READ
    /// COMMITTED. [`mutate`](Self::mutate) as a loop that may borrow and may keep a mutation open;
    /// [`mutate!`](crate::mutate!) writes it.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # struct Post { id: i64, title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
    /// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
    /// # let blog = ReadModel::builder().view::<Post>().build()?;
    /// # blog.migrate(&pool).await?;
    /// let mut attempts = blog.attempts(&pool);
    /// let (rows, report) = loop {
    ///     let mut m = attempts.begin().await?;
    ///     let done = sqlx::query("DELETE FROM tb_post WHERE id = 7").execute(&mut *m).await;
    ///     m.changed::<Post>(&[7]);
    ///     if let Some(done) = attempts.end(m, done.map_err(anyhow::Error::from)).await? {
    ///         break done;
    ///     }
    /// };
    /// assert_eq!((rows.rows_affected(), report.retries), (1, 0));
    /// # Ok(()) }) }
    /// ```
    pub fn attempts(&self, pool: &PgPool) -> Attempts {
        self.attempts_with(pool, Isolation::ReadCommitted)
    }

    /// The attempts at one piece of work with another isolation level; see
    /// [`attempts`](Self::attempts).
    pub fn attempts_with(&self, pool: &PgPool, isolation: Isolation) -> Attempts {
        Attempts::new(&self.context, pool, isolation)
    }
}
