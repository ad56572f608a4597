//! Report of a sync.

use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::db::wal_position::WalPosition;
use crate::error::invalid_document::InvalidDocument;
use crate::error::{Error, Result};
use crate::schema::position::Position;

/// The result of a sync: documents counted by outcome, and the time it took.
///
/// A key that has neither a row nor a document is in none of the counts.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub score: f64 }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, score float8 NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 1), (8, 'NaN')", async |pool| {
/// # migrate::<Post>(&pool).await;
/// let mut report = sync_post(&pool, &[7, 8]).await?;
/// report += sync_post(&pool, &[7]).await?;
/// assert_eq!((report.inserted, report.unchanged, report.total()), (1, 1, 3));
/// // 1 inserted, 0 updated, 1 unchanged, 0 deleted, 1 invalid in 3.2ms
/// println!("{report}");
///
/// let error = report.ensure_valid().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     r#"document 8 of "public"."tv_post": score: NaN cannot be represented"#
/// );
/// # Ok(()) }) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncReport {
    /// Documents that did not exist before.
    pub inserted: u64,
    /// Documents that were replaced.
    pub updated: u64,
    /// Documents that were equal already, and were not written.
    pub unchanged: u64,
    /// Documents that were deleted, because their row is gone or by `delete_post`.
    pub deleted: u64,
    /// Documents that could not be written, each with the reason. What was stored for them before
    /// is left as it was.
    pub invalid: Vec<InvalidDocument>,
    /// The size of the documents that were built, in bytes before compression.
    pub bytes: u64,
    /// The position at which the caller stopped a full sync; `None` if it went through.
    pub stopped_at: Option<Position>,
    /// The time from the call to its return.
    pub duration: Duration,
    pub(crate) position: Option<WalPosition>,
}

impl SyncReport {
    /// The number of documents that were inserted, updated, deleted, unchanged or invalid.
    #[must_use]
    pub fn total(&self) -> u64 {
        let invalid = self.invalid.len() as u64;
        self.inserted + self.updated + self.unchanged + self.deleted + invalid
    }

    /// The number of documents that were inserted, updated or deleted.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.inserted + self.updated + self.deleted
    }

    /// Reads the counts of a row that a function of the database returns. A null is zero.
    pub(crate) fn read(row: &PgRow) -> sqlx::Result<Self> {
        let count = |column: &str| -> sqlx::Result<u64> {
            let count: Option<i64> = row.try_get(column)?;
            Ok(count
                .and_then(|count| u64::try_from(count).ok())
                .unwrap_or(0))
        };
        Ok(Self {
            inserted: count("inserted")?,
            updated: count("updated")?,
            unchanged: count("unchanged")?,
            deleted: count("deleted")?,
            bytes: count("bytes")?,
            ..Self::default()
        })
    }

    /// The position after the sync, if its target is [`&Replicas`](crate::Replicas): a replica that has
    /// replayed it has what was written. `None` for other targets, which would have to send one more
    /// statement: [`WalPosition::current`](crate::WalPosition::current).
    #[must_use]
    pub const fn position(&self) -> Option<WalPosition> {
        self.position
    }

    /// Returns the report if every document could be written. For callers that must not continue
    /// without one of them.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are invalid documents. All others were written.
    pub fn ensure_valid(self) -> Result<Self> {
        if self.invalid.is_empty() {
            return Ok(self);
        }
        Err(Error::Invalid {
            documents: self.invalid,
        })
    }
}

impl AddAssign for SyncReport {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
        self.invalid.extend(other.invalid);
        self.bytes += other.bytes;
        self.stopped_at = other.stopped_at.or(self.stopped_at.take());
        self.duration += other.duration;
        self.position = match self.position {
            Some(position) => Some(position.or_later(other.position)),
            None => other.position,
        };
    }
}

impl fmt::Display for SyncReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} inserted, {} updated, {} unchanged, {} deleted",
            self.inserted, self.updated, self.unchanged, self.deleted
        )?;
        if !self.invalid.is_empty() {
            write!(f, ", {} invalid", self.invalid.len())?;
        }
        write!(f, " in {:.1?}", self.duration)
    }
}
