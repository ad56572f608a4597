//! One statement: its text, its parameters, the operation and the table that an error names, and
//! its trace.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Either, Encode, PgConnection, Postgres, SqlSafeStr, Type};

use crate::db::byte_limit::{ByteLimit, row_bytes};
use crate::db::telemetry;
use crate::error::{Error, Operation, Result};
use crate::schema::TableName;
use crate::schema::key::Keys;

/// A prepared statement with its parameters.
///
/// Every statement of this crate that has parameters or returns rows is sent through this type, so
/// that each one is traced, and each error names an operation and a table.
pub(crate) struct Statement<'q> {
    query: Query<'q, Postgres, PgArguments>,
    operation: Operation,
    table: Option<TableName>,
}

impl<'q> Statement<'q> {
    /// A statement whose text lives as long as the process.
    pub(crate) fn new(sql: &'static str, operation: Operation) -> Self {
        telemetry::statement(sql);
        Self {
            query: sqlx::query(sql),
            operation,
            table: None,
        }
    }

    /// A statement whose text is composed for this call. The text must be made of constant tables,
    /// that is of quoted names and types, and contain no value.
    pub(crate) fn composed<S>(sql: S, operation: Operation) -> Self
    where
        S: AsRef<str>,
        AssertSqlSafe<S>: SqlSafeStr,
    {
        telemetry::statement(sql.as_ref());
        Self {
            query: sqlx::query(AssertSqlSafe(sql)),
            operation,
            table: None,
        }
    }

    /// Sets the table that an error names.
    pub(crate) fn on(mut self, table: impl Into<TableName>) -> Self {
        self.table = Some(table.into());
        self
    }

    /// Does not keep the prepared statement on the connection.
    ///
    /// For statements in a transaction. sqlx prepares a statement that is not kept without a name, and
    /// executes it by another message: outside of a transaction, a pooler may send that one to another
    /// connection of the server, which has no such statement, or that of somebody else.
    pub(crate) fn uncached(mut self) -> Self {
        self.query = self.query.persistent(false);
        self
    }

    /// Binds the next parameter.
    pub(crate) fn bind<T: 'q + Encode<'q, Postgres> + Type<Postgres>>(mut self, value: T) -> Self {
        self.query = self.query.bind(value);
        self
    }

    /// Binds keys as one array.
    pub(crate) fn bind_keys(mut self, keys: &Keys) -> Self {
        self.query = keys.bind(self.query);
        self
    }

    /// Binds the tenant as an array, if the statement compares it.
    pub(crate) fn bind_tenant(self, tenant: Option<&Keys>) -> Self {
        match tenant {
            Some(tenant) => self.bind_keys(tenant),
            None => self,
        }
    }

    /// Executes the statement and returns the number of affected rows.
    pub(crate) async fn execute(self, connection: &mut PgConnection) -> Result<u64> {
        let done = self.query.execute(connection).await;
        done.map(|done| done.rows_affected())
            .map_err(failed(self.operation, self.table))
    }

    /// Executes the statement and reads its only row.
    pub(crate) async fn fetch_one<T>(
        self,
        connection: &mut PgConnection,
        read: impl FnOnce(&PgRow) -> sqlx::Result<T>,
    ) -> Result<T> {
        let row = self.query.fetch_one(connection).await;
        row.and_then(|row| read(&row))
            .map_err(failed(self.operation, self.table))
    }

    /// Executes the statement and reads its row, if it returns one.
    pub(crate) async fn fetch_optional<T>(
        self,
        connection: &mut PgConnection,
        read: impl FnOnce(&PgRow) -> sqlx::Result<T>,
    ) -> Result<Option<T>> {
        let row = self.query.fetch_optional(connection).await;
        row.and_then(|row| row.as_ref().map(read).transpose())
            .map_err(failed(self.operation, self.table))
    }

    /// Executes the statement and reads each of its rows.
    pub(crate) async fn fetch_each<T>(
        self,
        connection: &mut PgConnection,
        read: impl FnMut(&PgRow) -> sqlx::Result<T>,
    ) -> Result<Vec<T>> {
        let rows = self.query.fetch_all(connection).await;
        rows.and_then(|rows| rows.iter().map(read).collect())
            .map_err(failed(self.operation, self.table))
    }

    /// Executes the statement and returns its rows.
    pub(crate) async fn fetch_all(self, connection: &mut PgConnection) -> Result<Vec<PgRow>> {
        let rows = self.query.fetch_all(connection).await;
        rows.map_err(failed(self.operation, self.table))
    }

    /// Executes the statement and returns its rows, if they are within a limit.
    pub(crate) async fn fetch_within(
        self,
        connection: &mut PgConnection,
        limit: Option<&dyn ByteLimit>,
    ) -> Result<Vec<PgRow>> {
        let Self {
            query,
            operation,
            table,
        } = self;
        match fetch_within(query, connection, limit).await {
            Ok(Fetched::All(rows)) => Ok(rows),
            Ok(Fetched::TooMany { max }) => Err(Error::TooManyBytes {
                table: table.map(|table| table.to_string()).unwrap_or_default(),
                max,
            }),
            Err(error) => Err(failed(operation, table)(error)),
        }
    }
}

/// The rows of a read with a limit.
pub(crate) enum Fetched {
    All(Vec<PgRow>),
    /// The read was stopped. The next use of the connection discards the rows that are left.
    TooMany {
        max: usize,
    },
}

/// Fetches rows until they exceed the limit.
pub(crate) async fn fetch_within(
    query: Query<'_, Postgres, PgArguments>,
    connection: &mut PgConnection,
    limit: Option<&dyn ByteLimit>,
) -> sqlx::Result<Fetched> {
    let Some(limit) = limit else {
        return Ok(Fetched::All(query.fetch_all(connection).await?));
    };
    let mut arriving = query.fetch(connection);
    let mut rows = Vec::new();
    while let Some(row) = arriving.try_next().await? {
        if !limit.take(row_bytes(&row)) {
            return Ok(Fetched::TooMany { max: limit.max() });
        }
        rows.push(row);
    }
    Ok(Fetched::All(rows))
}

/// Executes several statements that are sent as one message, by the simple query protocol. They have
/// no parameters, and their rows are discarded.
pub(crate) async fn execute_script<S>(
    connection: &mut PgConnection,
    sql: AssertSqlSafe<S>,
    operation: Operation,
    table: impl Into<TableName>,
) -> Result<()>
where
    S: AsRef<str>,
    AssertSqlSafe<S>: SqlSafeStr,
{
    telemetry::statement(sql.0.as_ref());
    sqlx::raw_sql(sql)
        .execute(connection)
        .await
        .map_err(failed(operation, Some(table.into())))?;
    Ok(())
}

/// Executes statements that are sent as one message, by the simple query protocol, and returns the rows
/// of each. They have no parameters. An error names the operation of the statement that failed.
pub(crate) async fn execute_all(
    connection: &mut PgConnection,
    statements: Vec<(Arc<str>, Operation)>,
) -> Result<Vec<Vec<PgRow>>> {
    let texts: Vec<&str> = statements.iter().map(|(sql, _)| &**sql).collect();
    let message = texts.join(";\n");
    telemetry::statement(&message);
    let mut operations = statements.into_iter().map(|(_, operation)| operation);
    let mut operation = operations.next();
    let mut rows = vec![Vec::new()];
    let mut results = sqlx::raw_sql(AssertSqlSafe(message)).fetch_many(connection);
    while let Some(result) = results.next().await {
        match result {
            Ok(Either::Left(_)) => {
                operation = operations.next();
                rows.push(Vec::new());
            }
            Ok(Either::Right(row)) => {
                if let Some(of_statement) = rows.last_mut() {
                    of_statement.push(row);
                }
            }
            Err(error) => {
                let operation = operation.unwrap_or(Operation::Announce);
                return Err(failed(operation, None)(error));
            }
        }
    }
    Ok(rows)
}

fn failed(operation: Operation, table: Option<TableName>) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| Error::Database {
        operation,
        table: table.map(Box::new),
        source,
    }
}
