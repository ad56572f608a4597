//! What is stored, and in its place what is built where that has another shape.
//!
//! While two releases of an application run side by side, each finds documents that the other
//! wrote. It reads them as its own sync would write them.

use sqlx::postgres::PgRow;
use sqlx::{Connection, Executor, PgConnection, Row, ValueRef};

use super::reading;
use super::target::Read;
use crate::db::scope::TransactionScope;
use crate::db::scope::{ROLL_BACK, begin_savepoint};
use crate::db::telemetry::statement as trace_statement;
use crate::error::{Error, Operation, Result};
use crate::schema::key::Keys;
use crate::sql::session::SET_LOCAL;
use crate::sync::{invalid, telemetry};
use crate::view::Handle;

/// Columns of the answers of [`ReadSql`](crate::sql::read::ReadSql).
const DATA: usize = 0;
const PLACE: usize = 1;

/// Reads documents. One statement, unless one of them has another shape.
pub(super) async fn rows(
    connection: &mut PgConnection,
    read: &Read,
    scope: TransactionScope,
) -> Result<Vec<PgRow>> {
    let stored = read
        .keys
        .bind(sqlx::query(read.sql))
        .fetch_all(&mut *connection)
        .await
        .map_err(reading(read.view))?;
    let mut rows = Vec::with_capacity(stored.len());
    let mut others = Vec::new();
    for row in stored {
        if is_other(&row).map_err(reading(read.view))? {
            others.push(place(&row).map_err(reading(read.view))?);
        } else {
            rows.push(row);
        }
    }
    if others.is_empty() {
        return Ok(rows);
    }
    telemetry::built_to_read(read.view, others.len());
    let keys = read.keys.at(&others);
    let places: Vec<i64> = others
        .iter()
        .filter_map(|place| i64::try_from(*place).ok())
        .collect();
    let mut rows: Vec<(usize, PgRow)> = rows
        .into_iter()
        .chain(build(connection, read.view, &keys, &places, scope).await?)
        .map(|row| Ok((place(&row)?, row)))
        .collect::<sqlx::Result<_>>()
        .map_err(reading(read.view))?;
    rows.sort_by_key(|(place, _)| *place);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Whether the document has another shape. The column itself is never null.
pub(super) fn is_other(row: &PgRow) -> sqlx::Result<bool> {
    Ok(row.try_get_raw(DATA)?.is_null())
}

/// The place of a row's key, from 1. A single key has no other.
pub(super) fn place(row: &PgRow) -> sqlx::Result<usize> {
    if row.len() <= PLACE {
        return Ok(1);
    }
    let place: i64 = row.try_get(PLACE)?;
    Ok(usize::try_from(place).unwrap_or(0))
}

/// Builds the documents of these keys, those whose row exists, with the places of the keys, in
/// the order of these.
pub(super) async fn build(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    places: &[i64],
    scope: TransactionScope,
) -> Result<Vec<PgRow>> {
    let in_transaction = scope == TransactionScope::Caller && begin_savepoint(connection).await?;
    let result = if in_transaction {
        // What is set in a savepoint is as before once that was rolled back.
        let result = set_and_build(connection, view, keys, places).await;
        let end = connection.execute(ROLL_BACK).await.map(drop);
        result.and_then(|rows| end.map_err(reading(view)).map(|()| rows))
    } else if !view.statements().sync.needs.any() {
        set_and_build(connection, view, keys, places).await
    } else {
        let mut transaction = connection
            .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")
            .await
            .map_err(reading(view))?;
        let result = set_and_build(&mut transaction, view, keys, places).await;
        let end = transaction.rollback().await;
        result.and_then(|rows| end.map_err(reading(view)).map(|()| rows))
    };
    match result {
        Err(error) if error.is_about_values() => {
            Err(invalid::explain(connection, view, keys, error).await)
        }
        result => result,
    }
}

async fn set_and_build(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    places: &[i64],
) -> Result<Vec<PgRow>> {
    let statements = view.statements();
    if statements.sync.needs.any() {
        connection.execute(SET_LOCAL).await.map_err(reading(view))?;
    }
    let sql: &'static str = &statements.read.build;
    trace_statement(sql);
    keys.bind(sqlx::query(sql))
        .bind(places)
        .fetch_all(connection)
        .await
        .map_err(Error::on_table(Operation::Build, view.view.table))
}
