//! Errors of reading documents.

use crate::error::{Error, Operation};
use crate::view::Handle;

/// Maps an error of the database to one that names the view table.
pub(crate) fn read_failed(view: Handle) -> impl FnOnce(sqlx::Error) -> Error {
    Error::on_table(Operation::Read, view.view.relation())
}

/// A stored document that cannot be deserialized as its struct.
pub(crate) fn not_deserialized(view: Handle, key: String, source: serde_json::Error) -> Error {
    Error::Document {
        view: view.view.relation().to_string(),
        key,
        source,
    }
}
