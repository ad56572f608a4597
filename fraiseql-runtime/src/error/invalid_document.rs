//! A document that could not be written, with the reason.

use std::fmt;

use crate::schema::Table;

/// A document that could not be written: a value in it cannot be represented in JSON or in the
/// field's type, or the database rejected the document.
///
/// ```text
/// document 7 of "public"."tv_post": comments[3].weight: NaN cannot be represented
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidDocument {
    /// The view table.
    pub view: Table,
    /// The document's key.
    pub key: String,
    /// What is wrong: each value's path and reason, or the message of the database.
    pub reason: String,
}

impl fmt::Display for InvalidDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "document {} of {}: {}", self.key, self.view, self.reason)
    }
}
