//! Finds the documents that depend on the marks of a mutation, now and before it.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::mutation::change_set::{ChangeSet, MarkedColumn, MarkedRows};
use crate::mutation::committed_reader::CommittedReader;
use crate::mutation::dependents::cascade::cascades;
use crate::mutation::dependents::find::{
    FormerValues, find_dependents, find_former_dependents, former_values,
};
use crate::mutation::dependents::index::DependencyIndex;
use crate::mutation::flush::affected::AffectedDocuments;
use crate::mutation::isolation::Isolation;
use crate::mutation::transaction::Mutation;
use crate::schema::key::Keys;
use crate::schema::{Table, TableName, View};

/// Rows that existed before the mutation, and were deleted or may have been moved by it.
pub(super) struct FormerRows {
    table: Table,
    column: String,
    /// The rows whose former values are looked up.
    keys: Keys,
    /// Those of the rows that were deleted.
    deleted: Keys,
}

/// Announces this transaction to syncs on a pool, for every view that may have dependents: until it
/// ends, they wait for the rows that they embed.
pub(super) async fn announce(mutation: &mut Mutation, marks: &ChangeSet) -> Result<()> {
    let index = &mutation.context.index;
    let paths = marks
        .rows
        .keys()
        .flat_map(|(table, ..)| index.paths(*table));
    // Each view once, in the order of tables.
    let views: BTreeMap<Table, &'static View> = paths
        .map(|path| path.view)
        .chain(marks.documents.handles())
        .map(|handle| (handle.view.table, handle.view))
        .collect();
    if views.is_empty() {
        return Ok(());
    }
    let views: Vec<&View> = views.into_values().collect();
    Statement::composed(index.announce(&views), Operation::Announce)
        .execute(&mut mutation.connection)
        .await?;
    Ok(())
}

/// Finds the documents that depend on the marked rows as the tables are now. Returns the rows
/// whose former documents may be others.
pub(super) async fn find_current(
    mutation: &mut Mutation,
    marked: BTreeMap<MarkedColumn, MarkedRows>,
    affected: &mut AffectedDocuments,
) -> Result<Vec<FormerRows>> {
    let index = &mutation.context.index;
    let limit = mutation.limits.documents;
    let mut former = Vec::new();
    for ((table, column, _), rows) in marked {
        let connection: &mut PgConnection = &mut mutation.connection;
        let found =
            find_dependents(index, connection, table, &column, &rows.keys, true, limit).await?;
        // This transaction sees its own deletes: a marked row that it does not find is deleted, or
        // never existed, which the committed rows will show.
        let mut deleted = rows.preexisting.clone();
        deleted.remove(&found.existing);
        affected.add_current(found.paths, &rows.keys);
        // An update can only have moved a row to other documents if a path leaves the row by
        // another column than the marked one, such as a comment's `post_id`: the marked column
        // has the same value before and after.
        let may_have_moved = index
            .paths(table)
            .iter()
            .any(|path| path.leaves_through_sibling(&column))
            // In SERIALIZABLE the lookup saw a snapshot that may be older than other transactions'
            // commits: documents that they have added are found through committed rows only.
            || mutation.isolation == Isolation::Serializable;
        let keys = if may_have_moved {
            rows.preexisting
        } else {
            deleted.clone()
        };
        if !keys.is_empty() {
            former.push(FormerRows {
                table,
                column,
                keys,
                deleted,
            });
        }
    }
    Ok(former)
}

/// Values by which rows led to documents before the mutation.
struct FormerOrigin {
    table: Table,
    values: FormerValues,
    /// The number of steps from a marked row: 1 for rows that were deleted or changed with it.
    extra_depth: usize,
}

/// Finds the documents that depended on rows as the tables were before the mutation.
///
/// Only the first step is read through the committed rows: the values that the rows had in the
/// columns by which paths leave them. From these values, the paths are followed in the mutation's
/// own transaction, because only there can the rows on them be locked. A row on a path that another
/// transaction moves meanwhile is waited for, and leads to its new documents.
pub(super) async fn find_former(
    mutation: &mut Mutation,
    former: &[FormerRows],
    affected: &mut AffectedDocuments,
) -> Result<()> {
    let index = &mutation.context.index;
    let limit = mutation.limits.documents;
    let mut reader = CommittedReader::begin(&mutation.pool, &mutation.context.spare).await?;
    let committed = reader.connection();
    let mut origins: Vec<FormerOrigin> = Vec::new();
    for rows in former {
        let FormerRows { table, column, .. } = rows;
        for values in former_values(index, committed, *table, column, &rows.keys).await? {
            origins.push(FormerOrigin {
                table: *table,
                values,
                extra_depth: 0,
            });
        }
        if mutation.isolation == Isolation::Serializable {
            let keys = &rows.keys;
            let found =
                find_dependents(index, committed, *table, column, keys, false, limit).await?;
            affected.add_former(found.paths, 0);
        }
        if !rows.deleted.is_empty() {
            origins.extend(follow_cascades(index, committed, rows, limit, affected).await?);
        }
    }
    // The connection is back before the statements below, which may wait for locks.
    reader.end().await;
    for origin in origins {
        let connection: &mut PgConnection = &mut mutation.connection;
        let paths =
            find_former_dependents(index, connection, origin.table, &origin.values, limit).await?;
        affected.add_former(paths, origin.extra_depth);
    }
    Ok(())
}

/// The former values of the rows that were deleted or changed together with deleted rows.
async fn follow_cascades(
    index: &DependencyIndex,
    committed: &mut PgConnection,
    rows: &FormerRows,
    limit: usize,
    affected: &mut AffectedDocuments,
) -> Result<Vec<FormerOrigin>> {
    let (table, column) = (TableName::from(rows.table), &rows.column);
    let keys = &rows.deleted;
    let found = cascades(&index.foreign_keys, committed, table, column, keys, limit).await?;
    affected.truncated |= found.truncated;
    affected.not_followed.extend(found.not_followed);
    let mut origins = Vec::new();
    for rows in found.rows {
        // No document is made of the rows of other tables.
        let Some(table) = index.find_table(&rows.table) else {
            continue;
        };
        for values in former_values(index, committed, table, &rows.column, &rows.keys).await? {
            origins.push(FormerOrigin {
                table,
                values,
                extra_depth: 1,
            });
        }
    }
    Ok(origins)
}
