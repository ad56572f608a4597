//! Runs a refresh, in a transaction that locks the row of its view in the table of refreshes.

use std::time::{Duration, Instant};

use sqlx::{PgConnection, Row as _};

use crate::db::scope::{BEGIN_READ_COMMITTED, ScopeErrors, in_own_transaction};
use crate::db::session;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::ops::refresh::report::RefreshReport;
use crate::sql::matview::MatviewSql;
use crate::sync::{invalid, telemetry};
use crate::view::Handle;

/// Refreshes a view. One that is not a materialized view has nothing to refresh.
pub(crate) async fn refresh(connection: &mut PgConnection, view: Handle) -> Result<RefreshReport> {
    let start = Instant::now();
    let refreshed = match &view.statements().matview {
        None => false,
        Some(sql) => run(connection, view, sql, None).await?,
    };
    Ok(RefreshReport {
        view: view.view.relation(),
        refreshed,
        duration: start.elapsed(),
    })
}

/// Refreshes a view whose documents are older than `interval`, and which no other refresh has failed to
/// refresh since. Does nothing while another refresh runs.
pub(crate) async fn refresh_if_due(
    connection: &mut PgConnection,
    view: Handle,
    sql: &'static MatviewSql,
    interval: Duration,
) -> Result<bool> {
    let result = run(connection, view, sql, Some(interval)).await;
    if let Err(error) = &result
        && !error.is_lost_connection()
    {
        // Noted after the transaction was rolled back, so that the next attempt waits.
        Statement::new(&sql.fail, Operation::Refresh)
            .on(view.view.table)
            .bind(error.to_string())
            .execute(connection)
            .await?;
    }
    result
}

async fn run(
    connection: &mut PgConnection,
    view: Handle,
    sql: &'static MatviewSql,
    interval: Option<Duration>,
) -> Result<bool> {
    let start = Instant::now();
    let table = view.view.table;
    let errors = ScopeErrors::of(Operation::Refresh, table);
    let begin = BEGIN_READ_COMMITTED;
    let result = in_own_transaction(connection, begin, &errors, async |transaction| {
        session::set_local(transaction, view).await?;
        let begun = match interval {
            None => Statement::new(&sql.begin, Operation::Refresh),
            Some(interval) => {
                Statement::new(&sql.begin_due, Operation::Refresh).bind(interval.as_secs_f64())
            }
        };
        let begun: Option<Option<bool>> = begun
            .on(table)
            .fetch_optional(transaction, |row| row.try_get(0))
            .await?;
        let is_filled = match (begun, interval) {
            // A view that does not exist: the refresh has the error.
            (Some(is_filled), _) => is_filled.unwrap_or(true),
            (None, Some(_)) => return Ok(false),
            // The row was deleted, or the view was created by hand.
            (None, None) => {
                Statement::new(&sql.note, Operation::Refresh)
                    .on(table)
                    .execute(transaction)
                    .await?;
                true
            }
        };
        // CONCURRENTLY compares with what is there. It fails if the view was never filled.
        let refresh = if is_filled { &sql.refresh } else { &sql.fill };
        for sql in [refresh, &sql.end] {
            Statement::new(sql, Operation::Refresh)
                .on(table)
                .execute(transaction)
                .await?;
        }
        Ok(true)
    })
    .await;
    match result {
        Ok(refreshed) => {
            if refreshed {
                telemetry::refreshed(view, start.elapsed());
            }
            Ok(refreshed)
        }
        // PostgreSQL names neither the document nor the field.
        Err(error) if error.is_about_values() => {
            Err(invalid::explain_all(connection, view, error).await)
        }
        Err(error) => Err(error),
    }
}

/// How old the documents of a view are. `None` if that is not known.
pub(crate) async fn age(connection: &mut PgConnection, view: Handle) -> Result<Option<Duration>> {
    let Some(sql) = &view.statements().matview else {
        // Built when they are read, or as old as their last sync.
        return Ok((!view.view.is_synced()).then_some(Duration::ZERO));
    };
    let seconds: Option<f64> = Statement::new(&sql.age, Operation::Refresh)
        .on(view.view.table)
        .fetch_optional(connection, |row| row.try_get(0))
        .await?;
    Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)))
}
