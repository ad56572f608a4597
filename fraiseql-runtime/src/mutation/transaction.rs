//! `Mutation`: the open transaction, its marks and its settings.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};

use crate::error::Result;
use crate::mutation::capture::Capture;
use crate::mutation::change_set::{ChangeSet, MarkedColumns};
use crate::mutation::changes::changes_by_own_methods;
use crate::mutation::committed_reader::CommittedReader;
use crate::mutation::context::MutationContext;
use crate::mutation::early_look::look;
use crate::mutation::isolation::Isolation;
use crate::mutation::limits::Limits;
use crate::mutation::marker::{Marker, named_columns};
use crate::mutation::open_transaction::OpenTransaction;
use crate::mutation::savepoint::Savepoint;
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::columns::ColumnNames;
use crate::schema::key::{Key, Keys};
use crate::schema::row_key::Keyed;
use crate::sql::function::at_commit::SYNCS_ITSELF;

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
/// to are found through a second connection of the pool, which sees the tables as they were before
/// the mutation. [`changing`](Self::changing), before the statement, needs no second connection. Rows
/// that are deleted or changed with a marked row by a foreign key, as by `ON DELETE CASCADE`,
/// `SET NULL` or `ON UPDATE CASCADE`, are found too.
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
    /// How long the flush waits for the second connection.
    pub(super) second_connection_wait: Duration,
    /// Whether an invalid document is an error, and what else would leave documents wrong.
    pub(super) strict: bool,
    /// Whether all documents are left to the worker.
    pub(super) deferred: bool,
    /// The second connection, if it was taken before this mutation began.
    pub(super) reserved: Option<CommittedReader>,
    /// After a flush: the rows that were marked without a look at them before.
    pub(super) unseen: Vec<(MarkedColumns, Keys)>,
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
        let mut begin = begin.to_owned();
        if context.notes_counts.load(Ordering::Relaxed) {
            begin = format!("{begin};\n{}", context.index.note_counts());
        }
        if context.capture == Capture::AtCommit {
            begin = format!("{begin};\n{SYNCS_ITSELF}");
        }
        Ok(Self {
            connection: OpenTransaction::begin(pool, begin).await?,
            context: Arc::clone(context),
            pool: pool.clone(),
            marks: ChangeSet::default(),
            limits: context.limits,
            isolation,
            second_connection_wait: context.second_connection_wait,
            strict: false,
            deferred: false,
            reserved: None,
            unseen: Vec::new(),
        })
    }

    /// Marks rows of `T`'s table that were inserted, updated, moved or deleted.
    ///
    /// `T` is any struct with that table and a key field, a view or a part. The call can precede
    /// or follow the statement that changes the rows, and can be repeated. For rows that are moved or
    /// deleted, prefer [`changing`](Self::changing), before the statement.
    ///
    /// A `T` of whose table no document is made is a mistake, which the commit returns as
    /// [`Error::UnknownMark`](crate::Error::UnknownMark).
    #[track_caller]
    pub fn changed<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.marker().changed::<T>(keys);
    }

    /// Marks rows of `T`'s table that are about to be updated, moved or deleted. It looks at them as
    /// they are, and at the rows that foreign keys would delete or change with them, and locks both as
    /// `SELECT .. FOR UPDATE` does:
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
    /// let mut m = blog.mutation(&pool).await?;
    /// m.changing::<Comment>(&[7]).await?; // it is in the document of post 1
    /// sqlx::query("DELETE FROM tb_comment WHERE id = 7").execute(&mut *m).await?;
    /// let report = m.commit().await?;
    /// assert_eq!(report.of::<Post>().unwrap().updated, 1);
    /// # assert_eq!(Post::find(&pool, 1).await?.unwrap().comments, 0);
    /// # Ok(()) }) }
    /// ```
    ///
    /// The mutation then needs no second connection to find the documents that the rows belonged to,
    /// and what it looks at is what it may see, with its own role and settings. Rows need not exist.
    /// A row that this mutation has changed before the call is looked at as it was changed: mark it
    /// with [`changed`](Self::changed), too.
    ///
    /// # Errors
    /// If a query fails, or if no document is made of rows of that table.
    #[track_caller]
    pub fn changing<T: Keyed>(
        &mut self,
        keys: &[T::RowKey],
    ) -> impl Future<Output = Result<()>> + Send {
        let table = self.marker().known::<T>("changing");
        let keys = Keys::of(keys);
        async move { self.look(table?, T::SHAPE.key_columns().into(), keys).await }
    }

    /// Marks rows of `T`'s table that were inserted, and so belonged to no document before. It is
    /// only a little faster than [`changed`](Self::changed), and wrong for rows that existed
    /// before the mutation.
    #[track_caller]
    pub fn inserted<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.marker().inserted::<T>(keys);
    }

    /// Marks rows of a table without a struct, such as a join table, that were inserted, updated
    /// or deleted: the rows whose `column` is, or was, one of `values`. A table in another schema
    /// than `public` is written `schema.table`. With tuples as values, `column` names a column for
    /// each of their elements: `"order_id, product_id"`.
    ///
    /// # Errors
    /// If no document is made of rows of that table, or if `column` names more or fewer columns than
    /// the values have.
    pub fn changed_rows<K: Key>(&mut self, table: &str, column: &str, values: &[K]) -> Result<()> {
        self.marker().changed_rows(table, column, values)
    }

    /// Marks rows of a table without a struct that are about to be updated or deleted, as
    /// [`changing`](Self::changing) does: the rows whose `column` is one of `values`.
    ///
    /// # Errors
    /// If a query fails, or if no document is made of rows of that table.
    pub async fn changing_rows<K: Key>(
        &mut self,
        table: &str,
        column: &str,
        values: &[K],
    ) -> Result<()> {
        let table = self.context.index.table_named(table)?;
        let columns = named_columns::<K>(table, column)?;
        self.look(table, columns, Keys::of(values)).await
    }

    async fn look(&mut self, table: Table, columns: ColumnNames, keys: Keys) -> Result<()> {
        let index = &self.context.index;
        let limit = self.limits.documents;
        let look = look(index, &mut self.connection, limit, (table, columns, keys)).await?;
        self.marks.changing(look);
        Ok(())
    }

    /// Looks at rows that an earlier run of the same work has marked after it changed them. A row that
    /// row security might hide is left out: the work may begin with a setting that shows it.
    pub(super) async fn foresee(&mut self, (marked, keys): &(MarkedColumns, Keys)) -> Result<()> {
        let (table, columns, _) = marked;
        let index = &self.context.index;
        let limit = self.limits.documents;
        let rows = (*table, columns.clone(), keys.clone());
        let mut look = look(index, &mut self.connection, limit, rows).await?;
        look.foreseen = true;
        if !look.images.secured {
            self.marks.looks.push(look);
        }
        Ok(())
    }

    fn marker(&mut self) -> Marker<'_> {
        Marker {
            index: &self.context.index,
            marks: &mut self.marks,
        }
    }

    /// Marks documents to be synced, whichever rows were changed. It is for changes that no other
    /// mark can express, as to a table that only the SQL of an `expr` reads.
    pub fn resync<V: TView>(&mut self, keys: &[V::Key]) {
        self.marker().resync::<V>(keys);
    }

    /// Makes an error of what would leave a document wrong: the commit fails, and rolls everything
    /// back, if
    ///
    /// - a document is invalid: [`Error::Invalid`](crate::Error::Invalid). By default such a document
    ///   stays as it was, and is reported.
    /// - a foreign key deletes or changes rows together with marked ones and cannot be followed:
    ///   [`Error::NotFollowed`](crate::Error::NotFollowed). By default it is reported.
    /// - the mutation wrote to a table that documents are made of, and marked no rows of it:
    ///   [`Error::Unmarked`](crate::Error::Unmarked). Rows that foreign keys write need no mark, and
    ///   those that triggers write do. What was rolled back to a savepoint does not count. `TRUNCATE`
    ///   is a write. A mark without keys, `changed::<Post>(&[])`, says that nothing is to be synced,
    ///   and a mark by [`resync`](Self::resync) counts for the table of that view.
    ///   By default such tables are not looked for.
    pub fn strict(&mut self) -> &mut Self {
        self.strict = true;
        // From now on, mutations note at their beginning what this compares.
        self.context.notes_counts.store(true, Ordering::Relaxed);
        self
    }

    /// Leaves all documents of this mutation to the [worker](crate::ReadModel::worker): the commit finds
    /// them, as always, and writes their keys to the table of changes, with the mutation's own rows. They
    /// differ from the base tables until the worker has synced them, soon after.
    ///
    /// It is for many documents that nobody waits for: the commit holds no lock on them. Limits hold
    /// as for others. [`MutationReport::token`](crate::MutationReport::token) is what to wait for.
    pub fn defer(&mut self) -> &mut Self {
        self.deferred = true;
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
        let (index, limit) = (&self.context.index, self.limits.documents);
        Savepoint::begin(&mut self.connection, &mut self.marks, index, limit).await
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
