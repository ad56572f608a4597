//! The comparison of stored documents with built ones.

use crate::schema::{Data, View};
use crate::sql::text::column;

/// The columns of the view table that the document query yields: the promoted columns, then
/// `data`.
pub(crate) fn content_columns(view: &View) -> Vec<&'static str> {
    promoted_columns(view).chain(["data"]).collect()
}

/// The promoted columns of a view.
pub(crate) fn promoted_columns(view: &View) -> impl Iterator<Item = &'static str> {
    let fields = view.shape.fields.iter();
    fields.filter_map(|field| field.promoted.map(|promoted| promoted.column))
}

/// One condition for each column: the stored row `v` differs from the built row `b`.
pub(crate) fn differences(view: &View) -> Vec<String> {
    content_columns(view)
        .into_iter()
        .map(|name| {
            // The type json has no equality.
            let cast = if name == "data" && view.data == Data::Json {
                "::text"
            } else {
                ""
            };
            format!(
                "{}{cast} IS DISTINCT FROM {}{cast}",
                column("v", name),
                column("b", name)
            )
        })
        .collect()
}
