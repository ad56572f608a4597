//! Mutations: transactions that know what they change, and sync every document that depends on
//! it, once, just before they commit.
//!
//! [`marks`] is what was changed; [`flush`] finds the documents and syncs them; [`past`] shows
//! rows as they were before; [`savepoint`] is a part that can be rolled back; [`retry`] runs a
//! mutation again; [`limits`] bounds what one may touch; [`report`] says what was done.

pub(crate) mod context;
pub(crate) mod dependents;
mod flush;
pub(crate) mod limits;
pub(crate) mod marks;
pub(crate) mod past;
pub(crate) mod report;
pub(crate) mod retry;
pub(crate) mod savepoint;
mod telemetry;

pub use self::dependents::Dependents;
pub use self::limits::{Beyond, Limits};
pub use self::marks::Changes;
pub use self::report::{LeftToFullSync, MutationReport, ViewReport};
pub use self::retry::MutateError;
pub use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Instant;

use sqlx::postgres::PgTransactionManager;
use sqlx::{Connection, PgConnection, PgPool};
use sqlx_core::transaction::TransactionManager;

use self::context::Context;
use self::marks::{Marks, changes_by_own_methods};
use self::savepoint::Savepoint;
use crate::db::connection::Lease;
use crate::error::{Error, Operation, Result};
use crate::read::typed::TView;
use crate::schema::key::Key;
use crate::schema::row_key::Keyed;

/// A transaction that knows what it changes. Begun by [`ReadModel::mutation`].
///
/// It derefs to the connection, so that it takes any query. What was changed is said by type and
/// key; which documents embed, list or count those rows, it finds itself:
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
/// // The post that has lost the comment, and the one that has it now.
/// assert_eq!(report.of::<Post>().unwrap().updated, 2);
/// # assert_eq!(Post::find(&pool, 2).await?.unwrap().comments[0].id, 7);
/// # Ok(()) }) }
/// ```
///
/// Rows that were deleted or moved are said to be changed like all others: the documents that
/// they belonged to are found in the tables as they were before, on a second connection, which
/// sees what is committed. Rows that go with a deleted one by `ON DELETE CASCADE`, or lose their
/// reference by `SET NULL`, are found too.
///
/// Where it is dropped without [`commit`](Self::commit), or where that fails, everything is
/// rolled back, and nothing was synced.
#[must_use = "a mutation that is not committed is rolled back"]
pub struct Mutation {
    connection: Open,
    context: Arc<Context>,
    pool: PgPool,
    marks: Marks,
    limits: Limits,
    isolation: Isolation,
    strict: bool,
}

/// The isolation level of a mutation.
///
/// REPEATABLE READ is not among them: it would lose the changes of others in silence, because
/// its snapshot is older than they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what is committed.
    #[default]
    ReadCommitted,
    /// As if transactions ran one after another. Fails with 40001 where they could not have,
    /// and is to be run again: see [`ReadModel::mutate`].
    Serializable,
}

impl Mutation {
    pub(crate) async fn begin(
        context: &Arc<Context>,
        pool: &PgPool,
        isolation: Isolation,
    ) -> Result<Self> {
        let begin = match isolation {
            Isolation::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Isolation::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        };
        Ok(Self {
            connection: Open::begin(pool, begin).await?,
            context: Arc::clone(context),
            pool: pool.clone(),
            marks: Marks::default(),
            limits: context.limits,
            isolation,
            strict: false,
        })
    }

    /// Rows of `T`'s table were inserted, updated, moved or deleted.
    ///
    /// `T` is any struct with that table and a key field, a view or a part. It can be said before
    /// the statement or after it, and more than once.
    pub fn changed<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.marks.changed::<T>(keys);
    }

    /// Rows of `T`'s table were inserted: there is nothing to look for in the past. Only a
    /// little faster than [`changed`](Self::changed), and wrong for rows that were there before.
    pub fn inserted<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.marks.inserted::<T>(keys);
    }

    /// Rows of a table without a struct, as a join table, were inserted, updated or deleted:
    /// those whose `column` is, or was, one of `values`. A table in another schema than `public`
    /// is written `schema.table`.
    ///
    /// # Errors
    /// When no document is made of rows of that table.
    pub fn changed_rows<K: Key>(&mut self, table: &str, column: &str, values: &[K]) -> Result<()> {
        let table = self.context.index.table_named(table)?;
        self.marks.changed_rows(table, column, values);
        Ok(())
    }

    /// The documents of these keys are synced, whatever was changed: for what no mark can say,
    /// as a change to a table that only the SQL of an `expr` reads.
    pub fn resync<V: TView>(&mut self, keys: &[V::Key]) {
        self.marks.resync::<V>(keys);
    }

    /// Fails with [`Error::Invalid`] where a document cannot be written, and rolls everything
    /// back. Otherwise such a document stays as it was, and is reported.
    pub fn strict(&mut self) -> &mut Self {
        self.strict = true;
        self
    }

    /// Bounds this mutation otherwise than its read model does.
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.limits = limits;
        self
    }

    /// A part of this mutation that can be rolled back by itself, with what it marks.
    ///
    /// # Errors
    /// When the database refuses the savepoint.
    pub async fn savepoint(&mut self) -> Result<Savepoint<'_>> {
        Savepoint::begin(&mut self.connection, &mut self.marks, &self.context.index).await
    }

    /// Syncs every document that depends on what was changed, each once and in the order that
    /// all mutations keep, logs, and commits.
    ///
    /// # Errors
    /// When the database refuses a statement or the commit, when there are more dependents than
    /// the [limits](Limits) allow, and, with [`strict`](Self::strict), when a document is
    /// invalid. Then everything is rolled back.
    pub async fn commit(self) -> Result<MutationReport> {
        let start = Instant::now();
        let mut result = self.flush_and_commit().await;
        let duration = start.elapsed();
        if let Ok(report) = &mut result {
            report.duration = duration;
        }
        telemetry::mutated(&result, duration);
        result
    }

    async fn flush_and_commit(mut self) -> Result<MutationReport> {
        // A savepoint that was dropped while it began takes the transaction with it.
        if !self.connection.is_in_transaction() {
            return Err(Error::RolledBack);
        }
        let report = flush::flush(&mut self).await?;
        PgTransactionManager::commit(&mut self.connection)
            .await
            .map_err(Error::database(Operation::CommitMutation))?;
        Ok(report)
    }

    /// Rolls everything back.
    ///
    /// # Errors
    /// When the connection is lost. The database rolls back then, too.
    pub async fn rollback(mut self) -> Result<()> {
        PgTransactionManager::rollback(&mut self.connection)
            .await
            .map_err(Error::database(Operation::RollBackMutation))
    }
}

changes_by_own_methods!(Mutation);

/// A connection in a transaction, which is rolled back where it is dropped before its end.
struct Open(Lease);

impl Open {
    /// Until the transaction has begun, sqlx does not know of it: where this is dropped, the
    /// connection is closed.
    async fn begin(pool: &PgPool, begin: &'static str) -> Result<Self> {
        let failed = || Error::database(Operation::BeginMutation);
        let mut lease = Lease::of(pool, "begin a mutation").await?;
        let begun = lease.begin_with(begin).await.map(std::mem::forget);
        match begun {
            Ok(()) => Ok(Self(lease)),
            Err(error) => {
                lease.give_back();
                Err(failed()(error))
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Of one that was committed, there is none to roll back.
        PgTransactionManager::start_rollback(&mut self.0);
        self.0.give_back();
    }
}

impl Deref for Open {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Open {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

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
