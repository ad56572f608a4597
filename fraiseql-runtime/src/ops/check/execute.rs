//! Runs statements that the server may reject.
//!
//! A check runs in one transaction, which an error aborts. A savepoint is set before the first
//! such statement, and every rejected one rolls back to it.

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};
use sqlx::types::Json;
use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::sqlstate::INSUFFICIENT_PRIVILEGE;
use crate::error::{Error, Operation, Result, sqlstate};
use crate::sql::catalog as sql;

/// Why the server rejected a statement.
pub(crate) struct Rejection {
    /// The SQLSTATE.
    pub(crate) code: String,
    pub(crate) message: String,
    /// The position in the statement, in characters from 0.
    pub(crate) position: Option<usize>,
}

/// The result of a statement, or why the server rejected it. Other errors end the check.
pub(crate) type Judged<T> = Result<std::result::Result<T, Rejection>>;

/// Runs a statement without parameters. It leaves nothing on the connection.
pub(crate) async fn command(
    connection: &mut PgConnection,
    statement: impl Into<String>,
) -> Result<()> {
    // A constant of this crate, a composed statement, or one with a fragment of the user that a
    // sync would run, too.
    Statement::composed(statement.into(), Operation::Check)
        .uncached()
        .execute(connection)
        .await?;
    Ok(())
}

/// Lets the server parse and analyze a statement, without running it.
pub(crate) async fn prepare(connection: &mut PgConnection, statement: &str) -> Judged<()> {
    let result = command(connection, format!("{}{statement}", sql::PREPARE)).await;
    let is_prepared = result.is_ok();
    let judged = judge(connection, result, sql::PREPARE.len()).await?;
    if is_prepared {
        command(connection, sql::DEALLOCATE).await?;
    }
    Ok(judged)
}

/// Lets the server plan a statement, too, without running it: it then also checks the privileges of
/// the role on every table and function in it.
pub(crate) async fn plan(connection: &mut PgConnection, statement: &str) -> Judged<()> {
    let result = command(connection, format!("{}{statement}", sql::PREPARE)).await;
    if result.is_err() {
        return judge(connection, result, sql::PREPARE.len()).await;
    }
    let nulls = vec!["NULL"; parameters(statement)].join(", ");
    let parameters = if nulls.is_empty() {
        String::new()
    } else {
        format!(" ({nulls})")
    };
    let result = command(connection, format!("{}{parameters}", sql::PLAN)).await;
    // A position in this command is none in the statement.
    let judged = judge(connection, result, usize::MAX - 1).await?;
    command(connection, sql::DEALLOCATE).await?;
    Ok(match judged {
        // What cannot be planned for another reason, such as rows that cannot be locked, has a
        // finding of its own.
        Err(rejection) if rejection.code != INSUFFICIENT_PRIVILEGE => Ok(()),
        judged => judged,
    })
}

/// The number of parameters of a statement.
fn parameters(statement: &str) -> usize {
    statement
        .split('$')
        .skip(1)
        .filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit());
            rest[..end.unwrap_or(rest.len())].parse().ok()
        })
        .max()
        .unwrap_or(0)
}

/// The plan of a statement as JSON, without white space between its parts. `None` if the server
/// rejects the statement.
pub(crate) async fn explain(
    connection: &mut PgConnection,
    statement: &str,
) -> Result<Option<String>> {
    let result = Statement::composed(
        format!("EXPLAIN (FORMAT JSON, VERBOSE, COSTS OFF) {statement}"),
        Operation::Check,
    )
    .uncached()
    .fetch_one(&mut *connection, |row| {
        let Json(plan): Json<serde_json::Value> = row.try_get(0)?;
        Ok(plan.to_string())
    })
    .await;
    Ok(judge(connection, result, 0).await?.ok())
}

/// The type of the value that a probe selects.
pub(crate) async fn type_of(connection: &mut PgConnection, statement: String) -> Judged<i64> {
    let result = Statement::composed(statement, Operation::Check)
        .uncached()
        .fetch_one(&mut *connection, |row| row.try_get(0))
        .await;
    judge(connection, result, 0).await
}

/// Separates rejected statements from failures. `prefix` is the number of characters before the
/// statement in the text that was sent.
pub(crate) async fn judge<T>(
    connection: &mut PgConnection,
    result: Result<T>,
    prefix: usize,
) -> Judged<T> {
    let error = match result {
        Ok(value) => return Ok(Ok(value)),
        Err(error) => error,
    };
    let Some(rejection) = rejection(&error, prefix) else {
        return Err(error);
    };
    // The transaction is aborted until then.
    command(connection, sql::ROLLBACK).await?;
    Ok(Err(rejection))
}

/// `None` if the error is not one of the database, or is a failure of the server.
fn rejection(error: &Error, prefix: usize) -> Option<Rejection> {
    let code = error
        .code()
        .filter(|code| !sqlstate::is_server_failure(code))?;
    let Error::Database { source, .. } = error else {
        return None;
    };
    let database_error = source.as_database_error()?;
    let position = database_error
        .try_downcast_ref::<PgDatabaseError>()
        .and_then(PgDatabaseError::position)
        .and_then(|position| match position {
            // PostgreSQL counts from 1.
            PgErrorPosition::Original(position) => position.checked_sub(prefix + 1),
            // A position in the body of a function.
            PgErrorPosition::Internal { .. } => None,
        });
    Some(Rejection {
        code: code.into_owned(),
        message: database_error.message().to_owned(),
        position,
    })
}
