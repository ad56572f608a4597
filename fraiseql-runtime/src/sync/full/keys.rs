//! Statements that read the keys of a full sync, and their number.

use sqlx::{PgConnection, Row};

use crate::db::scope::{ScopeErrors, TransactionScope};
use crate::db::session::isolated_in_set_session;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::schema::TableName;
use crate::schema::key::Keys;
use crate::sql::key_pages::{self, PageStart};
use crate::view::Handle;

/// The statement `next` with the key `after` bound, or `first` if `after` is empty.
fn statement_after<'q>(
    after: &Keys,
    first: &'static str,
    next: &'static str,
    operation: Operation,
    table: impl Into<TableName>,
) -> Statement<'q> {
    if after.is_empty() {
        Statement::new(first, operation).on(table)
    } else {
        Statement::new(next, operation).on(table).bind_keys(after)
    }
}

/// The next keys of the base table and the view table, at most `size`, in key order.
///
/// Which rows the view's filter excludes may depend on the session.
pub(crate) async fn next_keys(
    connection: &mut PgConnection,
    scope: &mut TransactionScope,
    view: Handle,
    after: &Keys,
    size: usize,
) -> Result<Keys> {
    if !view.statements().sync.filter_reads_session {
        return read_next_keys(connection, view, after, size).await;
    }
    let mut unfiltered: Option<String> = None;
    loop {
        let errors = ScopeErrors::of(Operation::ReadKeys, view.view.shape.table);
        let keys = isolated_in_set_session(connection, scope, view, &errors, async |connection| {
            match &unfiltered {
                Some(sql) => read_page(connection, view, after, size, sql).await,
                None => read_next_keys(connection, view, after, size).await,
            }
        });
        match keys.await {
            // The filter fails for a row. The sync of that row reports it.
            Err(error) if unfiltered.is_none() && error.is_about_values() => {
                unfiltered = Some(key_pages::unfiltered(view.view, start(after), None));
            }
            result => return result,
        }
    }
}

fn start(after: &Keys) -> PageStart {
    if after.is_empty() {
        PageStart::First
    } else {
        PageStart::AfterKey
    }
}

async fn read_page(
    connection: &mut PgConnection,
    view: Handle,
    after: &Keys,
    size: usize,
    sql: &str,
) -> Result<Keys> {
    let mut statement = Statement::composed(sql, Operation::ReadKeys).on(view.view.shape.table);
    if !after.is_empty() {
        statement = statement.bind_keys(after);
    }
    statement
        .bind(i64::try_from(size).unwrap_or(i64::MAX))
        .fetch_one(connection, |row| after.read(row, 0))
        .await
}

async fn read_next_keys(
    connection: &mut PgConnection,
    view: Handle,
    after: &Keys,
    size: usize,
) -> Result<Keys> {
    let sql = &view.statements().sync;
    statement_after(
        after,
        &sql.first_keys,
        &sql.next_keys,
        Operation::ReadKeys,
        view.view.shape.table,
    )
    .bind(i64::try_from(size).unwrap_or(i64::MAX))
    .fetch_one(connection, |row| after.read(row, 0))
    .await
}

/// Searches the next page of the view table for stale documents. Returns at most `size` of their
/// keys, and the key up to which the page was searched: no key at the end of the table.
pub(super) async fn next_stale(
    connection: &mut PgConnection,
    view: Handle,
    after: &Keys,
    size: usize,
) -> Result<(Keys, Keys)> {
    let sql = &view.statements().rebuild;
    statement_after(
        after,
        &sql.first_keys,
        &sql.next_keys,
        Operation::FindStale,
        view.view.table,
    )
    .bind(i64::try_from(size).unwrap_or(i64::MAX))
    .fetch_one(connection, |row| {
        Ok((after.read(row, 0)?, after.read(row, 1)?))
    })
    .await
}

/// The approximate number of documents after a key.
pub(super) async fn expected(
    connection: &mut PgConnection,
    view: Handle,
    after: &Keys,
) -> Result<u64> {
    let sql = &view.statements().sync;
    let expected: i64 = statement_after(
        after,
        &sql.expected,
        &sql.expected_after,
        Operation::ReadKeys,
        view.view.shape.table,
    )
    .fetch_one(connection, |row| row.try_get(0))
    .await?;
    Ok(u64::try_from(expected).unwrap_or(0))
}
