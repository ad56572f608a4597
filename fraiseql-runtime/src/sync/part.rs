//! Replaces a part in the documents of a batch: see [`sql::part`](crate::sql::part).

use sqlx::{PgConnection, Row};

use crate::db::telemetry::statement as trace_statement;
use crate::error::{Operation, Result};
use crate::schema::key::Keys;
use crate::sql::part::{PartSql, answer};
use crate::sync::protocol::Batch;
use crate::sync::report::SyncReport;
use crate::view::Handle;

/// The most documents of a batch: a part is put into more of them than could be built at once.
pub(crate) const BATCH: usize = 5_000;
/// With fewer documents it is not worth a statement of its own.
pub(crate) const LEAST: usize = 40;

/// Puts `rows` into those of the documents that embed them. Yields the keys of those that have
/// to be built.
pub(crate) async fn replace(
    connection: &mut PgConnection,
    view: Handle,
    part: &'static PartSql,
    rows: &Keys,
    keys: &Keys,
) -> Result<(SyncReport, Keys)> {
    let mut batch = Batch::new(connection, view);
    let locked = batch.lock_documents(keys).await?;
    let sql: &'static str = &part.replace;
    trace_statement(sql);
    let query = locked.bind(rows.bind(keys.bind(sqlx::query(sql))));
    let row = query
        .fetch_one(&mut *batch.connection)
        .await
        .map_err(batch.failed(Operation::ReplacePart))?;
    let read = || -> sqlx::Result<(SyncReport, Keys)> {
        if !row.try_get::<bool, _>(answer::SESSION_OK)? {
            return Ok((SyncReport::default(), keys.clone()));
        }
        let count = |column| -> sqlx::Result<u64> {
            Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
        };
        let report = SyncReport {
            updated: count(answer::UPDATED)?,
            unchanged: count(answer::UNCHANGED)?,
            ..SyncReport::default()
        };
        Ok((report, keys.read(&row, answer::REST)?))
    };
    read().map_err(batch.failed(Operation::ReplacePart))
}
