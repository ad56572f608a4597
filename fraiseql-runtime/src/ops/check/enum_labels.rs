//! Compares the labels of a PostgreSQL enum with the variants of a field's enum.

use crate::error::check_report::FindingKind;
use crate::ops::check::catalog::Catalog;
use crate::ops::check::diagnostic::Diagnostic;
use crate::schema::naming::nearest_name;
use crate::schema::scalar::{Enum, JsonEncoding, ScalarType, Variant};

/// Reports labels without a variant. `shown` names a value of the type `oid`, which is read as `ty`.
///
/// A variant without a label is not reported: no value has it.
pub(crate) fn unknown_labels(
    types: &Catalog,
    ty: &ScalarType,
    oid: i64,
    shown: &str,
    subject: &str,
) -> Option<Diagnostic> {
    let JsonEncoding::Enum(table) = ty.encoding else {
        return None;
    };
    let base = types.base(oid)?;
    let base = match base.element {
        0 => base,
        element => types.base(element)?,
    };
    let unknown: Vec<&str> = base
        .labels
        .iter()
        .map(String::as_str)
        .filter(|label| !variants(table).any(|variant| variant.labels.contains(label)))
        .collect();
    if unknown.is_empty() {
        return None;
    }
    // Only a variant without a label can be the one that was meant.
    let free: Vec<&str> = variants(table)
        .filter(|variant| !base.labels.iter().any(|label| has_label(variant, label)))
        .map(|variant| variant.name)
        .collect();
    let declarations: Vec<String> = unknown
        .iter()
        .map(|label| declaration(table, label, nearest_name(label, free.iter().copied())))
        .collect();
    let list: Vec<String> = unknown.iter().map(|label| format!("`{label}`")).collect();
    let (labels, belong) = if unknown.len() == 1 {
        ("label", "belongs")
    } else {
        ("labels", "belong")
    };
    Some(
        Diagnostic::warning(
            FindingKind::EnumLabel,
            format!("{subject} {}", table.name),
            format!(
                "{shown} is {}, whose {labels} {} {belong} to no variant of {}: a document with \
                 such a value is not written, but reported as invalid",
                base.sql,
                list.join(", "),
                table.name
            ),
        )
        .rust(declarations.join(", "))
        .advice(format!(
            "give the {labels} to other variants of {}, with #[tview(rename = \"..\")]",
            table.name
        )),
    )
}

fn variants(table: &Enum) -> impl Iterator<Item = &'static Variant> + use<> {
    table.variants.iter()
}

fn has_label(variant: &Variant, label: &str) -> bool {
    variant.labels.contains(&label)
}

/// The declaration of a variant for a label. `existing` is a variant to rename.
fn declaration(table: &Enum, label: &str, existing: Option<&str>) -> String {
    let name = existing.map_or_else(|| pascal(label), str::to_owned);
    // Without `rename_all`, a variant has several labels: spellings of its name.
    let is_found_by_name = variants(table).any(|variant| variant.labels.len() > 1);
    let is_snake = label
        .split('_')
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
    if existing.is_none() && is_found_by_name && is_snake {
        name
    } else {
        format!("#[tview(rename = {label:?})] {name}")
    }
}

/// A label in upper camel case: `on hold` -> `OnHold`.
fn pascal(label: &str) -> String {
    let name: String = label
        .split(|c: char| !c.is_alphanumeric())
        .flat_map(|word| {
            let is_upper_case = !word.chars().any(char::is_lowercase);
            let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            let rest = if is_upper_case {
                rest.to_lowercase()
            } else {
                rest.to_owned()
            };
            first
                .to_uppercase()
                .chars()
                .chain(rest.chars())
                .collect::<Vec<_>>()
        })
        .collect();
    match name.chars().next() {
        Some(first) if first.is_alphabetic() => name,
        _ => format!("Variant{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::pascal;

    #[test]
    fn a_label_becomes_the_name_of_a_variant() {
        assert_eq!(pascal("lost"), "Lost");
        assert_eq!(pascal("on hold-again"), "OnHoldAgain");
        assert_eq!(pascal("IN_REVIEW"), "InReview");
        assert_eq!(pascal("inReview"), "InReview");
        assert_eq!(pascal("2nd"), "Variant2nd");
        assert_eq!(pascal("-"), "Variant");
    }
}
