//! `Document`: the JSON of a document in the row that it was received in.

use sqlx::Row;
use sqlx::postgres::{PgRow, PgValueFormat};

/// The column of the document in every statement that reads documents.
const DATA: usize = 0;

/// A document as it was received: its JSON is not copied out of the row.
pub struct Document {
    pub(super) row: PgRow,
}

impl Document {
    pub(crate) const fn new(row: PgRow) -> Self {
        Self { row }
    }

    /// The JSON of the document, as it is stored.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        let Ok(value) = self.row.try_get_raw(DATA) else {
            return b"null";
        };
        let format = value.format();
        // The binary format of `jsonb` is a version byte, 1, and the text. That of `json` is the
        // text alone.
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
