//! `Savepoint`: a part of a mutation that can be rolled back together with its marks.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};

use sqlx::{Connection, PgConnection, Postgres, Transaction};

use crate::error::{Error, Operation, Result};
use crate::mutation::change_set::ChangeSet;
use crate::mutation::changes::changes_by_own_methods;
use crate::mutation::dependents::index::DependencyIndex;
use crate::mutation::early_look::look;
use crate::mutation::marker::{Marker, named_columns};
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::columns::ColumnNames;
use crate::schema::key::{Key, Keys};
use crate::schema::row_key::Keyed;

/// A part of a [`Mutation`](crate::Mutation) that can be rolled back together with its marks. Begun
/// by [`Mutation::savepoint`](crate::Mutation::savepoint).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # struct Post { id: i64, title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
/// # let blog = ReadModel::builder().view::<Post>().build()?;
/// # blog.migrate(&pool).await?;
/// let mut m = blog.mutation(&pool).await?;
/// let mut part = m.savepoint().await?;
/// sqlx::query("DELETE FROM tb_post WHERE id = 7").execute(&mut *part).await?;
/// part.changed::<Post>(&[7]);
/// part.rollback().await?; // or dropped
///
/// let report = m.commit().await?;
/// assert_eq!(report.total(), 0, "nothing was changed");
/// # Ok(()) }) }
/// ```
#[must_use = "a savepoint that is not released is rolled back"]
pub struct Savepoint<'m> {
    transaction: Transaction<'m, Postgres>,
    marks: ChangeSet,
    /// The marks of the mutation or savepoint that this one is in.
    outer: &'m mut ChangeSet,
    index: &'m DependencyIndex,
    /// The limit of documents of the mutation.
    limit: usize,
}

impl<'m> Savepoint<'m> {
    pub(super) async fn begin(
        connection: &'m mut PgConnection,
        outer: &'m mut ChangeSet,
        index: &'m DependencyIndex,
        limit: usize,
    ) -> Result<Self> {
        // Without a transaction, sqlx would send BEGIN instead of SAVEPOINT, and the release would
        // commit.
        if !connection.is_in_transaction() {
            return Err(Error::RolledBack);
        }
        let transaction = Connection::begin(connection)
            .await
            .map_err(Error::database(Operation::Savepoint))?;
        Ok(Self {
            transaction,
            marks: ChangeSet::default(),
            outer,
            index,
            limit,
        })
    }

    /// Marks rows of `T`'s table that were inserted, updated, moved or deleted:
    /// [`Mutation::changed`](crate::Mutation::changed).
    #[track_caller]
    pub fn changed<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.marker().changed::<T>(keys);
    }

    /// Marks rows of `T`'s table that are about to be updated, moved or deleted:
    /// [`Mutation::changing`](crate::Mutation::changing).
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

    /// Marks rows of `T`'s table that were inserted:
    /// [`Mutation::inserted`](crate::Mutation::inserted).
    #[track_caller]
    pub fn inserted<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.marker().inserted::<T>(keys);
    }

    /// Marks rows of a table without a struct that were changed:
    /// [`Mutation::changed_rows`](crate::Mutation::changed_rows).
    ///
    /// # Errors
    /// If no document is made of rows of that table.
    pub fn changed_rows<K: Key>(&mut self, table: &str, column: &str, values: &[K]) -> Result<()> {
        self.marker().changed_rows(table, column, values)
    }

    /// Marks rows of a table without a struct that are about to be changed:
    /// [`Mutation::changing_rows`](crate::Mutation::changing_rows).
    ///
    /// # Errors
    /// If a query fails, or if no document is made of rows of that table.
    pub async fn changing_rows<K: Key>(
        &mut self,
        table: &str,
        column: &str,
        values: &[K],
    ) -> Result<()> {
        let table = self.index.table_named(table)?;
        let columns = named_columns::<K>(table, column)?;
        self.look(table, columns, Keys::of(values)).await
    }

    async fn look(&mut self, table: Table, columns: ColumnNames, keys: Keys) -> Result<()> {
        let rows = (table, columns, keys);
        let look = look(self.index, &mut self.transaction, self.limit, rows).await?;
        self.marks.changing(look);
        Ok(())
    }

    fn marker(&mut self) -> Marker<'_> {
        Marker {
            index: self.index,
            marks: &mut self.marks,
        }
    }

    /// Marks documents to be synced: [`Mutation::resync`](crate::Mutation::resync).
    pub fn resync<V: TView>(&mut self, keys: &[V::Key]) {
        self.marker().resync::<V>(keys);
    }

    /// Begins a savepoint inside this one.
    ///
    /// # Errors
    /// If the database refuses the savepoint.
    pub async fn savepoint(&mut self) -> Result<Savepoint<'_>> {
        let (index, limit) = (self.index, self.limit);
        Savepoint::begin(&mut self.transaction, &mut self.marks, index, limit).await
    }

    /// Keeps the changes and the marks. The mutation commits them, and syncs their dependents.
    ///
    /// # Errors
    /// If the database refuses the release.
    pub async fn release(self) -> Result<()> {
        self.transaction
            .commit()
            .await
            .map_err(Error::database(Operation::Savepoint))?;
        // Only now: after an error, the changes may have been rolled back.
        self.outer.extend(self.marks);
        Ok(())
    }

    /// Undoes the changes, and discards the marks.
    ///
    /// # Errors
    /// If the connection is lost.
    pub async fn rollback(self) -> Result<()> {
        self.transaction
            .rollback()
            .await
            .map_err(Error::database(Operation::Savepoint))
    }
}

changes_by_own_methods!(Savepoint<'_>);

impl Deref for Savepoint<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.transaction
    }
}

impl DerefMut for Savepoint<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

impl fmt::Debug for Savepoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Savepoint")
            .field("marks", &self.marks)
            .finish_non_exhaustive()
    }
}
