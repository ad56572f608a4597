//! Replaces a part in the documents of a batch: see [`sql::part`](crate::sql::part).

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::error::{Operation, Result};
use crate::schema::key::Keys;
use crate::sql::part::{PartSql, result_row};
use crate::sync::protocol::writer::BatchWriter;
use crate::sync::report::SyncReport;
use crate::view::Handle;

/// The most documents of a batch. It is larger than that of a sync, because a document takes less
/// memory if it is not built.
pub(crate) const MAX_BATCH: usize = 5_000;
/// The fewest documents for which replacing a part is faster than building them.
pub(crate) const MIN_DOCUMENTS: usize = 40;

/// Replaces the part in those documents of `keys` that embed one of `rows`. Returns the keys of the
/// documents that have to be built instead.
pub(super) async fn replace(
    connection: &mut PgConnection,
    view: Handle,
    part: &'static PartSql,
    rows: &Keys,
    keys: &Keys,
) -> Result<(SyncReport, Keys)> {
    let mut writer = BatchWriter::new(connection, view);
    // Locked in an earlier statement: the snapshot of the next one is newer than the locks, so it
    // sees every version of a document that another sync has written.
    let locked = writer.lock_documents(keys).await?;
    let read = |row: &PgRow| -> sqlx::Result<(SyncReport, Keys)> {
        if !row.try_get::<bool, _>(result_row::SESSION_OK)? {
            return Ok((SyncReport::default(), keys.clone()));
        }
        let count = |column| -> sqlx::Result<u64> {
            Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
        };
        let report = SyncReport {
            updated: count(result_row::UPDATED)?,
            unchanged: count(result_row::UNCHANGED)?,
            ..SyncReport::default()
        };
        Ok((report, keys.read(row, result_row::REST)?))
    };
    writer
        .statement(&part.replace, Operation::ReplacePart)
        .bind_keys(keys)
        .bind_keys(rows)
        .bind_keys(&locked)
        .fetch_one(writer.connection, read)
        .await
}
