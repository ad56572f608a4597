//! The differences between a stored document and the one that the base tables give.

use std::fmt;

use serde_json::Value;

/// How many differences of one document are kept.
const MAX_DIFFERENCES: usize = 10;
/// How many characters of a value are shown.
const MAX_CHARACTERS: usize = 80;

/// The differences of a drifted document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explained {
    /// The document's key.
    pub key: String,
    /// The first ten differences, those of promoted columns last.
    pub differences: Vec<Difference>,
    /// The number of further differences.
    pub more: usize,
}

/// A value that differs between a stored document and the base tables. Its `Display` is
/// `comments[3].author.name: stored "a", should be "b"`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The path of the value: `comments[3].author.name`, or `column created_at` for a promoted
    /// column.
    pub path: String,
    /// The stored value as JSON, or the value of a promoted column as text, cut after 80
    /// characters. `None` if there is no value at this path.
    pub stored: Option<String>,
    /// The value that the base tables give.
    pub right: Option<String>,
}

impl Difference {
    fn new(path: String, stored: Option<String>, right: Option<String>) -> Self {
        Self {
            path,
            stored,
            right,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_nothing = |value: &Option<String>| match value {
            Some(value) => value.clone(),
            None => "nothing".to_owned(),
        };
        let (stored, right) = (or_nothing(&self.stored), or_nothing(&self.right));
        write!(f, "{}: stored {stored}, should be {right}", self.path)
    }
}

/// A document as the database returns it: its text, and its promoted columns in the order of the
/// fields.
pub(super) struct DocumentVersion<'a> {
    pub(super) text: &'a str,
    pub(super) columns: Vec<Option<String>>,
}

/// Compares two versions of a document; `columns` are the names of promoted columns, each with
/// whether it differs.
pub(super) fn explain(
    key: String,
    stored: &DocumentVersion<'_>,
    right: &DocumentVersion<'_>,
    columns: &[(&'static str, bool)],
) -> Explained {
    let mut all = Vec::new();
    match (
        serde_json::from_str(stored.text),
        serde_json::from_str(right.text),
    ) {
        (Ok(stored), Ok(right)) => compare(&stored, &right, &mut String::new(), &mut all),
        // A column of type json can contain text that serde_json does not accept.
        _ => all.extend(as_text(stored.text, right.text)),
    }
    // Equal values, but the texts can still differ.
    if all.is_empty() {
        all.extend(as_text(stored.text, right.text));
    }
    let values = stored.columns.iter().zip(&right.columns);
    for ((name, differs), (stored, right)) in columns.iter().zip(values) {
        if *differs {
            let shown = |value: &Option<String>| Some(short(value.as_deref().unwrap_or("null")));
            let path = format!("column {name}");
            all.push(Difference::new(path, shown(stored), shown(right)));
        }
    }
    let more = all.len().saturating_sub(MAX_DIFFERENCES);
    all.truncate(MAX_DIFFERENCES);
    Explained {
        key,
        differences: all,
        more,
    }
}

/// The difference of two texts with equal values: the order of keys or the digits of a number, in a
/// column of type json.
fn as_text(stored: &str, right: &str) -> Option<Difference> {
    const BEFORE: usize = 20;
    if stored == right {
        return None;
    }
    let same = stored
        .chars()
        .zip(right.chars())
        .take_while(|(a, b)| a == b);
    let start = same.count().saturating_sub(BEFORE);
    let shown = |text: &str| {
        let dots = if start > 0 { ".." } else { "" };
        let rest: String = text.chars().skip(start).collect();
        Some(short(&format!("{dots}{rest}")))
    };
    let path = "the document's text".to_owned();
    Some(Difference::new(path, shown(stored), shown(right)))
}

fn compare(stored: &Value, right: &Value, path: &mut String, out: &mut Vec<Difference>) {
    let length = path.len();
    match (stored, right) {
        (Value::Object(stored), Value::Object(right)) => {
            let added = right.keys().filter(|name| !stored.contains_key(*name));
            for name in stored.keys().chain(added) {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                compare_values(stored.get(name), right.get(name), path, out);
                path.truncate(length);
            }
        }
        (Value::Array(stored), Value::Array(right)) => {
            for index in 0..stored.len().max(right.len()) {
                path.push_str(&format!("[{index}]"));
                compare_values(stored.get(index), right.get(index), path, out);
                path.truncate(length);
            }
        }
        _ => compare_values(Some(stored), Some(right), path, out),
    }
}

fn compare_values(
    stored: Option<&Value>,
    right: Option<&Value>,
    path: &mut String,
    out: &mut Vec<Difference>,
) {
    match (stored, right) {
        (Some(stored), Some(right)) if stored == right => {}
        (Some(stored @ Value::Object(_)), Some(right @ Value::Object(_)))
        | (Some(stored @ Value::Array(_)), Some(right @ Value::Array(_))) => {
            compare(stored, right, path, out);
        }
        _ => {
            let shown = |value: Option<&Value>| value.map(|value| short(&value.to_string()));
            let path = if path.is_empty() {
                "the document".to_owned()
            } else {
                path.clone()
            };
            out.push(Difference::new(path, shown(stored), shown(right)));
        }
    }
}

/// The text, cut after [`MAX_CHARACTERS`].
fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}
