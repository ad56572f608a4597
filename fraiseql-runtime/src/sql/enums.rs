//! Enums: from the labels in the database to the names in JSON.

use crate::schema::scalar::Enum;
use crate::sql::text::literal;

/// The name of one value; null stays null.
///
/// An unknown label is made an error of the statement, by a cast of a text that is no number:
/// its message has the label, and then `complaint`, which is SQL.
pub(crate) fn name(value: &str, table: &Enum, complaint: &str) -> String {
    format!(
        "CASE {value}::text{} ELSE ({value}::text || {complaint})::int4::text END",
        whens(table)
    )
}

/// The names of the values of an array without unknown labels; a null array stays null.
pub(crate) fn names(value: &str, table: &Enum) -> String {
    format!(
        "CASE WHEN {value} IS NOT NULL THEN ARRAY(SELECT CASE label::text{} END \
         FROM pg_catalog.unnest({value}) WITH ORDINALITY AS labels (label, place) \
         ORDER BY place) END",
        whens(table)
    )
}

/// True for a value whose label no variant has.
pub(crate) fn unknown(value: &str, table: &Enum) -> String {
    let labels: Vec<String> = table
        .variants
        .iter()
        .flat_map(|variant| variant.labels)
        .map(|label| literal(label))
        .collect();
    format!("{value}::text NOT IN ({})", labels.join(", "))
}

fn whens(table: &Enum) -> String {
    let mut sql = String::new();
    for variant in table.variants {
        for label in variant.labels {
            sql.push_str(&format!(
                " WHEN {} THEN {}",
                literal(label),
                literal(variant.json)
            ));
        }
    }
    sql
}
