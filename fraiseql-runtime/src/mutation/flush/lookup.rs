//! Finds the documents that depend on the marks of a mutation, now and before it.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;

use crate::error::Result;
use crate::mutation::change_set::{MarkedColumns, MarkedRows};
use crate::mutation::dependents::find::find_dependents;
use crate::mutation::early_look::EarlyLook;
use crate::mutation::flush::affected::AffectedDocuments;
use crate::mutation::flush::former::{Former, FormerRows};
use crate::mutation::isolation::Isolation;
use crate::mutation::transaction::Mutation;
use crate::schema::TableName;
use crate::schema::key::Keys;

/// Marked rows as they are now.
pub(super) struct CurrentRows {
    /// The values by which they were marked.
    pub(super) marked: Keys,
    /// Those for which rows exist.
    pub(super) existing: Keys,
    /// Whether a foreign key may have acted on other rows, though these exist.
    pub(super) may_have_acted: bool,
}

/// Finds the documents that depend on the marked rows. Returns the tables that foreign keys may have
/// written to.
pub(super) async fn find(
    mutation: &mut Mutation,
    marked: BTreeMap<MarkedColumns, MarkedRows>,
    looks: Vec<EarlyLook>,
    affected: &mut AffectedDocuments,
) -> Result<BTreeSet<TableName>> {
    let mut current = BTreeMap::new();
    let mut committed = Vec::new();
    for (marked, rows) in marked {
        if rows.keys.is_empty() {
            continue;
        }
        let now = find_current(mutation, &marked, &rows, affected).await?;
        committed.extend(former_rows(mutation, &marked, rows, &now));
        current.insert(marked, now);
    }
    let mut former = Former::default();
    former
        .add_looks(mutation, looks, &current, affected)
        .await?;
    former.add_committed(mutation, &committed, affected).await?;
    former.find(mutation, affected).await
}

/// Finds the documents that depend on the marked rows as the tables are now.
async fn find_current(
    mutation: &mut Mutation,
    (table, columns, _): &MarkedColumns,
    rows: &MarkedRows,
    affected: &mut AffectedDocuments,
) -> Result<CurrentRows> {
    let index = &mutation.context.index;
    let limit = mutation.limits.documents;
    let connection: &mut PgConnection = &mut mutation.connection;
    let found =
        find_dependents(index, connection, *table, columns, &rows.keys, true, limit).await?;
    affected.add_current(found.paths, &rows.keys);
    Ok(CurrentRows {
        marked: rows.keys.clone(),
        existing: found.existing,
        may_have_acted: found.may_have_acted,
    })
}

/// The rows whose former documents may be others, and that were not looked up before.
fn former_rows(
    mutation: &Mutation,
    (table, columns, _): &MarkedColumns,
    rows: MarkedRows,
    now: &CurrentRows,
) -> Option<FormerRows> {
    // This transaction sees its own deletes: a marked row that it does not find is deleted, or
    // never existed, which the committed rows will show.
    let mut deleted = rows.preexisting.clone();
    deleted.remove(&now.existing);
    // An update can only have moved a row to other documents if a path leaves the row by
    // another column than the marked one, such as a comment's `post_id`: the marked column
    // has the same value before and after.
    let paths = mutation.context.index.paths(*table);
    let may_have_moved = paths
        .iter()
        .any(|path| path.leaves_through_sibling(columns))
        // In SERIALIZABLE the lookup saw a snapshot that may be older than other transactions'
        // commits: documents that they have added are found through committed rows only.
        || mutation.isolation == Isolation::Serializable;
    let may_have_acted = now.may_have_acted || !deleted.is_empty();
    let keys = match may_have_moved || now.may_have_acted {
        true => rows.preexisting,
        false => deleted,
    };
    (!keys.is_empty()).then(|| FormerRows {
        table: *table,
        columns: columns.clone(),
        marked: rows.keys,
        keys,
        may_have_acted,
    })
}
