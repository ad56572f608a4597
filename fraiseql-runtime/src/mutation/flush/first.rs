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
pub(super) const CHECK_CONSTRAINTS: &str = "SET CONSTRAINTS ALL IMMEDIATE";

/// Tables that documents are made of and that the mutation has written to, of which no row is marked.
pub(super) type UnmarkedTables = BTreeSet<Table>;

/// What is known of a transaction after the first message.
#[derive(Default)]
pub(super) struct Prepared {
    /// In a strict mutation, the tables that were written to and not marked.
    pub(super) unmarked: UnmarkedTables,
    /// Whether the function of the read model can be called, if that was asked.
    pub(super) can_call: bool,
}

/// Prepares the transaction for the lookups. Afterwards, syncs on a pool know that it is open: until
/// it ends, they wait for the rows that they embed. `question` is an expression to evaluate.
pub(super) async fn prepare(
    mutation: &mut Mutation,
    marks: &ChangeSet,
    question: Option<&str>,
) -> Result<Prepared> {
    let index = &mutation.context.index;
    let is_root = |table: &Table| {
        let mut views = marks.documents.handles();
        views.any(|handle| handle.view.shape.table == *table)
    };
    let marked = |table: &Table| {
        // Who marks documents of a table has thought of it.
        marks.rows.keys().any(|(marked, ..)| marked == table) || is_root(table)
    };
    // Triggers write what was changed: nobody has to say it.
    let unmarked: Vec<Table> = match mutation.strict && !mutation.context.capture.is_on() {
        true => index.tables().filter(|table| !marked(table)).collect(),
        false => Vec::new(),
    };
    let views = views(mutation, marks);
    if views.is_empty() && unmarked.is_empty() && question.is_none() {
        return Ok(Prepared::default());
    }
    let mut statements = vec![(Arc::from(CHECK_CONSTRAINTS), Operation::CheckConstraints)];
    if !unmarked.is_empty() {
        statements.push((index.written(&unmarked), Operation::FindWritten));
    }
    if let Some(question) = question {
        statements.push((format!("SELECT {question}").into(), Operation::Announce));
    }
    if !views.is_empty() {
        // Last, because it changes what the names in a statement of the application would mean. After
        // the lookups only the commit follows, so nothing has to be restored.
        let path = index.set_path(&views);
        statements.push((index.announce(&views), Operation::Announce));
        statements.extend(path.map(|path| (path, Operation::SessionSettings)));
    }
    let mut rows = execute_all(&mut mutation.connection, statements)
        .await?
        .into_iter()
        .skip(1);
    let mut prepared = Prepared::default();
    if !unmarked.is_empty() {
        for row in rows.next().unwrap_or_default() {
            let name: String = row
                .try_get(0)
                .map_err(Error::database(Operation::FindWritten))?;
            let written = unmarked.iter().filter(|table| table.to_string() == name);
            prepared.unmarked.extend(written);
        }
    }
    if question.is_some()
        && let Some(row) = rows.next().unwrap_or_default().first()
    {
        let answer: Option<bool> = row
            .try_get(0)
            .map_err(Error::database(Operation::Announce))?;
        prepared.can_call = answer == Some(true);
    }
    Ok(prepared)
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
