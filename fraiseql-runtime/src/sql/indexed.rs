//! The expressions that GIN indexes are on. PostgreSQL uses such an index for a list only if the condition of the list
//! has the same expression.

use crate::schema::SearchText;
use crate::sql::text::literal;

/// The value at a path of keys in the document `data`.
pub(crate) fn value(path: &[&str], data: &str) -> String {
    path.iter().fold(data.to_owned(), |document, key| {
        format!("{document} -> {}", literal(key))
    })
}

/// The words of texts, which are searched as one text. `column` writes a column of the view table.
pub(crate) fn words(
    texts: &[SearchText],
    language: &str,
    data: &str,
    column: impl Fn(&str) -> String,
) -> String {
    let texts: Vec<String> = texts
        .iter()
        .map(|text| text_of(text, data, &column))
        .collect();
    format!(
        "pg_catalog.to_tsvector({}, {})",
        configuration(language),
        texts.join(" || ' ' || ")
    )
}

/// The text search configuration, as a constant: an index needs an immutable expression.
pub(crate) fn configuration(language: &str) -> String {
    format!("{}::pg_catalog.regconfig", literal(language))
}

/// A text to search; empty instead of null, because `||` with a null is null, and would hide the
/// other texts.
fn text_of(text: &SearchText, data: &str, column: impl Fn(&str) -> String) -> String {
    let value = match text {
        SearchText::Column(name) => column(name),
        SearchText::Document([path @ .., last]) => {
            format!("{} ->> {}", value(path, data), literal(last))
        }
        SearchText::Document([]) => data.to_owned(),
    };
    format!("coalesce({value}, '')")
}
