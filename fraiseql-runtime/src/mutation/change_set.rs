//! The marks of a mutation or of one savepoint in it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::error::Error;
use crate::mutation::dependents::documents::Dependents;
use crate::mutation::early_look::EarlyLook;
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::key::{Key, Keys};

/// A column by which rows were marked: the table, its name, and the SQL type of the marked values.
pub(super) type MarkedColumn = (Table, String, &'static str);

/// The marks of a mutation or of one savepoint in it.
#[derive(Debug, Default)]
pub(crate) struct ChangeSet {
    /// Rows that were changed. The order is that of the lookups in a flush.
    pub(super) rows: BTreeMap<MarkedColumn, MarkedRows>,
    /// Documents to sync, whichever rows were changed.
    pub(super) documents: Dependents,
    /// What was looked up before rows were changed.
    pub(super) looks: Vec<EarlyLook>,
    /// The error of the first mark that matches nothing of the read model. The flush returns it,
    /// because a mark has no result.
    pub(super) mistake: Option<Error>,
}

/// Rows of one table, by the values of one column.
#[derive(Clone, Debug)]
pub(super) struct MarkedRows {
    pub(super) keys: Keys,
    /// Those of `keys` that may have existed before the mutation, and were not looked up before
    /// they were marked.
    pub(super) preexisting: Keys,
}

impl ChangeSet {
    pub(super) fn changed_rows<K: Key>(&mut self, table: Table, column: &str, values: &[K]) {
        let keys = Keys::of(values);
        let preexisting = keys.clone();
        self.add(table, column, MarkedRows { keys, preexisting });
    }

    pub(super) fn inserted_rows<K: Key>(&mut self, table: Table, column: &str, values: &[K]) {
        let keys = Keys::of(values);
        let preexisting = keys.none();
        self.add(table, column, MarkedRows { keys, preexisting });
    }

    /// Adds rows that were looked up, and are about to be changed.
    pub(super) fn changing(&mut self, look: EarlyLook) {
        let (table, column) = (look.table, look.column.clone());
        let keys = look.keys.clone();
        self.looks.push(look);
        let preexisting = keys.none();
        self.add(table, &column, MarkedRows { keys, preexisting });
    }

    pub(super) fn resync<V: TView>(&mut self, keys: &[V::Key]) {
        self.documents.add(V::handle(), Keys::of(keys));
    }

    fn add(&mut self, table: Table, column: &str, mut rows: MarkedRows) {
        let ty = rows.keys.sql_type();
        for look in &self.looks {
            // Rows that were changed before they were looked up stay: the look saw the new values.
            if (look.table, &*look.column) == (table, column) && look.keys.sql_type() == ty {
                rows.preexisting.remove(&look.keys);
            }
        }
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
        // Before the looks of the savepoint, which do not hold for what it marked before them.
        for ((table, column, _), rows) in others.rows {
            self.add(table, &column, rows);
        }
        self.documents.extend(others.documents);
        self.looks.extend(others.looks);
        self.mistake = self.mistake.take().or(others.mistake);
    }
}
