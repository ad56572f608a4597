//! What a mutation was told.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::mutation::dependents::Dependents;
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::key::{Key, Keys};
use crate::schema::row_key::Keyed;

/// Something that is told which rows were changed: a [`Mutation`](crate::Mutation), a
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
    /// Rows of `T`'s table were inserted, updated, moved or deleted:
    /// [`Mutation::changed`](crate::Mutation::changed).
    fn changed<T: Keyed>(&mut self, keys: &[T::RowKey]);

    /// Rows of `T`'s table were inserted: [`Mutation::inserted`](crate::Mutation::inserted).
    fn inserted<T: Keyed>(&mut self, keys: &[T::RowKey]);

    /// Rows of a table without a struct were changed:
    /// [`Mutation::changed_rows`](crate::Mutation::changed_rows).
    ///
    /// # Errors
    /// When no document is made of rows of that table.
    fn changed_rows<K: Key>(&mut self, table: &str, column: &str, values: &[K]) -> Result<()>;

    /// The documents of these keys are synced: [`Mutation::resync`](crate::Mutation::resync).
    fn resync<V: TView>(&mut self, keys: &[V::Key]);
}

/// For a type whose own methods have these names, so that they are called without the trait.
macro_rules! changes_by_own_methods {
    ($type:ty) => {
        impl $crate::mutation::marks::Changes for $type {
            fn changed<T: $crate::Keyed>(&mut self, keys: &[T::RowKey]) {
                self.changed::<T>(keys);
            }

            fn inserted<T: $crate::Keyed>(&mut self, keys: &[T::RowKey]) {
                self.inserted::<T>(keys);
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

/// What was marked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// By table, the column that names rows, and the type of its values.
    pub(super) rows: BTreeMap<(Table, String, &'static str), Rows>,
    /// Documents that are synced whatever was changed.
    pub(super) documents: Dependents,
}

/// Rows of one table.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub(super) keys: Keys,
    /// Those of `keys` that may have been there before.
    pub(super) past: Keys,
}

impl Marks {
    pub(super) fn changed<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.changed_rows(T::SHAPE.table, T::SHAPE.key_column(), keys);
    }

    pub(super) fn inserted<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        let keys = Keys::of(keys);
        let past = keys.none();
        self.add(T::SHAPE.table, T::SHAPE.key_column(), Rows { keys, past });
    }

    pub(super) fn changed_rows<K: Key>(&mut self, table: Table, column: &str, values: &[K]) {
        let keys = Keys::of(values);
        let past = keys.clone();
        self.add(table, column, Rows { keys, past });
    }

    pub(super) fn resync<V: TView>(&mut self, keys: &[V::Key]) {
        self.documents.add(V::handle(), Keys::of(keys));
    }

    fn add(&mut self, table: Table, column: &str, rows: Rows) {
        if rows.keys.is_empty() {
            return;
        }
        let ty = rows.keys.sql();
        match self.rows.entry((table, column.to_owned(), ty)) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(rows);
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                let marked = entry.get_mut();
                marked.keys.unite(rows.keys);
                marked.past.unite(rows.past);
            }
        }
    }

    /// Takes over what a savepoint has marked.
    pub(super) fn extend(&mut self, others: Self) {
        for ((table, column, _), rows) in others.rows {
            self.add(table, &column, rows);
        }
        self.documents.extend(others.documents);
    }
}
