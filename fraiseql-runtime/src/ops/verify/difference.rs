//! Where a stored document differs from what it should be.

use serde_json::Value;

/// How many differences of one document are kept.
const KEPT: usize = 10;
/// How many characters of a value are shown.
const SHOWN: usize = 80;

/// Where a drifted document differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explained {
    /// The document's key.
    pub key: String,
    /// The first ten places, promoted columns last.
    pub differences: Vec<Difference>,
    /// How many more there are.
    pub more: usize,
}

/// A value of a document that is not what it should be. It prints as
/// `comments[3].author.name: stored "a", should be "b"`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Where it is: `comments[3].author.name`, or `column created_at` for a promoted column.
    pub path: String,
    /// The stored value as JSON, or that of a promoted column as text; cut after 80 characters.
    /// `None` where there is nothing.
    pub stored: Option<String>,
    /// What it should be.
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

/// A document as the database has it: its text, and its promoted columns with their names.
pub(super) struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) columns: Vec<Option<String>>,
}

/// Where two pictures of a document differ; `columns` are the names of promoted columns, each
/// with whether it differs.
pub(super) fn explain(
    key: String,
    stored: &Document<'_>,
    right: &Document<'_>,
    columns: &[(&'static str, bool)],
) -> Explained {
    let mut all = Vec::new();
    match (
        serde_json::from_str(stored.text),
        serde_json::from_str(right.text),
    ) {
        (Ok(stored), Ok(right)) => compare(&stored, &right, &mut String::new(), &mut all),
        // Of type json, with something in it that this parser does not take.
        _ => all.extend(as_text(stored.text, right.text)),
    }
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
    let more = all.len().saturating_sub(KEPT);
    all.truncate(KEPT);
    Explained {
        key,
        differences: all,
        more,
    }
}

/// The same values in another form: the order of keys or a number's digits, in a document of
/// type json.
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
                either(stored.get(name), right.get(name), path, out);
                path.truncate(length);
            }
        }
        (Value::Array(stored), Value::Array(right)) => {
            for index in 0..stored.len().max(right.len()) {
                path.push_str(&format!("[{index}]"));
                either(stored.get(index), right.get(index), path, out);
                path.truncate(length);
            }
        }
        _ => either(Some(stored), Some(right), path, out),
    }
}

fn either(
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

fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}
