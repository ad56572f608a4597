//! Random documents, valid or not, and the ways to print them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use fraiseql_runtime::scalar::ElementNull;
use fraiseql_runtime::schema::{Field, Shape, Source};
use fraiseql_runtime::select::StoredKeys;

use super::Chance;
use super::shapes::KEYS;

/// A document before it is printed. Everything that is not an object of a struct is text already.
pub(super) enum Tree {
    Text(String),
    Object(Vec<(String, Tree)>),
    List(Vec<Tree>),
}

/// Values, some of which resemble the document around them.
const TEXTS: [&str; 16] = [
    "1",
    "-12.5e+3",
    "true",
    "false",
    "\"\"",
    "\"word\"",
    "\"a text that is longer than sixteen bytes, and than sixty-four, and has no end in it\"",
    "\"quote \\\" and \\\\\"",
    "\"\\\\\\\\\\\"\\u00e9 é \\\\\"",
    "\"}]{[ \\\", \\\"id\\\": 1\"",
    "{}",
    "[]",
    "{\"id\": 1, \"title\": {\"role\": [\"}\", {\"id\": \"\\\"\"}]}}",
    "{\"id\":1,\"accessToken\":\"secret\",\"author\":{\"id\":null}}",
    "[{\"id\":[[]],\"x\":\"]\"}, {}, \"\\\\\"]",
    "{\"full_name\": {\"snake_case\": 1}, \"role\" : null}",
];

fn name_of(field: &Field, keys: StoredKeys) -> &'static str {
    match keys {
        StoredKeys::Json => field.json,
        StoredKeys::Rust => field.name,
    }
}

pub(super) fn random_object(
    chance: &mut Chance,
    shape: &Shape,
    keys: StoredKeys,
    right: bool,
) -> Tree {
    let mut object = Vec::new();
    for field in shape.fields {
        let key = name_of(field, keys);
        if !right && chance.one_in(40) {
            continue;
        }
        object.push((key.to_owned(), random_value(chance, field, keys, right)));
    }
    Tree::Object(object)
}

fn random_value(chance: &mut Chance, field: &Field, keys: StoredKeys, right: bool) -> Tree {
    let null = || Tree::Text("null".to_owned());
    match &field.source {
        _ if !right && chance.one_in(40) => null(),
        Source::One(one) if one.nullable && chance.one_in(3) => null(),
        Source::One(_) | Source::Many(_) if !right && chance.one_in(60) => {
            Tree::Text(chance.pick(&["1", "\"{\"", "true"]).to_string())
        }
        Source::One(one) => random_object(chance, one.shape.get(), keys, right),
        Source::Many(many) => {
            let items = (0..chance.below(3)).map(|_| match !right && chance.one_in(30) {
                true => Tree::Text(chance.pick(&["null", "7", "[]"]).to_string()),
                false => random_object(chance, many.shape.get(), keys, right),
            });
            Tree::List(items.collect())
        }
        Source::Column { ty, .. } if ty.nullable && chance.one_in(4) => null(),
        Source::Column { ty, .. } if ty.list.is_some() => {
            let space = chance.pick(&["", " ", "\n "]);
            let mut text = format!("[{space}");
            let count = chance.below(4);
            for index in 0..count {
                let may = ty.list == Some(ElementNull::Yes) || (!right && chance.one_in(10));
                let element = match may && chance.one_in(3) {
                    true => "null",
                    false => chance.pick(&TEXTS),
                };
                let comma = if index + 1 < count { "," } else { "" };
                write!(text, "{element}{comma}{space}").unwrap();
            }
            text.push(']');
            Tree::Text(text)
        }
        _ => Tree::Text(chance.pick(&TEXTS).to_string()),
    }
}

/// Adds keys that are unknown or belong to another struct, and duplicate keys: the first one
/// counts.
pub(super) fn add_others(chance: &mut Chance, tree: &mut Tree, shape: &Shape, keys: StoredKeys) {
    match tree {
        Tree::Object(entries) => {
            for (key, value) in entries.iter_mut() {
                let field = shape
                    .fields
                    .iter()
                    .find(|field| name_of(field, keys) == key);
                match field.map(|field| &field.source) {
                    Some(Source::One(one)) => add_others(chance, value, one.shape.get(), keys),
                    Some(Source::Many(many)) => add_others(chance, value, many.shape.get(), keys),
                    _ => {}
                }
            }
            while chance.one_in(2) {
                let (json, name) = chance.pick(&KEYS);
                let key = chance
                    .pick(&[json, name, "unknown", "", "__typename", "\u{1}"])
                    .to_string();
                let place = chance.below(entries.len() + 1);
                let known = entries.iter().position(|(other, _)| *other == key);
                let absent = shape.fields.iter().any(|field| name_of(field, keys) == key);
                if known.map_or(!absent, |known| known < place) {
                    entries.insert(place, (key, Tree::Text(chance.pick(&TEXTS).to_string())));
                }
            }
        }
        Tree::List(items) => {
            items
                .iter_mut()
                .for_each(|item| add_others(chance, item, shape, keys));
        }
        Tree::Text(_) => {}
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Print {
    Jsonb,
    Json,
    Shuffled,
    Spaced,
}

pub(super) fn print(chance: &mut Chance, tree: &mut Tree, print_as: Print, out: &mut String) {
    let space = |chance: &mut Chance, out: &mut String| {
        if print_as == Print::Spaced {
            out.push_str(chance.pick(&["", "", " ", "\n\t", "\r\n  "]));
        }
    };
    let (comma, colon) = match print_as {
        Print::Jsonb => (", ", ": "),
        _ => (",", ":"),
    };
    match tree {
        Tree::Text(text) => out.push_str(text),
        Tree::Object(entries) => {
            match print_as {
                // Duplicate keys keep their order, because the first one counts.
                Print::Jsonb => entries.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b))),
                Print::Json => {}
                Print::Shuffled | Print::Spaced => {
                    let keys: BTreeSet<_> = entries.iter().map(|(key, _)| key.clone()).collect();
                    if keys.len() == entries.len() {
                        chance.shuffle(entries);
                    }
                }
            }
            out.push('{');
            space(chance, out);
            for (index, (key, value)) in entries.iter_mut().enumerate() {
                if index > 0 {
                    out.push_str(comma);
                    space(chance, out);
                }
                let mut key = serde_json::to_string(key).unwrap();
                if print_as == Print::Spaced
                    && chance.one_in(8)
                    && key[1..].starts_with(|c: char| c.is_ascii_alphabetic())
                {
                    key = format!("\"\\u{:04x}{}", key.as_bytes()[1], &key[2..]);
                }
                out.push_str(&key);
                space(chance, out);
                out.push_str(colon);
                space(chance, out);
                print(chance, value, print_as, out);
                space(chance, out);
            }
            out.push('}');
        }
        Tree::List(items) => {
            out.push('[');
            space(chance, out);
            for (index, item) in items.iter_mut().enumerate() {
                if index > 0 {
                    out.push_str(comma);
                    space(chance, out);
                }
                print(chance, item, print_as, out);
                space(chance, out);
            }
            out.push(']');
        }
    }
}
