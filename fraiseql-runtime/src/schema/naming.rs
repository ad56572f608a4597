//! Names as messages show them, and the name that was probably meant.

use crate::schema::Table;

/// A table's name for people: without `public`.
pub(crate) fn table_name(table: Table) -> String {
    qualified(table.schema, table.name)
}

/// The same, of any table.
pub(crate) fn qualified(schema: &str, name: &str) -> String {
    if schema == "public" {
        name.to_owned()
    } else {
        format!("{schema}.{name}")
    }
}

/// A column's name for people.
pub(crate) fn column_name(table: Table, column: &str) -> String {
    format!("{}.{column}", table_name(table))
}

/// The name among `names` that was probably meant.
pub(crate) fn near<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let plain = |name: &str| name.replace(['_', ' ', '-'], "").to_lowercase();
    let target = plain(wanted);
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&target, &plain(name)), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 1.max(target.chars().count() / 3))
        .map(|(_, name)| name)
}

/// `, did you mean ..?`
pub(crate) fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn a_name_in_another_style_is_near() {
        let names = ["id", "created_at", "create_date"];
        assert_eq!(near("createdAt", names), Some("created_at"));
        assert_eq!(near("created_ta", names), Some("created_at"));
        assert_eq!(near("salary", names), None);
    }

    #[test]
    fn short_names_are_near_at_one_letter_only() {
        assert_eq!(near("ix", ["id", "no"]), Some("id"));
        assert_eq!(near("xy", ["id", "no"]), None);
    }
}
