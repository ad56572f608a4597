//! One statement: its text, what it is for, its trace and its error.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Encode, PgConnection, Postgres, SqlSafeStr, Type};

use crate::db::telemetry;
use crate::error::{Error, Operation, Result};
use crate::schema::TableName;
use crate::schema::key::Keys;

/// A prepared statement with its parameters.
///
/// Every statement of this crate that has parameters or an answer is sent by one: so each is
/// traced, and each error says what was being done, and to which table.
pub(crate) struct Statement<'q> {
    query: Query<'q, Postgres, PgArguments>,
    operation: Operation,
    table: Option<TableName>,
}

impl<'q> Statement<'q> {
    /// A statement that was composed once, for good.
    pub(crate) fn new(sql: &'static str, operation: Operation) -> Self {
        telemetry::statement(sql);
        Self {
            query: sqlx::query(sql),
            operation,
            table: None,
        }
    }

    /// A statement that was composed from constant tables when it was first needed: it contains
    /// names and types, and no values.
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

    /// The table that an error names.
    pub(crate) fn on(mut self, table: impl Into<TableName>) -> Self {
        self.table = Some(table.into());
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

    /// Runs it, and returns how many rows it affected.
    pub(crate) async fn execute(self, connection: &mut PgConnection) -> Result<u64> {
        let done = self.query.execute(connection).await;
        done.map(|done| done.rows_affected())
            .map_err(failed(self.operation, self.table))
    }

    /// Runs it, and reads its only row.
    pub(crate) async fn fetch_one<T>(
        self,
        connection: &mut PgConnection,
        read: impl FnOnce(&PgRow) -> sqlx::Result<T>,
    ) -> Result<T> {
        let row = self.query.fetch_one(connection).await;
        row.and_then(|row| read(&row))
            .map_err(failed(self.operation, self.table))
    }

    /// Runs it, and reads its row, if there is one.
    pub(crate) async fn fetch_optional<T>(
        self,
        connection: &mut PgConnection,
        read: impl FnOnce(&PgRow) -> sqlx::Result<T>,
    ) -> Result<Option<T>> {
        let row = self.query.fetch_optional(connection).await;
        row.and_then(|row| row.as_ref().map(read).transpose())
            .map_err(failed(self.operation, self.table))
    }

    /// Runs it, and returns its rows.
    pub(crate) async fn fetch_all(self, connection: &mut PgConnection) -> Result<Vec<PgRow>> {
        let rows = self.query.fetch_all(connection).await;
        rows.map_err(failed(self.operation, self.table))
    }
}

fn failed(operation: Operation, table: Option<TableName>) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| Error::Database {
        operation,
        table,
        source,
    }
}
