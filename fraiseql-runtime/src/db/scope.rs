//! Transactions and savepoints around a piece of work.
//!
//! | function | scope `Own` | scope `Caller` |
//! |---|---|---|
//! | [`in_savepoint`] | no savepoint: each statement is a transaction | a savepoint, released, or rolled back to after an error |
//! | [`in_own_transaction`] | a transaction, committed, or rolled back after an error | - |
//! | [`isolated`] | a transaction that is always rolled back | a savepoint that is always rolled back to |
//!
//! A savepoint is set by a plain `SAVEPOINT`, not by [`sqlx::Connection::begin`]. sqlx counts only
//! the transactions that it began itself: in one that the caller began by SQL it would send
//! `BEGIN`, and its commit would end the caller's transaction.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use crate::db::telemetry;
use crate::error::{Error, Operation, Result};
use crate::schema::TableName;

/// Whose transaction the statements of a sync, a read or a verification run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransactionScope {
    /// The connection is in no transaction. Each statement is its own, or several run in one that
    /// is begun and ended here.
    Own,
    /// The caller's, which the caller also ends. An error must leave it usable.
    Caller,
}

/// Begins a transaction with the isolation level of the session.
pub(crate) const BEGIN: &str = "BEGIN";
/// Begins a transaction that writes documents. The level is named because the session may have
/// another default: each statement needs a snapshot that is newer than the locks taken before it.
pub(crate) const BEGIN_READ_COMMITTED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// Begins a transaction that builds documents and stores nothing.
pub(crate) const BEGIN_READ_ONLY: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";

const SAVEPOINT: &str = "SAVEPOINT fraiseql_sync";
const RELEASE: &str = "RELEASE SAVEPOINT fraiseql_sync";
/// A savepoint still exists after it was rolled back to: it is released as well, so that a
/// transaction with many batches does not collect one for each.
const ROLL_BACK: &str = "ROLLBACK TO SAVEPOINT fraiseql_sync; RELEASE SAVEPOINT fraiseql_sync";

/// SQLSTATE of a `SAVEPOINT` outside of a transaction.
const NO_ACTIVE_TRANSACTION: &str = "25P01";

impl TransactionScope {
    /// Sets a savepoint if the scope is `Caller`. The scope becomes `Own` if the connection turns
    /// out to be in no transaction.
    ///
    /// The caller may pass a connection on which no transaction was begun, and sqlx does not know of
    /// transactions begun by SQL. So the `SAVEPOINT`, which is needed anyway, is also the test.
    async fn set_savepoint(&mut self, connection: &mut PgConnection) -> Result<()> {
        self.set_savepoint_and_ask(connection, None).await?;
        Ok(())
    }

    /// Sets a savepoint, and returns the answer to a question about the transaction that is sent with it in
    /// one message: an SQL expression of the type `bool`. There is none if there is no transaction.
    async fn set_savepoint_and_ask(
        &mut self,
        connection: &mut PgConnection,
        question: Option<&str>,
    ) -> Result<bool> {
        if *self == Self::Own {
            return Ok(false);
        }
        let set = match question {
            None => connection.execute(SAVEPOINT).await.map(|_| false),
            Some(question) => {
                let message = AssertSqlSafe(format!("{SAVEPOINT};\nSELECT {question}"));
                let row = connection.fetch_one(message).await;
                row.and_then(|row| Ok(row.try_get::<Option<bool>, _>(0)? == Some(true)))
            }
        };
        match set {
            Err(error) if is_outside_of_transaction(&error) => {
                *self = Self::Own;
                Ok(false)
            }
            set => set.map_err(savepoint_failed),
        }
    }
}

fn is_outside_of_transaction(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.as_deref() == Some(NO_ACTIVE_TRANSACTION)
}

/// Runs `work` so that its failure leaves the caller's transaction usable.
///
/// In the caller's transaction, `work` runs in a savepoint. `scope` becomes `Own`, and `work` runs
/// without a savepoint, if the connection is in no transaction. `work` is given the scope as it
/// then is.
pub(crate) async fn in_savepoint<T>(
    connection: &mut PgConnection,
    scope: &mut TransactionScope,
    work: impl AsyncFnOnce(&mut PgConnection, TransactionScope) -> Result<T>,
) -> Result<T> {
    let work = async |connection: &mut PgConnection, scope, _| work(connection, scope).await;
    in_savepoint_asking(connection, scope, None, work).await
}

/// [`in_savepoint`], in which `work` is also given the answer to a question: an SQL expression of the type `bool`,
/// which costs no round trip. The answer is false outside of a transaction.
pub(crate) async fn in_savepoint_asking<T>(
    connection: &mut PgConnection,
    scope: &mut TransactionScope,
    question: Option<&str>,
    work: impl AsyncFnOnce(&mut PgConnection, TransactionScope, bool) -> Result<T>,
) -> Result<T> {
    let answer = scope.set_savepoint_and_ask(connection, question).await?;
    let result = work(connection, *scope, answer).await;
    let end = match (*scope, &result) {
        (TransactionScope::Own, _) => return result,
        (TransactionScope::Caller, Ok(_)) => RELEASE,
        (TransactionScope::Caller, Err(_)) => ROLL_BACK,
    };
    let ended = connection.execute(end).await;
    // If rolling back fails, too, the first error is the cause.
    let value = result?;
    ended.map_err(savepoint_failed)?;
    Ok(value)
}

/// Executes statements in a savepoint of the caller's transaction, by one message. After an error the
/// transaction is as it was before.
pub(crate) async fn script_in_savepoint(
    connection: &mut PgConnection,
    script: &str,
) -> sqlx::Result<()> {
    telemetry::statement(script);
    let message = AssertSqlSafe(format!("{SAVEPOINT};\n{script};\n{RELEASE}"));
    let Err(error) = sqlx::raw_sql(message).execute(&mut *connection).await else {
        return Ok(());
    };
    connection.execute(ROLL_BACK).await?;
    Err(error)
}

/// Runs `work` in a transaction that `begin` begins, and commits it.
///
/// After an error, and if the future is dropped, sqlx rolls the transaction back before the next
/// statement on this connection.
pub(crate) async fn in_own_transaction<T>(
    connection: &mut PgConnection,
    begin: &'static str,
    errors: &ScopeErrors,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    let mut transaction = connection
        .begin_with(begin)
        .await
        .map_err(errors.at(Operation::BeginTransaction))?;
    let value = work(&mut transaction).await?;
    transaction
        .commit()
        .await
        .map_err(errors.at(Operation::CommitTransaction))?;
    Ok(value)
}

/// Runs `work` and rolls back what it changed: session settings, locks, the state of a failed
/// transaction.
///
/// In the caller's transaction, `work` runs in a savepoint; otherwise in a transaction that `begin`
/// begins. `begin` is `None` if `work` is one statement that leaves nothing behind. `scope` becomes
/// `Own` if the connection is in no transaction.
///
/// `SET LOCAL` is the reason for a transaction even if nothing is written: it has no effect outside
/// of one, and a rollback to a savepoint restores what was set before.
pub(crate) async fn isolated<T>(
    connection: &mut PgConnection,
    scope: &mut TransactionScope,
    begin: Option<&'static str>,
    errors: &ScopeErrors,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    scope.set_savepoint(connection).await?;
    let (result, ended) = match (*scope, begin) {
        (TransactionScope::Caller, _) => {
            let result = work(connection).await;
            let ended = connection.execute(ROLL_BACK).await.map(drop);
            (result, ended.map_err(errors.at(Operation::Savepoint)))
        }
        (TransactionScope::Own, None) => (work(connection).await, Ok(())),
        (TransactionScope::Own, Some(begin)) => {
            let mut transaction = connection
                .begin_with(begin)
                .await
                .map_err(errors.at(Operation::BeginTransaction))?;
            let result = work(&mut transaction).await;
            let ended = transaction.rollback().await;
            (
                result,
                ended.map_err(errors.at(Operation::CommitTransaction)),
            )
        }
    };
    // If both fail, the first error is the cause.
    let value = result?;
    ended?;
    Ok(value)
}

/// The operation and the table that an error names if a transaction cannot be begun or ended.
#[derive(Debug)]
pub(crate) struct ScopeErrors {
    /// `None`: the step itself, such as [`Operation::BeginTransaction`].
    operation: Option<Operation>,
    table: TableName,
}

impl ScopeErrors {
    /// Errors name the step: "beginning a transaction on `table`".
    pub(crate) fn of_steps(table: impl Into<TableName>) -> Self {
        Self {
            operation: None,
            table: table.into(),
        }
    }

    /// Errors name the operation that the transaction is for.
    pub(crate) fn of(operation: Operation, table: impl Into<TableName>) -> Self {
        Self {
            operation: Some(operation),
            table: table.into(),
        }
    }

    fn at(&self, step: Operation) -> impl FnOnce(sqlx::Error) -> Error {
        let (operation, table) = match (&self.operation, step) {
            (Some(operation), _) => (operation.clone(), Some(self.table.clone())),
            // A savepoint belongs to the connection, not to a table.
            (None, Operation::Savepoint) => (Operation::Savepoint, None),
            (None, step) => (step, Some(self.table.clone())),
        };
        move |source| Error::Database {
            operation,
            table: table.map(Box::new),
            source,
        }
    }
}

fn savepoint_failed(source: sqlx::Error) -> Error {
    Error::database(Operation::Savepoint)(source)
}
