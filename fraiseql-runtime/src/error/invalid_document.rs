//! A document that could not be written, and why.

use std::fmt;

use crate::schema::Table;

/// A document that could not be written, because a value in it has no form in JSON or does
/// not fit the field's type, or because the database refused it.
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
    /// What is wrong: the path of each value and why, or the words of the database.
    pub reason: String,
}

impl fmt::Display for InvalidDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "document {} of {}: {}", self.key, self.view, self.reason)
    }
}
