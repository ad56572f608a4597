//! Messages about mistakes in a selection.
//!
//! `path` is the path in the output to the object in which the mistake is. Names come from a
//! client, so they are shortened.

use super::merge::{MergeConflict, MergedField};
use crate::schema::Shape;
use crate::schema::naming::{did_you_mean, nearest_name};

/// The maximum length, in characters, of a client's name in a message.
const MAX_SHOWN: usize = 64;

/// The struct does not have the field.
pub(super) fn unknown_field(path: &[&str], shape: &Shape, field: &MergedField<'_>) -> String {
    let names = shape.shown_fields().map(|field| field.json);
    // The distance to each field takes time that is proportional to the length of the name, which
    // the client chooses. A name longer than any field is not a typing error.
    let near = (field.name.len() <= MAX_SHOWN)
        .then(|| nearest_name(field.name, names))
        .flatten();
    let place = match path {
        [] => String::new(),
        path => format!(" ({})", path_to(path, field.response_key)),
    };
    let end = match near {
        Some(_) => did_you_mean(near),
        None => ".".to_owned(),
    };
    format!(
        "`{}` has no field `{}`{place}{end} Its fields are {}",
        shape.type_name,
        shortened(field.name),
        field_list(shape)
    )
}

/// Fields of one name in the output cannot be merged.
pub(super) fn conflict(path: &[&str], conflict: &MergeConflict<'_>) -> String {
    match conflict {
        MergeConflict::DifferentFields {
            response_key,
            first,
            second,
        } => format!(
            "{} stands for `{}` and for `{}`: give one of them another alias",
            path_to(path, response_key),
            shortened(first),
            shortened(second)
        ),
        MergeConflict::Braces { response_key } => format!(
            "{} is selected with braces and without: write it once",
            path_to(path, response_key)
        ),
    }
}

/// The selection of the object is empty.
pub(super) fn nothing_selected(path: &[&str], shape: &Shape) -> String {
    let object = match path.split_last() {
        None => format!("`{}`", shape.type_name),
        Some((last, path)) => path_to(path, last),
    };
    format!(
        "nothing is selected of {object}: write at least one of {}",
        field_list(shape)
    )
}

/// An object, or a list of objects, is selected without fields.
pub(super) fn no_braces(
    path: &[&str],
    field: &MergedField<'_>,
    child: &Shape,
    is_list: bool,
) -> String {
    let what = match is_list {
        true => "a list of objects",
        false => "an object",
    };
    format!(
        "{} is {what}: select its fields, as in `{} {{ {} }}`",
        path_to(path, field.response_key),
        field.name,
        example(child)
    )
}

/// A scalar is selected with fields.
pub(super) fn braces_of_scalar(path: &[&str], field: &MergedField<'_>) -> String {
    format!(
        "{} is a scalar and has no fields: leave its braces out",
        path_to(path, field.response_key)
    )
}

/// The path in the output to a name: `` `title` `` or `` `author.title` ``.
fn path_to(path: &[&str], last: &str) -> String {
    let mut text = String::from("`");
    for name in path {
        text.push_str(&shortened(name));
        text.push('.');
    }
    text.push_str(&shortened(last));
    text.push('`');
    text
}

/// A name, truncated and with control characters escaped.
fn shortened(name: &str) -> String {
    let shown = name.chars().take(MAX_SHOWN);
    let mut shortened: String = shown.flat_map(char::escape_debug).collect();
    if name.chars().nth(MAX_SHOWN).is_some() {
        shortened.push_str("..");
    }
    shortened
}

fn field_list(shape: &Shape) -> String {
    let names: Vec<&str> = shape.shown_fields().map(|field| field.json).collect();
    names.join(", ")
}

/// The first scalar fields of a struct, as an example of a selection.
fn example(shape: &Shape) -> String {
    let scalars = shape
        .shown_fields()
        .filter(|field| field.source.scalar().is_some());
    let names: Vec<&str> = scalars.map(|field| field.json).take(3).collect();
    match names.is_empty() {
        true => "__typename".to_owned(),
        false => names.join(" "),
    }
}
