//! Whose transaction some work runs in, and the savepoint that keeps the caller's alive.

use sqlx::{Executor, PgConnection};

use crate::error::{Error, Operation, Result};

/// Whose transaction a batch runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransactionScope {
    /// Each statement's own, or one that is begun and committed here.
    Own,
    /// The caller's.
    Caller,
}

/// A place in the caller's transaction to come back to.
const SAVEPOINT: &str = "SAVEPOINT fraiseql_sync";
const RELEASE: &str = "RELEASE SAVEPOINT fraiseql_sync";
pub(crate) const ROLL_BACK: &str =
    "ROLLBACK TO SAVEPOINT fraiseql_sync; RELEASE SAVEPOINT fraiseql_sync";

/// Runs something after whose failure the caller's transaction, if there is one, can go on.
pub(crate) async fn in_savepoint<T>(
    connection: &mut PgConnection,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    let is_kept = begin_savepoint(connection).await?;
    let result = work(connection).await;
    if is_kept {
        end_savepoint(connection, result).await
    } else {
        result
    }
}

/// Keeps a savepoint. False where there is no transaction.
pub(crate) async fn begin_savepoint(connection: &mut PgConnection) -> Result<bool> {
    let Err(error) = connection.execute(SAVEPOINT).await else {
        return Ok(true);
    };
    let code = error.as_database_error().and_then(|error| error.code());
    if code.as_deref() == Some("25P01") {
        return Ok(false);
    }
    Err(savepoint_failed()(error))
}

/// Forgets the savepoint, or goes back to it after a failure.
pub(crate) async fn end_savepoint<T>(
    connection: &mut PgConnection,
    result: Result<T>,
) -> Result<T> {
    let end = match &result {
        Ok(_) => RELEASE,
        Err(_) => ROLL_BACK,
    };
    match (result, connection.execute(end).await) {
        (Ok(value), Ok(_)) => Ok(value),
        (Ok(_), Err(error)) => Err(savepoint_failed()(error)),
        // Where the way back fails too, the reason is the first error.
        (Err(error), _) => Err(error),
    }
}

/// Goes back to the savepoint, and forgets it: what was set since is as it was before.
pub(crate) async fn undo_savepoint(connection: &mut PgConnection) -> Result<()> {
    connection
        .execute(ROLL_BACK)
        .await
        .map_err(savepoint_failed())?;
    Ok(())
}

fn savepoint_failed() -> impl FnOnce(sqlx::Error) -> Error {
    Error::database(Operation::Savepoint)
}
