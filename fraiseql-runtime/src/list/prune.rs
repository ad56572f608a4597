//! What is left out of documents in the database.

use super::error::ListError;
use crate::schema::{Data, Source, View};

/// The keys that are left out in the database, of those that are not needed.
pub(super) fn pruned<'k>(
    view: &'static View,
    omitted: &'k [String],
) -> Result<Vec<&'k str>, ListError> {
    let fields = view.shape.fields;
    let mut lists = false;
    for name in omitted {
        let Some(field) = fields.iter().find(|field| field.json == name) else {
            let names = fields.iter().map(|field| field.json);
            return Err(ListError::field(name, "documents have no {}", names));
        };
        lists |= matches!(field.source, Source::Many(_));
    }
    if view.data == Data::Json || !lists {
        return Ok(Vec::new());
    }
    Ok(omitted.iter().map(String::as_str).collect())
}
