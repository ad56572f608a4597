//! The comparison of stored documents with built ones.

use crate::schema::bookkeeping::DATA;
use crate::schema::{Data, View};
use crate::sql::text::column;

/// The columns of the view table that the document query yields: the promoted columns, then
/// `data`.
pub(crate) fn content_columns(view: &View) -> Vec<&'static str> {
    promoted_columns(view).chain([DATA]).collect()
}

/// The promoted columns of a view.
pub(crate) fn promoted_columns(view: &View) -> impl Iterator<Item = &'static str> {
    let fields = view.shape.fields.iter();
    fields.filter_map(|field| field.promoted.map(|promoted| promoted.column))
}

/// The columns of the document query, and of the statements around it, beside the promoted columns.
const OWN_LABELS: [&str; 5] = ["key", "data", "changed", "held", "version"];

/// The name of a promoted column in a built row. It is that of the column, unless the row has a column
/// of its own with that name.
pub(crate) fn label(view: &View, promoted: &str) -> String {
    let mut label = promoted.to_owned();
    // Ends: there are finitely many promoted columns.
    while OWN_LABELS.contains(&label.as_str())
        || (label != promoted && promoted_columns(view).any(|other| other == label))
    {
        label = format!("_{label}");
    }
    label
}

/// The names of [`content_columns`] in a built row.
pub(crate) fn content_labels(view: &View) -> Vec<String> {
    let promoted = promoted_columns(view).map(|name| label(view, name));
    promoted.chain([DATA.to_owned()]).collect()
}

/// One condition for each column: the stored row `v` differs from the built row `b`.
pub(crate) fn differences(view: &View) -> Vec<String> {
    let columns = content_columns(view).into_iter();
    let compared = columns.zip(content_labels(view));
    compared
        .map(|(name, label)| differs(view, name, &column("b", &label)))
        .collect()
}

/// The same in ON CONFLICT, where the built row is `EXCLUDED`.
pub(crate) fn differences_of_excluded(view: &View) -> Vec<String> {
    let columns = content_columns(view).into_iter();
    columns
        .map(|name| differs(view, name, &column("EXCLUDED", name)))
        .collect()
}

fn differs(view: &View, name: &str, built: &str) -> String {
    // The type json has no equality.
    let cast = if name == DATA && view.data == Data::Json {
        "::text"
    } else {
        ""
    };
    format!("{}{cast} IS DISTINCT FROM {built}{cast}", column("v", name))
}
