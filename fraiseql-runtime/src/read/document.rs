//! A document as it was read.

use sqlx::Row;
use sqlx::postgres::{PgRow, PgValueFormat};

/// The document's column in the answers that documents are read from.
const DATA: usize = 0;

/// A document as it was read: its JSON is where the database's answer put it.
pub struct Document {
    pub(super) row: PgRow,
}

impl Document {
    pub(crate) const fn new(row: PgRow) -> Self {
        Self { row }
    }

    /// The document's JSON, as it is stored.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        let Ok(value) = self.row.try_get_raw(DATA) else {
            return b"null";
        };
        let format = value.format();
        // What `jsonb` sends in the binary format has a version in front.
        match (value.as_bytes(), format) {
            (Ok([1, json @ ..]), PgValueFormat::Binary) => json,
            (Ok(json), _) => json,
            (Err(_), _) => b"null",
        }
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Document")
            .field(&String::from_utf8_lossy(self.json()))
            .finish()
    }
}
