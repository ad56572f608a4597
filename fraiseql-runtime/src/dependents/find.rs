//! Asks the database which documents changed rows belong to.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection};

use crate::check::findings::column_name;
use crate::dependents::index::Index;
use crate::error::{Error, Result};
use crate::key::Keys;
use crate::schema::Table;
use crate::sql::dependents::answer;
use crate::sql::part::PartSql;
use crate::sync::telemetry;
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
    let failed = || {
        Error::database(format!(
            "looking for the documents that depend on rows of {} by {}",
            table,
            column_name(table, column)
        ))
    };
    let sql = index.statement(table, column, rows.sql(), lock);
    telemetry::statement(&sql);
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
        let mut found = Vec::new();
        for (place, way) in ways.iter().enumerate() {
            let mut keys = way.view.no_keys().read(&row, answer::WAYS + place)?;
            let truncated = keys.truncate(limit);
            if !keys.is_empty() {
                found.push(FoundWay {
                    view: way.view,
                    text: Arc::clone(&way.text),
                    depth: way.depth,
                    keys,
                    truncated,
                    part: way.part(table, column, rows.sql()),
                });
            }
        }
        Ok(Found {
            ways: found,
            existing,
        })
    };
    read().map_err(failed())
}
