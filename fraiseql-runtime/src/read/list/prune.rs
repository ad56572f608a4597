//! Removal of omitted keys from documents in the database.
//!
//! The omitted keys are removed if at least one of them is a list of parts; otherwise the whole
//! document is sent.
//!
//! PostgreSQL prints a `jsonb` on every read. A key that is removed is neither printed nor sent,
//! but removing it copies the rest of the document. So it pays off if the removed part is larger
//! than the rest. The sizes are not known when the statement is composed, but lists are what makes
//! documents large. Time to read 10,000 documents of 3.7 KB with 10 comments each, relative to
//! whole documents (`cargo run --release -p benches -- list`, on a machine that was also busy
//! otherwise):
//!
//! | removed | all documents | 20 | one |
//! |---|---:|---:|---:|
//! | a number | 1.75 | 1.13 | 1.21 |
//! | an object of three fields | 1.62 | 1.30 | 1.21 |
//! | a text of 560 bytes | 1.49 | 1.03 | 1.18 |
//! | the comments | **0.44** | **0.53** | 1.04 |
//! | the comments, the object, the number | **0.43** | **0.52** | 0.99 |
//! | all of these | **0.20** | **0.47** | 1.05 |
//!
//! With 100 comments each, 29 KB, removing the comments gives 0.05 for 1,000 documents, 0.15 for
//! 20 and 0.67 for one; removing other fields gains nothing. If all lists are empty, the
//! difference is within the noise (0.9 to 1.25).
//!
//! Documents that are stored as `json` are sent as they are. Removing a key would parse them, so
//! nothing is removed.
//!
//! A live view does not build the fields with these keys, whatever they are.

use super::error::ListError;
use crate::schema::{Data, Field, Storage, View};

/// The omitted keys that the statement removes: all or none.
pub(super) fn removed_keys<'k>(
    view: &'static View,
    omitted: &'k [String],
) -> Result<Vec<&'k str>, ListError> {
    let mut has_list = false;
    for name in omitted {
        has_list |= field_of(view, name)?.source.is_list_of_parts();
    }
    // What a live view does not build costs nothing.
    if view.storage != Storage::Live && (view.data == Data::Json || !has_list) {
        return Ok(Vec::new());
    }
    Ok(omitted.iter().map(String::as_str).collect())
}

/// The field of a document with this key.
pub(super) fn field_of(view: &'static View, name: &str) -> Result<&'static Field, ListError> {
    let fields = view.shape.shown_fields();
    let mut found = fields.clone().filter(|field| field.json == name);
    found.next().ok_or_else(|| {
        let names = fields.map(|field| field.json);
        ListError::field(name, "documents have no field {}", "Fields", names)
    })
}
