//! `ReadModel::worker`, and what is about changes that are left to it.

use sqlx::{PgConnection, PgPool};

use crate::db::lease::Lease;
use crate::error::Result;
use crate::model::read_model::ReadModel;
use crate::mutation::defer::Deferring;
use crate::mutation::token::SyncToken;
use crate::worker::letters::{self, DeadLetter, Letters};
use crate::worker::status::{self, PendingChanges};
use crate::worker::{WaitSynced, Worker};

impl ReadModel {
    /// A worker, which syncs the documents of changes that were left for later; see [`Worker`].
    pub fn worker(&self, pool: &PgPool) -> Worker {
        Worker::new(&self.context, &self.views, pool)
    }

    /// Leaves documents to the [worker](Self::worker), in a transaction of the caller: the keys of the
    /// documents that depend on what it has changed are written to the table of changes, and so are committed
    /// or rolled back with it. It is the durable form of a sync in the background.
    ///
    /// Rows that are moved or deleted belong to other documents before the statement than after it. So call it
    /// on both sides of such a statement:
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # struct Post { id: i64, #[tview(count(table = "tb_comment", fk = "post_id"))] comments: i64 }
    /// # #[derive(Embed)]
    /// # struct Comment { id: i64 }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY);
    /// #     CREATE TABLE tb_comment (id int8 PRIMARY KEY, post_id int8 NOT NULL);
    /// #     CREATE INDEX ON tb_comment (post_id);
    /// #     INSERT INTO tb_post VALUES (1), (2); INSERT INTO tb_comment VALUES (7, 1)", async |pool| {
    /// # let blog = ReadModel::builder().view::<Post>().build()?;
    /// # blog.migrate(&pool).await?;
    /// # sync_all_posts(&pool).await?;
    /// let mut tx = pool.begin().await?;
    /// blog.defer(&mut tx).changed::<Comment>(&[7]).await?; // in the document of post 1
    /// sqlx::query("UPDATE tb_comment SET post_id = 2 WHERE id = 7").execute(&mut *tx).await?;
    /// blog.defer(&mut tx).changed::<Comment>(&[7]).await?; // in that of post 2
    /// tx.commit().await?;
    ///
    /// let report = blog.worker(&pool).drain().await?;
    /// assert_eq!(report.updated, 2);
    /// # Ok(()) }) }
    /// ```
    ///
    /// A [`Mutation`](crate::Mutation) finds both by itself: [`Mutation::defer`](crate::Mutation::defer).
    pub fn defer<'t>(&self, transaction: &'t mut PgConnection) -> Deferring<'t> {
        Deferring::new(&self.context, transaction)
    }

    /// Waits until nothing is left of a transaction: its changes are drained, and the documents that depend on
    /// them written. It waits for 5 seconds, or for the time of [`within`](WaitSynced::within).
    ///
    /// The pool is that of the primary: on a replica it is an error. The transaction must have committed. With [capture](crate::model::ReadModelBuilder), every transaction can
    /// be waited for: [`SyncToken::current`]; without, those that left documents to the worker.
    ///
    /// # Errors
    /// [`Error::NotSynced`](crate::Error::NotSynced), with what is left, after that time, or at once if
    /// all of that are dead letters; or if a query fails.
    pub fn wait_synced<'a>(&'a self, pool: &'a PgPool, token: SyncToken) -> WaitSynced<'a> {
        WaitSynced::new(self.context.queue(), pool, token)
    }

    /// How much is left to the workers. It counts all rows of the table of changes, so that it takes a
    /// while if there are very many; [`Worker::health`] asks no database.
    ///
    /// # Errors
    /// If the query fails.
    pub async fn changes(&self, pool: &PgPool) -> Result<PendingChanges> {
        let mut connection = Lease::acquire(pool, "count changes").await?;
        let context = &self.context;
        let changes = status::read(context.queue(), &context.deleted, &mut connection).await;
        connection.release();
        changes
    }

    /// Documents that the workers could not write after all attempts, by view and error.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// use fraiseql_runtime::worker::Letters;
    /// # #[derive(TView)]
    /// # struct Post { id: i64, title: String }
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
    /// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
    /// # let blog = ReadModel::builder().view::<Post>().build()?;
    /// # blog.migrate(&pool).await?;
    /// # sqlx::query("ALTER TABLE tv_post ADD CONSTRAINT short CHECK (length(data->>'title') < 3)")
    /// #     .execute(&pool).await?;
    /// # let mut tx = pool.begin().await?;
    /// # blog.defer(&mut tx).resync::<Post>(&[7]).await?;
    /// # tx.commit().await?;
    /// # blog.worker(&pool).max_attempts(1).drain().await?;
    /// let dead = blog.dead_letters(&pool).await?;
    /// assert_eq!((dead[0].entity, &*dead[0].keys), ("post", &["7".to_owned()][..]));
    /// println!("{}", dead[0]); // "public"."tv_post": 1 documents (7) after 1 attempts: 23514: new row ..
    ///
    /// # sqlx::query("ALTER TABLE tv_post DROP CONSTRAINT short").execute(&pool).await?;
    /// blog.retry(&pool, &dead[0]).await?; // after the cause was removed
    /// # assert_eq!(blog.worker(&pool).drain().await?.inserted, 1);
    /// assert_eq!(blog.discard(&pool, Letters::all()).await?, 0);
    /// # Ok(()) }) }
    /// ```
    ///
    /// If a later change leads to such a document, it is tried once more, and is no dead letter any more if
    /// it can be written.
    ///
    /// # Errors
    /// If the query fails.
    pub async fn dead_letters(&self, pool: &PgPool) -> Result<Vec<DeadLetter>> {
        let mut connection = Lease::acquire(pool, "read dead letters").await?;
        let queue = self.context.queue();
        let dead = letters::dead_letters(queue, &self.views, &mut connection).await;
        connection.release();
        dead
    }

    /// Lets the workers try dead letters again, with all attempts. Returns the number of rows: most
    /// stand for one document.
    ///
    /// # Errors
    /// If the statement fails.
    pub async fn retry(&self, pool: &PgPool, letters: impl Into<Letters>) -> Result<u64> {
        self.change(&self.context.queue().retry, pool, &letters.into())
            .await
    }

    /// Deletes dead letters. Their documents stay as they are, and so **are left stale**, until another
    /// change leads to them, or a sync. Returns the number of rows.
    ///
    /// # Errors
    /// If the statement fails.
    pub async fn discard(&self, pool: &PgPool, letters: impl Into<Letters>) -> Result<u64> {
        self.change(&self.context.queue().discard, pool, &letters.into())
            .await
    }

    async fn change(
        &self,
        sql: &std::sync::Arc<str>,
        pool: &PgPool,
        letters: &Letters,
    ) -> Result<u64> {
        let mut connection = Lease::acquire(pool, "change dead letters").await?;
        let model = self.context.queue().model;
        let done = letters::change(sql, model, letters, self.schema(), &mut connection).await;
        connection.release();
        done
    }
}
