//! Enum types of the server and enums of Rust: which labels belong to no variant.

use crate::error::check_report::{FindingKind, Remedy, Severity};
use crate::ops::check::catalog::Catalog;
use crate::ops::check::findings::{Breaks, Fault};
use crate::schema::naming::near;
use crate::schema::scalar::{Enum, Form, ScalarType, Variant};

/// What is said of a value of the type `oid`, called `shown`, that is read as `ty`: labels that
/// no variant has. A variant that has no label in the type harms nobody.
pub(crate) fn fault(
    types: &Catalog,
    ty: &ScalarType,
    oid: i64,
    shown: &str,
    subject: &str,
) -> Option<Fault> {
    let Form::Enum(table) = ty.form else {
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
    let free: Vec<&str> = variants(table)
        .filter(|variant| !base.labels.iter().any(|label| has(variant, label)))
        .map(|variant| variant.name)
        .collect();
    let written: Vec<String> = unknown
        .iter()
        .map(|label| variant(table, label, near(label, free.iter().copied())))
        .collect();
    let (list, labels, belong) = (
        unknown
            .iter()
            .map(|label| format!("`{label}`"))
            .collect::<Vec<_>>()
            .join(", "),
        if unknown.len() == 1 {
            "label"
        } else {
            "labels"
        },
        if unknown.len() == 1 {
            "belongs"
        } else {
            "belong"
        },
    );
    Some(Fault {
        severity: Severity::Warning,
        kind: FindingKind::EnumLabel,
        subject: format!("{subject} {}", table.name),
        message: format!(
            "{shown} is {}, whose {labels} {list} {belong} to no variant of {}: a document with \
             such a value is not written, but reported as invalid",
            base.written, table.name
        ),
        remedies: vec![
            Remedy::Rust(written.join(", ")),
            Remedy::Other(format!(
                "give the {labels} to other variants of {}, with #[tview(rename = \"..\")]",
                table.name
            )),
        ],
        breaks: Breaks::Nothing,
    })
}

fn variants(table: &Enum) -> impl Iterator<Item = &'static Variant> + use<> {
    table.variants.iter()
}

fn has(variant: &Variant, label: &str) -> bool {
    variant.labels.contains(&label)
}

/// The variant to write for a label; `meant` is one that is there, and has no label yet.
fn variant(table: &Enum, label: &str, meant: Option<&str>) -> String {
    let name = meant.map_or_else(|| pascal(label), str::to_owned);
    // Where no `rename_all` is said, a variant is found by three spellings of its name.
    let by_name = variants(table).any(|variant| variant.labels.len() > 1);
    let is_snake = label
        .split('_')
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
    if meant.is_none() && by_name && is_snake {
        name
    } else {
        format!("#[tview(rename = {label:?})] {name}")
    }
}

/// `on hold` -> `OnHold`.
fn pascal(label: &str) -> String {
    let name: String = label
        .split(|c: char| !c.is_alphanumeric())
        .flat_map(|word| {
            let shouted = !word.chars().any(char::is_lowercase);
            let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            let rest = if shouted {
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
    fn a_label_becomes_a_name_of_a_variant() {
        assert_eq!(pascal("lost"), "Lost");
        assert_eq!(pascal("on hold-again"), "OnHoldAgain");
        assert_eq!(pascal("IN_REVIEW"), "InReview");
        assert_eq!(pascal("inReview"), "InReview");
        assert_eq!(pascal("2nd"), "Variant2nd");
        assert_eq!(pascal("-"), "Variant");
    }
}
