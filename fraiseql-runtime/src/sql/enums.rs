//! Enums: from the labels in the database to the names in JSON.

use crate::scalar::Enum;
use crate::sql::text::literal;

/// The name of one value; null stays null.
///
/// An unknown label is made an error of the statement, by a cast of a text that is no number:
/// its message has the text.
pub(crate) fn name(value: &str, table: &Enum) -> String {
    let mut sql = format!("CASE {value}::text");
    for variant in table.variants {
        for label in variant.labels {
            sql.push_str(&format!(
                " WHEN {} THEN {}",
                literal(label),
                literal(variant.json)
            ));
        }
    }
    let wrong = literal(&format!(" is no {}", table.name));
    sql.push_str(&format!(" ELSE ({value}::text || {wrong})::int4::text END"));
    sql
}

/// The names of the values of an array; a null array stays null.
pub(crate) fn names(value: &str, table: &Enum) -> String {
    let name = name("_label", table);
    format!(
        "CASE WHEN {value} IS NOT NULL THEN ARRAY(SELECT {name} \
         FROM pg_catalog.unnest({value}) WITH ORDINALITY AS _labels (_label, _place) \
         ORDER BY _place) END"
    )
}
