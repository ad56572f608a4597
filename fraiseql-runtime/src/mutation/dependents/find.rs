//! Follows the paths from changed rows to the documents that depend on them, by one statement for
//! all paths of a table.

use std::sync::Arc;

use sqlx::postgres::PgRow;
use sqlx::{Acquire, PgConnection, Postgres, Row};

use crate::db::scope::{BEGIN_READ_ONLY, ScopeErrors, TransactionScope, isolated};
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::mutation::dependents::documents::Dependents;
use crate::mutation::dependents::images::ColumnValues;
use crate::mutation::dependents::index::{DependencyIndex, EmbedPath};
use crate::mutation::limits::one_more;
use crate::schema::Table;
use crate::schema::columns::ColumnNames;
use crate::schema::key::Keys;
use crate::schema::naming::column_name;
use crate::sql::dependents::result_row;
use crate::sql::part::PartSql;
use crate::view::Handle;

/// The result of following all paths from some rows.
#[derive(Debug)]
pub(crate) struct FoundDependents {
    /// The paths that led to documents. Several can lead to the same one.
    pub(crate) paths: Vec<MatchedPath>,
    /// The values for which rows exist. Empty for a table that no document is made of, because no
    /// statement is sent.
    pub(crate) existing: Keys,
    /// Whether a foreign key may have acted on other rows, though a row exists for each value: rows
    /// of the table were deleted, or a key refers to another column than that of the values. Known
    /// with locks only.
    pub(crate) may_have_acted: bool,
}

/// A path, and the documents that it led to.
#[derive(Debug)]
pub(crate) struct MatchedPath {
    pub(crate) view: Handle,
    /// `tb_comment.post_id -> Post.comments`.
    pub(crate) text: Arc<str>,
    /// The number of steps to the root row, which has 0.
    pub(crate) depth: usize,
    /// The documents, each once and in order.
    pub(crate) keys: Keys,
    /// There are more documents than the limit.
    pub(crate) truncated: bool,
    /// The part of the documents' root objects that the rows are, if they are embedded so.
    pub(crate) part: Option<&'static PartSql>,
}

/// Finds the documents that depend on the rows of `table` whose `columns` have one of `rows`, at most
/// `limit` for each path.
///
/// With `lock`, the rows on the paths are locked FOR SHARE, so that no other transaction moves them
/// before this one ends. Those of `rows` are not: the caller has written and so locked them.
pub(crate) async fn find_dependents(
    index: &DependencyIndex,
    connection: &mut PgConnection,
    table: Table,
    columns: &ColumnNames,
    rows: &Keys,
    lock: bool,
    limit: usize,
) -> Result<FoundDependents> {
    let paths = index.paths(table);
    if paths.is_empty() || rows.is_empty() {
        return Ok(FoundDependents {
            paths: Vec::new(),
            existing: rows.none(),
            may_have_acted: false,
        });
    }
    let sql = index.find_statement(table, columns, rows.sql_type(), lock);
    let operation = Operation::FindDependents(column_name(table, columns));
    Statement::composed(sql, operation)
        .on(table)
        .bind_keys(rows)
        .bind(one_more(limit))
        .fetch_one(connection, |row| {
            let mut existing = rows.read(row, result_row::EXISTING)?;
            // This sorts them: the statement returns them in any order.
            existing.unite(rows.none());
            let part = |path: &EmbedPath| path.part(table, columns, rows.sql_type());
            let paths = matched_paths(row, paths.iter(), limit, part)?;
            Ok(FoundDependents {
                paths,
                existing,
                may_have_acted: row.try_get(result_row::MAY_HAVE_ACTED)?,
            })
        })
        .await
}

/// Reads the documents of these paths: the statement returns an array for each, in their order.
fn matched_paths<'p>(
    row: &PgRow,
    paths: impl Iterator<Item = &'p EmbedPath>,
    limit: usize,
    part: impl Fn(&EmbedPath) -> Option<&'static PartSql>,
) -> sqlx::Result<Vec<MatchedPath>> {
    let mut matched = Vec::new();
    for (position, path) in paths.enumerate() {
        let mut keys = path
            .view
            .no_keys()
            .read(row, result_row::FIRST_CHAIN + position)?;
        let truncated = keys.truncate(limit);
        if !keys.is_empty() {
            matched.push(MatchedPath {
                view: path.view,
                text: Arc::clone(&path.text),
                depth: path.depth,
                keys,
                truncated,
                part: part(path),
            });
        }
    }
    Ok(matched)
}

/// Finds the documents that rows with these values lead to, at most `limit` for each path. The rows
/// on the paths are locked, as by [`find_dependents`].
pub(crate) async fn find_former_dependents(
    index: &DependencyIndex,
    connection: &mut PgConnection,
    table: Table,
    former: &ColumnValues,
    limit: usize,
) -> Result<Vec<MatchedPath>> {
    let sql = index.find_former_statement(table, &former.columns, &former.ty);
    let operation = Operation::FindFormerDependents(column_name(table, &former.columns));
    Statement::composed(sql, operation)
        .on(table)
        .bind(&former.values)
        .bind(one_more(limit))
        .fetch_one(connection, |row| {
            // Without a part: the rows may be gone from the documents, so these have to be built.
            let paths = index.paths_leaving_by(table, &former.columns);
            matched_paths(row, paths, limit, |_| None)
        })
        .await
}

/// The documents that depend on these rows now, without locks and limits.
pub(crate) async fn dependents<'a>(
    index: &DependencyIndex,
    database: impl Acquire<'a, Database = Postgres>,
    table: Table,
    columns: &ColumnNames,
    rows: &Keys,
) -> Result<Dependents> {
    let acquiring = Operation::AcquireConnection("look for dependents");
    let mut connection = database
        .acquire()
        .await
        .map_err(Error::database(acquiring))?;
    let connection: &mut PgConnection = &mut connection;
    let find = async |connection: &mut PgConnection| {
        find_dependents(index, connection, table, columns, rows, false, usize::MAX).await
    };
    let found = match index.set_path(&index.views_of(table)) {
        None => find(connection).await?,
        Some(path) => {
            let errors = ScopeErrors::of(Operation::SessionSettings, table);
            let mut scope = TransactionScope::Caller;
            let begin = Some(BEGIN_READ_ONLY);
            isolated(connection, &mut scope, begin, &errors, async |connection| {
                Statement::composed(path, Operation::SessionSettings)
                    .on(table)
                    .execute(connection)
                    .await?;
                find(connection).await
            })
            .await?
        }
    };
    let mut dependents = Dependents::default();
    for path in found.paths {
        dependents.add(path.view, path.keys);
    }
    Ok(dependents)
}
