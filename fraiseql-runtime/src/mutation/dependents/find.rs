//! Asks the database which documents changed rows belong to.

use std::sync::Arc;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Operation, Result};
use crate::mutation::dependents::index::{Index, Way};
use crate::schema::Table;
use crate::schema::key::Keys;
use crate::schema::naming::column_name;
use crate::sql::dependents::answer;
use crate::sql::part::PartSql;
use crate::view::Handle;

/// What was found for some rows.
#[derive(Debug)]
pub(crate) struct Found {
    /// For each way that led to documents. Several can lead to the same.
    pub(crate) ways: Vec<FoundWay>,
    /// The values of the rows' column for which there are rows. None of a table that no
    /// document is made of: it is not asked for.
    pub(crate) existing: Keys,
}

/// The documents at the end of one way.
#[derive(Debug)]
pub(crate) struct FoundWay {
    pub(crate) view: Handle,
    /// `tb_comment.post_id -> Post.comments`.
    pub(crate) text: Arc<str>,
    /// How far the rows are from the document's own row, which has 0.
    pub(crate) depth: usize,
    /// Each once, and in order.
    pub(crate) keys: Keys,
    /// There are more than were asked for.
    pub(crate) truncated: bool,
    /// The part that the rows are in the root objects of the documents, if that is how they
    /// are embedded.
    pub(crate) part: Option<&'static PartSql>,
}

/// The documents that the rows of `table` belong to whose `column` is one of `rows`, at most
/// `limit` for each way.
///
/// With `lock`, the rows on the ways are locked FOR SHARE, all but those of `rows`: the caller
/// has written them. Then no other transaction moves them elsewhere before this one ends.
pub(crate) async fn find(
    index: &Index,
    connection: &mut PgConnection,
    table: Table,
    column: &str,
    rows: &Keys,
    lock: bool,
    limit: usize,
) -> Result<Found> {
    let ways = index.ways(table);
    if ways.is_empty() || rows.is_empty() {
        return Ok(Found {
            ways: Vec::new(),
            existing: rows.none(),
        });
    }
    let failed = || Error::on_table(Operation::FindDependents(column_name(table, column)), table);
    let sql = index.statement(table, column, rows.sql(), lock);
    trace_statement(&sql);
    let one_more = i64::try_from(limit).map_or(i64::MAX, |limit| limit.saturating_add(1));
    let row = rows
        .bind(sqlx::query(AssertSqlSafe(sql)))
        .bind(one_more)
        .fetch_one(connection)
        .await
        .map_err(failed())?;
    let read = || -> sqlx::Result<Found> {
        let mut existing = rows.read(&row, answer::EXISTING)?;
        existing.unite(rows.none());
        let ways = ways.iter();
        let found = found(&row, ways, limit, |way| way.part(table, column, rows.sql()))?;
        Ok(Found {
            ways: found,
            existing,
        })
    };
    read().map_err(failed())
}

/// What was answered for these ways.
fn found<'w>(
    row: &PgRow,
    ways: impl Iterator<Item = &'w Way>,
    limit: usize,
    part: impl Fn(&Way) -> Option<&'static PartSql>,
) -> sqlx::Result<Vec<FoundWay>> {
    let mut found = Vec::new();
    for (place, way) in ways.enumerate() {
        let mut keys = way.view.no_keys().read(row, answer::WAYS + place)?;
        let truncated = keys.truncate(limit);
        if !keys.is_empty() {
            found.push(FoundWay {
                view: way.view,
                text: Arc::clone(&way.text),
                depth: way.depth,
                keys,
                truncated,
                part: part(way),
            });
        }
    }
    Ok(found)
}

/// What the rows of a table had, or have for others, in one of the columns that ways begin with.
pub(crate) struct OldValues {
    column: String,
    /// The column's type.
    ty: String,
    values: Vec<String>,
}

/// The values by which the rows of `table` whose `column` is one of `rows` lead to documents, as
/// `connection` sees them.
pub(crate) async fn old_values(
    index: &Index,
    connection: &mut PgConnection,
    table: Table,
    column: &str,
    rows: &Keys,
) -> Result<Vec<OldValues>> {
    let wanted = index.first_columns(table);
    if wanted.is_empty() || rows.is_empty() {
        return Ok(Vec::new());
    }
    let failed = || Error::on_table(Operation::FindFormerValues, table);
    let sql = index.old_values(table, column, rows.sql());
    trace_statement(&sql);
    let row = rows
        .bind(sqlx::query(AssertSqlSafe(sql)))
        .fetch_one(connection)
        .await
        .map_err(failed())?;
    let mut old = Vec::new();
    for (place, column) in wanted.into_iter().enumerate() {
        let values: Vec<String> = row.try_get(2 * place).map_err(failed())?;
        if !values.is_empty() {
            old.push(OldValues {
                column: column.to_owned(),
                ty: row.try_get(2 * place + 1).map_err(failed())?,
                values,
            });
        }
    }
    Ok(old)
}

/// The documents that rows with these values lead to, at most `limit` for each way. The rows on
/// the ways are locked, as by [`find`].
pub(crate) async fn find_from(
    index: &Index,
    connection: &mut PgConnection,
    table: Table,
    old: &OldValues,
    limit: usize,
) -> Result<Vec<FoundWay>> {
    let failed = || {
        Error::on_table(
            Operation::FindFormerDependents(column_name(table, &old.column)),
            table,
        )
    };
    let sql = index.find_from(table, &old.column, &old.ty);
    trace_statement(&sql);
    let one_more = i64::try_from(limit).map_or(i64::MAX, |limit| limit.saturating_add(1));
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(&old.values)
        .bind(one_more)
        .fetch_one(connection)
        .await
        .map_err(failed())?;
    let ways = index.ways_from(table, &old.column);
    found(&row, ways, limit, |_| None).map_err(failed())
}
