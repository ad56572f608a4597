//! Hidden fields: columns of the view table that are not in the document, and that a struct has all
//! the same when it is read.

use std::borrow::Cow;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::sql::document::HIDDEN;
use crate::view::Handle;

/// The document of a row with the hidden fields of its view, for the struct to be deserialized from.
///
/// Statements whose rows become structs return the hidden fields as one object.
pub(super) fn with_hidden<'j>(
    view: Handle,
    row: &PgRow,
    document: &'j [u8],
) -> sqlx::Result<Cow<'j, [u8]>> {
    if !view.view.shape.has_hidden() {
        return Ok(Cow::Borrowed(document));
    }
    let hidden: String = row.try_get(HIDDEN)?;
    Ok(Cow::Owned(merged(hidden.as_bytes(), document)))
}

/// The members of two objects, neither of which is empty, as one object.
fn merged(first: &[u8], second: &[u8]) -> Vec<u8> {
    let first = first.trim_ascii_end();
    let second = second.trim_ascii_start();
    let mut merged = Vec::with_capacity(first.len() + second.len());
    merged.extend_from_slice(first.strip_suffix(b"}").unwrap_or(first));
    merged.push(b',');
    merged.extend_from_slice(second.strip_prefix(b"{").unwrap_or(second));
    merged
}

#[cfg(test)]
mod tests {
    use super::merged;

    #[test]
    fn the_members_of_both_objects_are_in_the_result() {
        let json = merged(br#"{"orgId": 7}"#, br#"{"id":1,"tags":[{}]}"#);
        assert_eq!(json, br#"{"orgId": 7,"id":1,"tags":[{}]}"#);
    }
}
