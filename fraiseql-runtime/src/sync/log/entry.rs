//! A row of the sync log, as it is read.

use std::time::{Duration, SystemTime};

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::sync::request::Mode;

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// The number of the row, in ascending order.
    pub id: i64,
    /// When the batch ended.
    pub created_at: SystemTime,
    /// The view's entity: `post`.
    pub entity: String,
    /// Which function requested it.
    pub mode: Mode,
    /// The number of keys of the batch.
    pub keys: u64,
    /// Documents that did not exist before.
    pub inserted: u64,
    /// Documents that were replaced.
    pub updated: u64,
    /// Documents that were equal already.
    pub unchanged: u64,
    /// Documents that were deleted.
    pub deleted: u64,
    /// Documents that could not be written.
    pub invalid: u64,
    /// The time the batch took, with its retries.
    pub duration: Duration,
    /// The number of retries after a deadlock or a serialization failure.
    pub retries: u32,
    /// Whether it succeeded, also with invalid documents.
    pub success: bool,
    /// The error, or the first invalid documents and their reasons.
    pub error: Option<String>,
}

impl LogEntry {
    pub(super) fn read(row: &PgRow) -> sqlx::Result<Self> {
        let count = |column| -> sqlx::Result<u64> {
            Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
        };
        let mode: String = row.try_get("mode")?;
        Ok(Self {
            id: row.try_get("id")?,
            created_at: SystemTime::UNIX_EPOCH + Duration::from_micros(count("created_at")?),
            entity: row.try_get("entity")?,
            mode: Mode::from_name(&mode).ok_or_else(|| sqlx::Error::ColumnDecode {
                index: "mode".to_owned(),
                source: format!("`{mode}` is not a mode of a sync").into(),
            })?,
            keys: count("keys")?,
            inserted: count("inserted")?,
            updated: count("updated")?,
            unchanged: count("unchanged")?,
            deleted: count("deleted")?,
            invalid: count("invalid")?,
            duration: Duration::from_micros(count("duration")?),
            retries: u32::try_from(row.try_get::<i32, _>("retries")?).unwrap_or(0),
            success: row.try_get("success")?,
            error: row.try_get("error")?,
        })
    }
}
