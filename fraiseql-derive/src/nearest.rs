//! Suggestions for misspelled attribute names.
//!
//! The rule is that of `fraiseql-runtime`, whose `schema::naming` documents it. The derives
//! cannot depend on that crate, so it is written here again, and the tests below check the same
//! pairs of names as the tests there.

/// The name among `names` to suggest for `unknown`.
///
/// Names are compared without `_`, `-` and spaces, and without case. The nearest one is
/// suggested, the first of several, if the number of characters to insert, delete, replace or
/// swap is at most a third of the length of `unknown`, or 1.
pub(crate) fn nearest_name(unknown: &str, names: &[&'static str]) -> Option<&'static str> {
    let normalized = |name: &str| name.replace(['_', ' ', '-'], "").to_lowercase();
    let unknown = normalized(unknown);
    let max_distance = (unknown.chars().count() / 3).max(1);
    names
        .iter()
        .map(|name| (strsim::osa_distance(&unknown, &normalized(name)), *name))
        // `min_by_key` returns the first of several.
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= max_distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest_name;

    #[test]
    fn attributes_are_suggested_for_misspelled_ones() {
        let names = ["table", "view", "type_name", "filter", "unlogged"];
        for (unknown, expected) in [
            ("tabel", Some("table")),
            ("Table", Some("table")),
            ("types", None),
            ("typename", Some("type_name")),
            ("materialized", None),
            ("fk", None),
        ] {
            assert_eq!(nearest_name(unknown, &names), expected, "{unknown}");
        }
    }

    #[test]
    fn underscores_and_case_do_not_count() {
        let names = ["id", "created_at", "create_date"];
        assert_eq!(nearest_name("createdAt", &names), Some("created_at"));
        assert_eq!(nearest_name("created_ta", &names), Some("created_at"));
        assert_eq!(nearest_name("salary", &names), None);
    }

    #[test]
    fn a_short_name_may_differ_in_one_character() {
        assert_eq!(nearest_name("ix", &["id", "no"]), Some("id"));
        assert_eq!(nearest_name("xy", &["id", "no"]), None);
    }
}
