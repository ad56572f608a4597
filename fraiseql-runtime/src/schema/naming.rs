//! Names of tables and columns in messages, the length of identifiers, and suggestions for
//! misspelled names.
//!
//! # The rule of suggestions
//!
//! A message suggests one of the known names for an unknown one. Both are compared without `_`,
//! `-` and spaces, and without case. Their distance is the number of characters to insert, delete,
//! replace, or swap with their neighbour, where no character is edited twice (the *optimal string
//! alignment* distance). The nearest name is suggested, the first of several, if its distance is
//! at most a third of the length of the unknown name, or 1.
//!
//! The rule is implemented three times: by [`nearest_name`] at run time, by
//! `const_check::shape_of::nearest` for messages of the compiler, which cannot allocate, and by
//! `fraiseql-derive` (`src/nearest.rs`) for the names of attributes, which cannot depend on this
//! crate. A test compares the first two. The third has the tests of this module as well.

use std::fmt;

use crate::schema::Table;

/// The maximum length of an identifier. PostgreSQL truncates longer ones.
pub(crate) const MAX_IDENTIFIER_BYTES: usize = 63;

/// The name of a table in messages: without the schema if it is `public`.
pub(crate) fn table_name(table: Table) -> String {
    qualified(table.schema, table.name)
}

/// The name of something in a schema, in messages: without the schema if it is `public`.
pub(crate) fn qualified(schema: &str, name: &str) -> String {
    if schema == "public" {
        name.to_owned()
    } else {
        format!("{schema}.{name}")
    }
}

/// The name of a column in messages.
pub(crate) fn column_name(table: Table, column: impl fmt::Display) -> String {
    format!("{}.{column}", table_name(table))
}

/// The name among `names` to suggest for `unknown`, by the rule of [this module](self).
pub(crate) fn nearest_name<'n>(
    unknown: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let normalized = |name: &str| name.replace(['_', ' ', '-'], "").to_lowercase();
    let unknown = normalized(unknown);
    names
        .into_iter()
        .map(|name| (strsim::osa_distance(&unknown, &normalized(name)), name))
        // `min_by_key` returns the first of several.
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= max_distance(unknown.chars().count()))
        .map(|(_, name)| name)
}

/// The maximum distance of a suggestion for a name of this length.
pub(crate) const fn max_distance(chars: usize) -> usize {
    let third = chars / 3;
    if third > 1 { third } else { 1 }
}

/// The end of a message with a suggestion: `; did you mean ..?`
pub(crate) fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest_name;

    #[test]
    fn underscores_and_case_do_not_count() {
        let names = ["id", "created_at", "create_date"];
        assert_eq!(nearest_name("createdAt", names), Some("created_at"));
        assert_eq!(nearest_name("created_ta", names), Some("created_at"));
        assert_eq!(nearest_name("salary", names), None);
    }

    #[test]
    fn a_short_name_may_differ_in_one_character() {
        assert_eq!(nearest_name("ix", ["id", "no"]), Some("id"));
        assert_eq!(nearest_name("xy", ["id", "no"]), None);
    }
}
