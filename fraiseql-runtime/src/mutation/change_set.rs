//! The marks of a mutation or of one savepoint in it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::mutation::dependents::documents::Dependents;
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::key::{Key, Keys};
use crate::schema::row_key::Keyed;

/// A column by which rows were marked: the table, its name, and the SQL type of the marked values.
pub(super) type MarkedColumn = (Table, String, &'static str);

/// The marks of a mutation or of one savepoint in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChangeSet {
    /// Rows that were changed. The order is that of the lookups in a flush.
    pub(super) rows: BTreeMap<MarkedColumn, MarkedRows>,
    /// Documents to sync, whichever rows were changed.
    pub(super) documents: Dependents,
}

/// Rows of one table, by the values of one column.
#[derive(Clone, Debug)]
pub(super) struct MarkedRows {
    pub(super) keys: Keys,
    /// Those of `keys` that may have existed before the mutation.
    pub(super) preexisting: Keys,
}

impl ChangeSet {
    pub(super) fn changed<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        self.changed_rows(T::SHAPE.table, T::SHAPE.key_column(), keys);
    }

    pub(super) fn inserted<T: Keyed>(&mut self, keys: &[T::RowKey]) {
        let keys = Keys::of(keys);
        let preexisting = keys.none();
        let rows = MarkedRows { keys, preexisting };
        self.add(T::SHAPE.table, T::SHAPE.key_column(), rows);
    }

    pub(super) fn changed_rows<K: Key>(&mut self, table: Table, column: &str, values: &[K]) {
        let keys = Keys::of(values);
        let preexisting = keys.clone();
        self.add(table, column, MarkedRows { keys, preexisting });
    }

    pub(super) fn resync<V: TView>(&mut self, keys: &[V::Key]) {
        self.documents.add(V::handle(), Keys::of(keys));
    }

    fn add(&mut self, table: Table, column: &str, rows: MarkedRows) {
        if rows.keys.is_empty() {
            return;
        }
        let ty = rows.keys.sql_type();
        match self.rows.entry((table, column.to_owned(), ty)) {
            Entry::Vacant(entry) => {
                entry.insert(rows);
            }
            Entry::Occupied(mut entry) => {
                let marked = entry.get_mut();
                marked.keys.unite(rows.keys);
                // A row that was marked both as inserted and as changed is looked up as one that
                // may have existed.
                marked.preexisting.unite(rows.preexisting);
            }
        }
    }

    /// Adds the marks of a released savepoint.
    pub(super) fn extend(&mut self, others: Self) {
        for ((table, column, _), rows) in others.rows {
            self.add(table, &column, rows);
        }
        self.documents.extend(others.documents);
    }
}
