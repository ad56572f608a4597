//! The first message of a flush: deferred constraints are checked, written tables are found, and the
//! transaction is announced. It is one message of several statements, so that only one of them costs
//! a round trip.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::Row;

use crate::db::statement::execute_all;
use crate::error::{Error, Operation, Result};
use crate::mutation::change_set::ChangeSet;
use crate::mutation::transaction::Mutation;
use crate::schema::naming::qualified;
use crate::schema::{Table, View};

/// A deferred constraint trigger changes rows at the commit, after the documents were built. So it
/// runs now; and whatever it defers in turn runs at once.
const CHECK_CONSTRAINTS: &str = "SET CONSTRAINTS ALL IMMEDIATE";

/// Tables that documents are made of and that the mutation has written to, of which no row is marked.
pub(super) type UnmarkedTables = BTreeSet<Table>;

/// Prepares the transaction for the lookups. Afterwards, syncs on a pool know that it is open: until
/// it ends, they wait for the rows that they embed. In a strict mutation, returns tables that were
/// written to and not marked.
pub(super) async fn prepare(mutation: &mut Mutation, marks: &ChangeSet) -> Result<UnmarkedTables> {
    let index = &mutation.context.index;
    let is_root = |table: &Table| {
        let mut views = marks.documents.handles();
        views.any(|handle| handle.view.shape.table == *table)
    };
    let marked = |table: &Table| {
        // Who marks documents of a table has thought of it.
        marks.rows.keys().any(|(marked, ..)| marked == table) || is_root(table)
    };
    let unmarked: Vec<Table> = match mutation.strict {
        true => index.tables().filter(|table| !marked(table)).collect(),
        false => Vec::new(),
    };
    let views = views(mutation, marks);
    if views.is_empty() && unmarked.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut statements = vec![(Arc::from(CHECK_CONSTRAINTS), Operation::CheckConstraints)];
    if !unmarked.is_empty() {
        statements.push((index.written(&unmarked), Operation::FindWritten));
    }
    if !views.is_empty() {
        // Last, because it changes what the names in a statement of the application would mean. After
        // the lookups only the commit follows, so nothing has to be restored.
        let path = index.set_path(&views);
        statements.push((index.announce(&views), Operation::Announce));
        statements.extend(path.map(|path| (path, Operation::SessionSettings)));
    }
    let rows = execute_all(&mut mutation.connection, statements).await?;
    let mut written = BTreeSet::new();
    if !unmarked.is_empty() {
        for row in &rows {
            // The rows of the other statements have a lock or a path, which name no table.
            let name: String = row
                .try_get(0)
                .map_err(Error::database(Operation::FindWritten))?;
            written.extend(unmarked.iter().filter(|table| table.to_string() == name));
        }
    }
    Ok(written)
}

/// The views that may have dependents, each once, in the order of tables.
fn views(mutation: &Mutation, marks: &ChangeSet) -> Vec<&'static View> {
    let marked = marks.rows.iter().filter(|(_, rows)| !rows.keys.is_empty());
    let paths = marked.flat_map(|((table, ..), _)| mutation.context.index.paths(*table));
    let views: BTreeMap<Table, &'static View> = paths
        .map(|path| path.view)
        .chain(marks.documents.handles())
        .map(|handle| (handle.view.table, handle.view))
        .collect();
    views.into_values().collect()
}

/// Refuses a mutation that wrote to these tables.
pub(super) fn refuse(unmarked: UnmarkedTables) -> Result<()> {
    if unmarked.is_empty() {
        return Ok(());
    }
    let name = |table: Table| qualified(table.schema, table.name);
    Err(Error::Unmarked {
        tables: unmarked.into_iter().map(name).collect(),
    })
}
