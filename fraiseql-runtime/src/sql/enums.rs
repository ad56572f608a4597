//! SQL expressions that map the labels of an enum in the database to its names in JSON.

use crate::schema::scalar::Enum;
use crate::sql::text::literal;

/// The JSON name of one value; null stays null.
///
/// An unknown label raises an error: the statement casts the label and `complaint`, which is SQL,
/// to a number, and the error message contains both.
pub(crate) fn json_name(value: &str, table: &Enum, complaint: &str) -> String {
    format!(
        "CASE {value}::text{} ELSE ({value}::text || {complaint})::int4::text END",
        whens(table)
    )
}

/// The JSON names of the values of an array without unknown labels; a null array stays null.
pub(crate) fn json_names(value: &str, table: &Enum) -> String {
    format!(
        "CASE WHEN {value} IS NOT NULL THEN ARRAY(SELECT CASE label::text{} END \
         FROM pg_catalog.unnest({value}) WITH ORDINALITY AS labels (label, place) \
         ORDER BY place) END",
        whens(table)
    )
}

/// A condition that is true for a label that belongs to no variant.
pub(crate) fn is_unknown(value: &str, table: &Enum) -> String {
    let labels: Vec<String> = table
        .variants
        .iter()
        .flat_map(|variant| variant.labels)
        .map(|label| literal(label))
        .collect();
    format!("{value}::text NOT IN ({})", labels.join(", "))
}

/// The branches of a CASE: one for each label.
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
