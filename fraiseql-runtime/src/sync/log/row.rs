//! A row of the sync log, as it is written.

use std::sync::Arc;

use sqlx::{Executor as _, PgConnection};

use crate::db::scope::{BEGIN, ScopeErrors, in_own_transaction};
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::sql::log::LogSql;
use crate::sql::text::literal;
use crate::sync::event::BatchEvent;
use crate::sync::report::SyncReport;

/// The most invalid documents that a row names.
const MAX_INVALID: usize = 10;

/// A row to be written.
pub(super) struct LogRow<'a> {
    sql: &'a LogSql,
    event: &'a BatchEvent<'a>,
    /// The report of a batch that succeeded.
    report: Option<&'a SyncReport>,
    error: Option<String>,
}

impl<'a> LogRow<'a> {
    /// The row of a batch that succeeded.
    pub(super) fn success(
        sql: &'a LogSql,
        event: &'a BatchEvent<'a>,
        report: &'a SyncReport,
    ) -> Self {
        Self {
            sql,
            event,
            report: Some(report),
            error: first_invalid(report),
        }
    }

    /// The row of a batch that failed.
    pub(super) fn failure(sql: &'a LogSql, event: &'a BatchEvent<'a>, error: &Error) -> Self {
        Self {
            sql,
            event,
            report: None,
            error: Some(error.to_string()),
        }
    }

    /// Maps an error of writing this row.
    pub(super) fn failed(&self) -> impl FnOnce(sqlx::Error) -> Error + use<> {
        Error::on_table(Operation::WriteLog, self.sql.table_name.clone())
    }

    /// Inserts the row.
    pub(super) async fn insert(&self, connection: &mut PgConnection) -> Result<()> {
        let Self {
            sql,
            event,
            report,
            error,
        } = self;
        #[allow(clippy::cast_precision_loss)] // exact for 285 years
        let microseconds = event.duration.as_micros() as f64;
        let count = |of: fn(&SyncReport) -> u64| signed(report.map_or(0, of));
        Statement::composed(Arc::clone(&sql.insert), Operation::WriteLog)
            .on(sql.table_name.clone())
            .bind(event.entity)
            .bind(event.mode.as_str())
            .bind(i64::try_from(event.keys.len()).unwrap_or(i64::MAX))
            .bind(count(|report| report.inserted))
            .bind(count(|report| report.updated))
            .bind(count(|report| report.unchanged))
            .bind(count(|report| report.deleted))
            .bind(count(|report| report.invalid.len() as u64))
            .bind(microseconds)
            .bind(i32::try_from(event.retries).unwrap_or(i32::MAX))
            .bind(report.is_some())
            .bind(error.clone())
            .execute(connection)
            .await?;
        Ok(())
    }

    /// The values of the row, as SQL.
    pub(super) fn values(&self) -> String {
        let Self {
            event,
            report,
            error,
            ..
        } = self;
        let count = |of: fn(&SyncReport) -> u64| signed(report.map_or(0, of)).to_string();
        let values = [
            literal(event.entity),
            literal(event.mode.as_str()),
            event.keys.len().to_string(),
            count(|report| report.inserted),
            count(|report| report.updated),
            count(|report| report.unchanged),
            count(|report| report.deleted),
            count(|report| report.invalid.len() as u64),
            event.duration.as_micros().to_string(),
            event.retries.to_string(),
            report.is_some().to_string(),
            error.as_deref().map_or_else(|| "NULL".to_owned(), literal),
        ];
        values.join(", ")
    }

    /// Inserts the row in a transaction that waits two seconds at most for a lock of the table. The
    /// lock may be held by the transaction whose batch this row reports, which waits for the insert:
    /// PostgreSQL cannot detect that deadlock, since one of its two waits is in this process.
    pub(super) async fn insert_with_timeout(&self, connection: &mut PgConnection) -> Result<()> {
        let errors = ScopeErrors::of(Operation::WriteLog, self.sql.table_name.clone());
        in_own_transaction(connection, BEGIN, &errors, async |connection| {
            connection
                .execute("SET LOCAL lock_timeout = '2s'")
                .await
                .map_err(self.failed())?;
            self.insert(connection).await
        })
        .await
    }
}

/// The first invalid documents, and the number of further ones.
fn first_invalid(report: &SyncReport) -> Option<String> {
    let mut lines: Vec<String> = report
        .invalid
        .iter()
        .take(MAX_INVALID)
        .map(ToString::to_string)
        .collect();
    let more = report.invalid.len().saturating_sub(MAX_INVALID);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
