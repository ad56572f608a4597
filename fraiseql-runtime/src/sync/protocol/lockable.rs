//! Base relations whose rows cannot be locked: materialized views, and views with GROUP BY, DISTINCT
//! and the like.
//!
//! Which relations are views, and what is in them, is only known to the database. A statement that
//! locks such rows fails before it reads any. After the first failure the relations of that database
//! are tried one by one, and what cannot be locked is left out, then and later. Another database, or
//! another server, may have a table of the name: what is known is kept for each.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use sqlx::{PgConnection, Row as _};

use crate::db::scope::{ScopeErrors, TransactionScope, isolated};
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::mutex::lock;
use crate::schema::Table;
use crate::sql::lock::{self as sql, RELATIONS, relations_row};
use crate::view::Handle;

/// For each database, by what identifies it and its relations, the statement that leaves out what
/// cannot be locked.
type Known = HashMap<String, Arc<str>>;

/// For each view table that has such relations in some database.
static KNOWN: LazyLock<Mutex<HashMap<Table, Known>>> = LazyLock::new(Mutex::default);

/// Whether an error says that rows of a relation cannot be locked. The lock statement of the view then
/// has to be asked for again, from [`statement`].
pub(in crate::sync) fn note_failure(view: Handle, error: &Error) -> bool {
    let is_of_lock = matches!(
        error,
        Error::Database {
            operation: Operation::LockRows,
            ..
        }
    );
    let failed = is_of_lock && error.is_about_lockable_rows();
    if failed {
        // What was known is forgotten: a view may have been replaced.
        lock(&KNOWN).insert(view.view.table, Known::new());
    }
    failed
}

/// Whether the locks of a view may leave out a relation, in this or another database.
pub(super) fn may_leave_out(view: Handle) -> bool {
    lock(&KNOWN).contains_key(&view.view.table)
}

/// The lock statement for a view of which a relation could not be locked, in this or another database.
/// `None` for all other views.
///
/// It is called in a transaction, in which relations are tried in savepoints.
pub(super) async fn statement(
    connection: &mut PgConnection,
    view: Handle,
) -> Result<Option<Arc<str>>> {
    if !may_leave_out(view) {
        return Ok(None);
    }
    let tables = sql::tables(view.view);
    let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
    let (database, views): (String, Vec<i64>) = Statement::new(RELATIONS, Operation::LockRows)
        .on(view.view.table)
        .bind(&names)
        .fetch_one(connection, |row| {
            Ok((
                row.try_get(relations_row::DATABASE)?,
                row.try_get(relations_row::VIEWS)?,
            ))
        })
        .await?;
    if let Some(known) = lock(&KNOWN)
        .get(&view.view.table)
        .and_then(|known| known.get(&database))
    {
        return Ok(Some(Arc::clone(known)));
    }
    let mut left_out = Vec::new();
    for place in views {
        let table = usize::try_from(place - 1)
            .ok()
            .and_then(|index| tables.get(index));
        if let Some(table) = table
            && !is_lockable(connection, view, *table).await?
        {
            left_out.push(*table);
        }
    }
    let statement: Arc<str> = sql::without(view.view, &left_out).into();
    lock(&KNOWN)
        .entry(view.view.table)
        .or_default()
        .insert(database, Arc::clone(&statement));
    Ok(Some(statement))
}

/// Tries to lock no row of a relation.
async fn is_lockable(connection: &mut PgConnection, view: Handle, table: Table) -> Result<bool> {
    let errors = ScopeErrors::of(Operation::LockRows, view.view.table);
    let tried = isolated(
        connection,
        &mut TransactionScope::Caller,
        None,
        &errors,
        async |connection| {
            Statement::composed(sql::no_row_of(table), Operation::LockRows)
                .on(table)
                .uncached()
                .execute(connection)
                .await
        },
    )
    .await;
    match tried {
        Ok(_) => Ok(true),
        Err(error) if error.is_about_lockable_rows() => Ok(false),
        Err(error) => Err(error),
    }
}
