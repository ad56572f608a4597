//! The marks of a mutation or of one savepoint in it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::error::Error;
use crate::mutation::dependents::documents::Dependents;
use crate::mutation::early_look::EarlyLook;
use crate::schema::columns::ColumnNames;
use crate::schema::key::{Key, Keys};
use crate::schema::{Columns, Table};
use crate::view::Handle;

/// Columns by which rows were marked: the table, their names, and the SQL type of the marked values.
pub(super) type MarkedColumns = (Table, ColumnNames, &'static str);

/// The marks of a mutation or of one savepoint in it.
#[derive(Debug, Default)]
pub(crate) struct ChangeSet {
    /// Rows that were changed. The order is that of the lookups in a flush.
    pub(super) rows: BTreeMap<MarkedColumns, MarkedRows>,
    /// Documents to sync, whichever rows were changed.
    pub(super) documents: Dependents,
    /// What was looked up before rows were changed.
    pub(super) looks: Vec<EarlyLook>,
    /// The error of the first mark that matches nothing of the read model. The flush returns it,
    /// because a mark has no result.
    pub(super) mistake: Option<Error>,
}

/// Rows of one table, by the values of some columns.
#[derive(Clone, Debug)]
pub(super) struct MarkedRows {
    pub(super) keys: Keys,
    /// Those of `keys` that may have existed before the mutation, and were not looked up before
    /// they were marked.
    pub(super) preexisting: Keys,
}

impl ChangeSet {
    pub(super) fn changed_rows<K: Key>(
        &mut self,
        table: Table,
        columns: impl Into<ColumnNames>,
        values: &[K],
    ) {
        let keys = Keys::of(values);
        let preexisting = keys.clone();
        self.add(table, columns.into(), MarkedRows { keys, preexisting });
    }

    pub(super) fn inserted_rows<K: Key>(&mut self, table: Table, columns: Columns, values: &[K]) {
        let keys = Keys::of(values);
        let preexisting = keys.none();
        self.add(table, columns.into(), MarkedRows { keys, preexisting });
    }

    /// Adds rows that were looked up, and are about to be changed.
    pub(super) fn changing(&mut self, look: EarlyLook) {
        let (table, columns) = (look.table, look.columns.clone());
        let keys = look.keys.clone();
        self.looks.push(look);
        let preexisting = keys.none();
        self.add(table, columns, MarkedRows { keys, preexisting });
    }

    pub(super) fn resync(&mut self, view: Handle, keys: Keys) {
        self.documents.add(view, keys);
    }

    fn add(&mut self, table: Table, columns: ColumnNames, mut rows: MarkedRows) {
        let ty = rows.keys.sql_type();
        for look in &self.looks {
            // Rows that were changed before they were looked up stay: the look saw the new values.
            if (look.table, &look.columns) == (table, &columns) && look.keys.sql_type() == ty {
                rows.preexisting.remove(&look.keys);
            }
        }
        match self.rows.entry((table, columns, ty)) {
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
        for ((table, columns, _), rows) in others.rows {
            self.add(table, columns, rows);
        }
        self.documents.extend(others.documents);
        self.looks.extend(others.looks);
        self.mistake = self.mistake.take().or(others.mistake);
    }
}
