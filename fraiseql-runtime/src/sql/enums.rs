//! SQL expressions that map the labels of an enum in the database to its names in JSON.

use crate::schema::scalar::{Enum, JsonEncoding};
use crate::schema::{Shape, Source};
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

/// The place of a JSON name in the declaration of its enum, from 1; null stays null. A name of no
/// variant, as another release may have stored it, comes after all others: a page that ends there has
/// a next one.
///
/// It is immutable, and so can be indexed.
pub(crate) fn place_of_name(name: &str, table: &Enum) -> String {
    let names: Vec<String> = table
        .variants
        .iter()
        .map(|variant| literal(variant.json))
        .collect();
    format!(
        "coalesce(pg_catalog.array_position(ARRAY[{}]::pg_catalog.text[], {name}), \
         CASE WHEN {name} IS NOT NULL THEN {} END)",
        names.join(", "),
        names.len() + 1
    )
}

/// The place of a label in the declaration of its enum, from 1; null if it belongs to no variant.
pub(crate) fn place_of_label(value: &str, table: &Enum) -> String {
    let mut sql = format!("CASE {value}::text");
    for (variant, place) in table.variants.iter().zip(1..) {
        for label in variant.labels {
            sql.push_str(&format!(" WHEN {} THEN {place}", literal(label)));
        }
    }
    sql.push_str(" END");
    sql
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

/// The enum that a part reads a column as.
pub(crate) fn enum_of(shape: &Shape, name: &str) -> Option<&'static Enum> {
    shape.fields.iter().find_map(|field| match &field.source {
        Source::Column { column, ty } if *column == name && ty.list.is_none() => {
            match ty.encoding {
                JsonEncoding::Enum(table) => Some(table),
                _ => None,
            }
        }
        _ => None,
    })
}
