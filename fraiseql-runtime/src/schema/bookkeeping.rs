//! The columns that every view table has besides its key and its promoted columns.
//!
//! The derives give a promoted column with one of these names the prefix `doc_`. They have a list of
//! their own (`fraiseql-derive/src/identifiers.rs`), because they cannot depend on this crate. The
//! tests below compare the two.

/// The column of the document.
pub(crate) const DATA: &str = "data";

/// The column of the number of the document's shape. It is null in documents that are older than
/// the column.
pub(crate) const SHAPE: &str = "shape";

/// The bookkeeping columns after `data`, and their types.
///
/// `shape` was added later than the others. It is the last, because that is where an existing
/// table gets it.
pub(crate) const BOOKKEEPING: [(&str, &str); 4] = [
    ("version", "bigint"),
    ("synced_xid", "xid8"),
    ("updated_at", "timestamptz"),
    (SHAPE, "int8"),
];

/// The name in the view table of a key column. The derives name promoted columns in the same way.
pub(crate) fn stored_name(column: &'static str) -> &'static str {
    match column {
        DATA => "doc_data",
        "version" => "doc_version",
        "synced_xid" => "doc_synced_xid",
        "updated_at" => "doc_updated_at",
        SHAPE => "doc_shape",
        other => other,
    }
}

/// The columns that a view table has had since its creation: all but `shape`, which `migrate`
/// adds.
pub(crate) fn original_columns() -> impl Iterator<Item = &'static str> {
    let bookkeeping = BOOKKEEPING.into_iter().map(|(name, _)| name);
    [DATA]
        .into_iter()
        .chain(bookkeeping.filter(|name| *name != SHAPE))
}

#[cfg(test)]
mod tests {
    use super::{BOOKKEEPING, DATA, stored_name};
    use crate as fraiseql_runtime;
    use crate::TView;
    use crate::schema::Source;
    use crate::schema::embed::Embed as _;
    use crate::schema::naming::MAX_IDENTIFIER_BYTES;

    /// A promoted field for each column of this module, and a column with the longest name.
    #[derive(TView)]
    #[tview(crate = fraiseql_runtime)]
    #[allow(dead_code)]
    struct Reserved {
        id: i64,
        #[tview(filter)]
        data: String,
        #[tview(filter)]
        version: i64,
        #[tview(filter)]
        synced_xid: i64,
        #[tview(filter)]
        updated_at: String,
        #[tview(filter)]
        shape: i64,
        #[tview(column = "a_column_whose_name_is_as_long_as_a_name_in_postgresql_can_be__")]
        longest: i64,
    }

    #[test]
    fn the_derive_prefixes_promoted_columns_with_these_names() {
        let promoted: Vec<&str> = Reserved::SHAPE
            .fields
            .iter()
            .filter_map(|field| Some(field.promoted?.column))
            .collect();
        let prefixed: Vec<String> = [DATA]
            .into_iter()
            .chain(BOOKKEEPING.map(|(name, _)| name))
            .map(|name| format!("doc_{name}"))
            .collect();
        assert_eq!(promoted, prefixed);
        let stored: Vec<&str> = [DATA]
            .into_iter()
            .chain(BOOKKEEPING.map(|(name, _)| name))
            .map(stored_name)
            .collect();
        assert_eq!(stored, prefixed);
    }

    /// A longer name does not compile: `tests/compile/compile-fail/names/too_long.rs`.
    #[test]
    fn the_derive_accepts_names_of_the_maximum_length() {
        let field = Reserved::SHAPE
            .fields
            .iter()
            .find(|field| field.name == "longest");
        let Some(Source::Column { column, .. }) = field.map(|field| &field.source) else {
            panic!("`longest` is a column");
        };
        assert_eq!(column.len(), MAX_IDENTIFIER_BYTES);
    }
}
