//! `Mutation`: the open transaction, its marks and its settings.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::{PgConnection, PgPool};

use crate::error::Result;
use crate::mutation::change_set::ChangeSet;
use crate::mutation::changes::changes_by_own_methods;
use crate::mutation::context::MutationContext;
use crate::mutation::isolation::Isolation;
use crate::mutation::limits::Limits;
use crate::mutation::open_transaction::OpenTransaction;
use crate::mutation::savepoint::Savepoint;
use crate::read::typed::TView;
use crate::schema::key::Key;
use crate::schema::row_key::Keyed;

/// A transaction that knows which rows it changes, and syncs their dependents before it commits.
/// Begun by [`ReadModel::mutation`](crate::ReadModel::mutation).
///
/// It derefs to the connection, so any query can run on it. Changed rows are marked by type and
/// key; the mutation finds the documents that embed, list or count them:
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # struct Post {
/// #     id: i64,
/// #     #[tview(many(fk = "post_id"))]
/// #     comments: Vec<Comment>,
/// # }
/// # #[derive(Embed)]
/// # struct Comment { id: i64, content: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY);
/// #     CREATE TABLE tb_comment (id int8 PRIMARY KEY, content text NOT NULL, post_id int8 NOT NULL);
/// #     CREATE INDEX ON tb_comment (post_id);
/// #     INSERT INTO tb_post VALUES (1), (2); INSERT INTO tb_comment VALUES (7, 'First!', 1)", async |pool| {
/// # let blog = ReadModel::builder().view::<Post>().build()?;
/// # blog.migrate(&pool).await?;
/// # sync_all_posts(&pool).await?;
/// let mut m = blog.mutation(&pool).await?;
/// sqlx::query("UPDATE tb_comment SET post_id = 2 WHERE id = 7").execute(&mut *m).await?;
/// m.changed::<Comment>(&[7]);
/// let report = m.commit().await?;
///
/// // The post that lost the comment, and the post that has it now.
/// assert_eq!(report.of::<Post>().unwrap().updated, 2);
/// # assert_eq!(Post::find(&pool, 2).await?.unwrap().comments[0].id, 7);
/// # Ok(()) }) }
/// ```
///
/// Rows that were moved or deleted are marked like all others: the documents that they belonged
/// to are found through a second connection, which sees the tables as they were before the
/// mutation. Rows that are deleted with a marked row by `ON DELETE CASCADE`, or lose their
/// reference to it by `SET NULL`, are found too.
///
/// If the mutation is dropped without [`commit`](Self::commit), or if the commit fails, everything
/// is rolled back, syncs included.
#[must_use = "a mutation that is not committed is rolled back"]
pub struct Mutation {
    pub(super) connection: OpenTransaction,
    pub(super) context: Arc<MutationContext>,
    /// For the second connection, to committed rows.
    pub(super) pool: PgPool,
    pub(super) marks: ChangeSet,
    pub(super) limits: Limits,
    pub(super) isolation: Isolation,
    /// Whether an invalid document is an error.
    pub(super) strict: bool,
}

impl Mutation {
    pub(crate) async fn begin(
        context: &Arc<MutationContext>,
        pool: &PgPool,
        isolation: Isolation,
    ) -> Result<Self> {
        let begin = match isolation {
            Isolation::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Isolation::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        };
        Ok(Self {
            connection: OpenTransaction::begin(pool, begin).await?,
            context: Arc::clone(context),
            pool: pool.clone(),
            marks: ChangeSet::default(),
            limits: context.limits,
            isolation,
            strict: false,
        })
    }

    /// Marks rows of `T`'s table that were inserted, updated, moved or deleted.
    ///
    /// `T` is any struct with that table and a key field, a view or a part. The call can precede
    /// or follow the statement that changes the rows, and can be repeated.
    pub fn changed<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.marks.changed::<T>(keys);
    }

    /// Marks rows of `T`'s table that were inserted, and so belonged to no document before. It is
    /// only a little faster than [`changed`](Self::changed), and wrong for rows that existed
    /// before the mutation.
    pub fn inserted<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.marks.inserted::<T>(keys);
    }

    /// Marks rows of a table without a struct, such as a join table, that were inserted, updated
    /// or deleted: the rows whose `column` is, or was, one of `values`. A table in another schema
    /// than `public` is written `schema.table`.
    ///
    /// # Errors
    /// If no document is made of rows of that table.
    pub fn changed_rows<K: Key>(&mut self, table: &str, column: &str, values: &[K]) -> Result<()> {
        let table = self.context.index.table_named(table)?;
        self.marks.changed_rows(table, column, values);
        Ok(())
    }

    /// Marks documents to be synced, whichever rows were changed. It is for changes that no other
    /// mark can express, as to a table that only the SQL of an `expr` reads.
    pub fn resync<V: TView>(&mut self, keys: &[V::Key]) {
        self.marks.resync::<V>(keys);
    }

    /// Makes an invalid document an error: the commit fails with
    /// [`Error::Invalid`](crate::Error::Invalid) and rolls everything back. By default such a
    /// document stays as it was, and is reported.
    pub fn strict(&mut self) -> &mut Self {
        self.strict = true;
        self
    }

    /// Sets limits for this mutation, instead of those of its read model.
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.limits = limits;
        self
    }

    /// Begins a part of this mutation that can be rolled back by itself, together with its marks.
    ///
    /// # Errors
    /// If the database refuses the savepoint.
    pub async fn savepoint(&mut self) -> Result<Savepoint<'_>> {
        Savepoint::begin(&mut self.connection, &mut self.marks, &self.context.index).await
    }

    /// Rolls everything back.
    ///
    /// # Errors
    /// If the connection is lost. The database rolls back then, too.
    pub async fn rollback(mut self) -> Result<()> {
        self.connection.rollback().await
    }
}

changes_by_own_methods!(Mutation);

impl Deref for Mutation {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Mutation {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl fmt::Debug for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutation")
            .field("marks", &self.marks)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
