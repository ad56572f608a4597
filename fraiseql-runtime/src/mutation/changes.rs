//! The trait `Changes`: marks of changed rows.

use std::future::{Future, ready};

use crate::error::Result;
use crate::read::typed::TView;
use crate::schema::key::Key;
use crate::schema::row_key::Keyed;

/// Takes marks of changed rows: a [`Mutation`](crate::Mutation), a
/// [`Savepoint`](crate::mutation::Savepoint), or a [`Recorder`](crate::Recorder) in a unit test.
///
/// Code that only marks takes an `&mut impl Changes`:
///
/// ```
/// use fraiseql_runtime::{Changes, Embed, Recorder};
///
/// #[derive(Embed)]
/// struct Comment { id: i64, content: String }
///
/// fn moved(changes: &mut impl Changes, comments: &[i64]) {
///     changes.changed::<Comment>(comments);
/// }
/// # fn main() {
/// let mut recorder = Recorder::new();
/// moved(&mut recorder, &[7, 8]);
/// recorder.assert_changed::<Comment>(&[8, 7]);
/// # }
/// ```
pub trait Changes {
    /// Marks rows of `T`'s table that were inserted, updated, moved or deleted:
    /// [`Mutation::changed`](crate::Mutation::changed).
    fn changed<T: Keyed>(&mut self, keys: &[T::RowKey]);

    /// Marks rows of `T`'s table that are about to be updated, moved or deleted:
    /// [`Mutation::changing`](crate::Mutation::changing). By default it is
    /// [`changed`](Self::changed), which looks at the former rows later.
    ///
    /// # Errors
    /// If the rows cannot be looked up.
    fn changing<T: Keyed>(
        &mut self,
        keys: &[T::RowKey],
    ) -> impl Future<Output = Result<()>> + Send {
        self.changed::<T>(keys);
        ready(Ok(()))
    }

    /// Marks rows of a table without a struct that are about to be changed:
    /// [`Mutation::changing_rows`](crate::Mutation::changing_rows). By default it is
    /// [`changed_rows`](Self::changed_rows).
    ///
    /// # Errors
    /// If no document is made of rows of that table, or they cannot be looked up.
    fn changing_rows<K: Key>(
        &mut self,
        table: &str,
        column: &str,
        values: &[K],
    ) -> impl Future<Output = Result<()>> + Send {
        ready(self.changed_rows(table, column, values))
    }

    /// Marks rows of `T`'s table that were inserted:
    /// [`Mutation::inserted`](crate::Mutation::inserted).
    fn inserted<T: Keyed>(&mut self, keys: &[T::RowKey]);

    /// Marks rows of a table without a struct that were changed:
    /// [`Mutation::changed_rows`](crate::Mutation::changed_rows).
    ///
    /// # Errors
    /// If no document is made of rows of that table.
    fn changed_rows<K: Key>(&mut self, table: &str, column: &str, values: &[K]) -> Result<()>;

    /// Marks documents to be synced: [`Mutation::resync`](crate::Mutation::resync).
    fn resync<V: TView>(&mut self, keys: &[V::Key]);
}

/// Implements [`Changes`] for a type that has the same methods as inherent ones, so that they can
/// be called without importing the trait.
macro_rules! changes_by_own_methods {
    ($type:ty) => {
        impl $crate::mutation::changes::Changes for $type {
            #[track_caller]
            fn changed<T: $crate::Keyed>(&mut self, keys: &[T::RowKey]) {
                self.changed::<T>(keys);
            }

            #[track_caller]
            fn inserted<T: $crate::Keyed>(&mut self, keys: &[T::RowKey]) {
                self.inserted::<T>(keys);
            }

            async fn changing<T: $crate::Keyed>(
                &mut self,
                keys: &[T::RowKey],
            ) -> $crate::Result<()> {
                self.changing::<T>(keys).await
            }

            async fn changing_rows<K: $crate::Key>(
                &mut self,
                table: &str,
                column: &str,
                values: &[K],
            ) -> $crate::Result<()> {
                self.changing_rows(table, column, values).await
            }

            fn changed_rows<K: $crate::Key>(
                &mut self,
                table: &str,
                column: &str,
                values: &[K],
            ) -> $crate::Result<()> {
                self.changed_rows(table, column, values)
            }

            fn resync<V: $crate::TView>(&mut self, keys: &[V::Key]) {
                self.resync::<V>(keys);
            }
        }
    };
}

pub(super) use changes_by_own_methods;
