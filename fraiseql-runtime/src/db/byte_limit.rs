//! A limit on the bytes that reads receive.
//!
//! A row is counted when it has arrived. A read that exceeds its limit ends there, with what it has
//! received so far: the limit and one row are the most that it holds.

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::postgres::PgRow;
use sqlx::{Row, ValueRef};

/// What a row takes in memory besides its values.
const ROW_OVERHEAD: usize = 128;

/// Decides whether a read may go on. Reads that run at the same time may share one.
pub trait ByteLimit: Debug + Send + Sync {
    /// Counts bytes that a read has received. `false` ends the read.
    fn take(&self, bytes: usize) -> bool;

    /// The number of bytes, for an error message.
    fn max(&self) -> usize;
}

/// The limit of one read.
#[derive(Debug)]
pub(crate) struct MaxBytes {
    max: usize,
    taken: AtomicUsize,
}

impl MaxBytes {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            taken: AtomicUsize::new(0),
        }
    }
}

impl ByteLimit for MaxBytes {
    fn take(&self, bytes: usize) -> bool {
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) <= self.max
    }

    fn max(&self) -> usize {
        self.max
    }
}

/// The number of bytes that a row holds.
pub(crate) fn row_bytes(row: &PgRow) -> usize {
    let values = (0..row.len()).map(|column| {
        let value = row.try_get_raw(column).ok();
        let bytes = value.filter(|value| !value.is_null());
        bytes.and_then(|value| value.as_bytes().ok().map(<[u8]>::len))
    });
    values.flatten().sum::<usize>() + ROW_OVERHEAD
}
