//! A part of a mutation that can be rolled back by itself.

use std::fmt;
use std::ops::{Deref, DerefMut};

use sqlx::{Connection, PgConnection, Postgres, Transaction};

use crate::error::{Error, Operation, Result};
use crate::mutation::dependents::index::Index;
use crate::mutation::marks::{Marks, changes_by_own_methods};
use crate::read::typed::TView;
use crate::schema::key::Key;
use crate::schema::row_key::Keyed;

/// A part of a [`Mutation`](crate::Mutation) that can be rolled back by itself, with what it
/// marks. Begun by [`Mutation::savepoint`](crate::Mutation::savepoint).
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
    marks: Marks,
    outer: &'m mut Marks,
    index: &'m Index,
}

impl<'m> Savepoint<'m> {
    pub(super) async fn begin(
        connection: &'m mut PgConnection,
        outer: &'m mut Marks,
        index: &'m Index,
    ) -> Result<Self> {
        if !connection.is_in_transaction() {
            return Err(Error::RolledBack);
        }
        let transaction = Connection::begin(connection)
            .await
            .map_err(Error::database(Operation::Savepoint))?;
        Ok(Self {
            transaction,
            marks: Marks::default(),
            outer,
            index,
        })
    }

    /// Rows of `T`'s table were inserted, updated, moved or deleted:
    /// [`Mutation::changed`](crate::Mutation::changed).
    pub fn changed<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.marks.changed::<T>(keys);
    }

    /// Rows of `T`'s table were inserted: [`Mutation::inserted`](crate::Mutation::inserted).
    pub fn inserted<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.marks.inserted::<T>(keys);
    }

    /// Rows of a table without a struct were changed:
    /// [`Mutation::changed_rows`](crate::Mutation::changed_rows).
    ///
    /// # Errors
    /// When no document is made of rows of that table.
    pub fn changed_rows<K: Key>(&mut self, table: &str, column: &str, values: &[K]) -> Result<()> {
        let table = self.index.table_named(table)?;
        self.marks.changed_rows(table, column, values);
        Ok(())
    }

    /// The documents of these keys are synced: [`Mutation::resync`](crate::Mutation::resync).
    pub fn resync<V: TView>(&mut self, keys: &[V::Key]) {
        self.marks.resync::<V>(keys);
    }

    /// A part of this part.
    ///
    /// # Errors
    /// When the database refuses the savepoint.
    pub async fn savepoint(&mut self) -> Result<Savepoint<'_>> {
        Savepoint::begin(&mut self.transaction, &mut self.marks, self.index).await
    }

    /// Keeps what was done. It is committed, and its documents are synced, with the mutation.
    ///
    /// # Errors
    /// When the database refuses to.
    pub async fn release(self) -> Result<()> {
        self.transaction
            .commit()
            .await
            .map_err(Error::database(Operation::Savepoint))?;
        self.outer.extend(self.marks);
        Ok(())
    }

    /// Undoes what was done since, and forgets what was marked.
    ///
    /// # Errors
    /// When the connection is lost.
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
