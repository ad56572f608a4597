//! Serialization of responses, which copies documents without parsing them.
//!
//! A document leaves the database as JSON text. async-graphql can represent such a text in one way:
//! as an object with a single key that serde_json reserves. Its own serializer copies the text,
//! parses it to validate it, and copies it again. [`write_response`] copies it once and does not
//! parse it.
//!
//! This is safe only for texts that this crate made: a client can send such an object in a
//! variable, and a resolver that echoes a scalar returns it. The key of a value made by [`raw`] is
//! a string at an address that is private to this module, which no input can have, so its text is
//! copied as it is. The text of any other such object is first checked to be one JSON value, as
//! async-graphql does.

use std::sync::LazyLock;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, PathSegment, Response, ServerError, Value};
use serde::Serialize;
use serde_json::value::RawValue;

/// The key that serde_json reserves for JSON text, and async-graphql with its feature `raw_value`.
const RAW_KEY: &str = "$serde_json::private::RawValue";

/// [`RAW_KEY`] at a private address. A clone of a [`Name`] shares the string, and so the address.
static OWN_RAW_KEY: LazyLock<Name> = LazyLock::new(|| Name::new(RAW_KEY));

/// JSON text as a value of a response, which is copied into the response as it is.
///
/// The text must be exactly one JSON value. [`write_response`] does not check it. The serializer of
/// async-graphql does, and writes invalid text as an object with the reserved key.
///
/// ```
/// use async_graphql::Response;
/// use fraiseql_graphql::response::{raw, write_response};
///
/// let response = Response::new(raw(r#"{"id": 7,  "title": "Notes"}"#));
/// let mut out = Vec::new();
/// write_response(&response, &mut out);
/// assert_eq!(out, br#"{"data":{"id": 7,  "title": "Notes"}}"#);
/// ```
#[must_use]
pub fn raw(json: impl Into<String>) -> Value {
    let mut object = IndexMap::with_capacity(1);
    object.insert(OWN_RAW_KEY.clone(), Value::String(json.into()));
    Value::Object(object)
}

/// Whether the request failed as a whole before execution began: its query could not be parsed, or
/// is not valid. Such a response has errors and no `data`.
///
/// async-graphql sets `data: null` for these, and also for a request whose execution ended with
/// null because a field that cannot be null failed. The errors make the difference: the error of a
/// field has a path.
#[must_use]
pub fn is_request_error(response: &Response) -> bool {
    !response.errors.is_empty()
        && response.data == Value::Null
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Appends a response as JSON to `out`.
///
/// The output is that of async-graphql's serializer, with three differences: errors come first, as
/// the specification advises; a response to a request that was [not executed](is_request_error) has
/// no `data`; and the text of a value made by [`raw`] is copied as it is.
///
/// ```
/// use async_graphql::{Response, ServerError};
/// use fraiseql_graphql::response::write_response;
///
/// let response = Response::from_errors(vec![ServerError::new("expected a name", None)]);
/// let mut out = Vec::new();
/// write_response(&response, &mut out);
/// assert_eq!(out, br#"{"errors":[{"message":"expected a name"}]}"#);
/// ```
pub fn write_response(response: &Response, out: &mut Vec<u8>) {
    write(response, out, usize::MAX);
}

/// As [`write_response`], if the response has `max` bytes at most. Otherwise `out` is as before, and
/// the result is `false`.
///
/// ```
/// use async_graphql::{Response, value};
/// use fraiseql_graphql::response::write_response_within;
///
/// let response = Response::new(value!({"answer": 42}));
/// let mut out = Vec::new();
/// assert!(!write_response_within(&response, &mut out, 20));
/// assert!(write_response_within(&response, &mut out, 100));
/// assert_eq!(out, br#"{"data":{"answer":42}}"#);
/// ```
#[must_use]
pub fn write_response_within(response: &Response, out: &mut Vec<u8>, max: usize) -> bool {
    let start = out.len();
    write(response, out, start.saturating_add(max));
    let is_within = out.len() - start <= max;
    if !is_within {
        out.truncate(start);
    }
    is_within
}

/// Writes a response, until `out` has more than `max_len` bytes.
fn write(response: &Response, out: &mut Vec<u8>, max_len: usize) {
    out.push(b'{');
    if !response.errors.is_empty() {
        out.extend_from_slice(b"\"errors\":");
        write_list(&response.errors, out, |error, out| {
            if out.len() <= max_len {
                write_error(error, out);
            }
        });
    }
    if !is_request_error(response) {
        if !response.errors.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(b"\"data\":");
        write_value(&response.data, out, max_len);
    }
    if !response.extensions.is_empty() {
        out.extend_from_slice(b",\"extensions\":");
        let entries = response.extensions.iter();
        let entries = entries.map(|(key, value)| (key.as_str(), value));
        write_object(entries, out, max_len);
    }
    out.push(b'}');
}

/// Sets each field that failed to null. async-graphql 7.2 omits such a field from its object, as if
/// it had not been selected.
///
/// The types of fields are not known here. If a field cannot be null, the specification makes its
/// object null instead; this function does not.
#[cfg(feature = "http")]
pub(crate) fn null_failed_fields(response: &mut Response) {
    'errors: for error in &response.errors {
        let mut at = &mut response.data;
        for segment in &error.path {
            at = match (at, segment) {
                (Value::Object(fields), PathSegment::Field(name))
                    if !fields.contains_key(RAW_KEY) =>
                {
                    fields.entry(Name::new(name)).or_insert(Value::Null)
                }
                (Value::List(items), PathSegment::Index(index)) => match items.get_mut(*index) {
                    Some(item) => item,
                    None => continue 'errors,
                },
                // The object of the field is null already, or its JSON text is not parsed.
                _ => continue 'errors,
            };
        }
    }
}

fn write_error(error: &ServerError, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"message\":");
    write_serde(&error.message, out);
    if !error.locations.is_empty() {
        out.extend_from_slice(b",\"locations\":");
        write_serde(&error.locations, out);
    }
    if !error.path.is_empty() {
        out.extend_from_slice(b",\"path\":");
        write_list(&error.path, out, |segment, out| match segment {
            PathSegment::Field(name) => write_serde(name, out),
            PathSegment::Index(index) => write_serde(index, out),
        });
    }
    if let Some(extensions) = &error.extensions {
        let before = out.len();
        out.extend_from_slice(b",\"extensions\":");
        let start = out.len();
        write_serde(extensions, out);
        // async-graphql omits empty extensions, and does not expose whether they are empty.
        if out.get(start..) == Some(b"{}") {
            out.truncate(before);
        }
    }
    out.push(b'}');
}

/// Writes a value. Once `out` has more than `max_len` bytes, nothing is written any more: what there
/// is will be discarded.
fn write_value(value: &Value, out: &mut Vec<u8>, max_len: usize) {
    if out.len() > max_len {
        return;
    }
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_serde(number, out),
        Value::String(text) => write_serde(text.as_str(), out),
        Value::Enum(name) => write_serde(name.as_str(), out),
        Value::Binary(bytes) => write_serde(&bytes[..], out),
        Value::List(values) => {
            write_list(values, out, |value, out| write_value(value, out, max_len));
        }
        Value::Object(fields) => {
            if let Some(text) = raw_text(fields) {
                // One more byte than allowed is enough to see that it does not fit.
                let text = &text[..text.ceil_char_boundary(max_len.saturating_add(1) - out.len())];
                out.extend_from_slice(text.as_bytes());
            } else {
                let entries = fields.iter().map(|(key, value)| (key.as_str(), value));
                write_object(entries, out, max_len);
            }
        }
    }
}

/// The JSON text of an object that represents one.
fn raw_text(fields: &IndexMap<Name, Value>) -> Option<&str> {
    let (key, Value::String(text)) = fields.first()? else {
        return None;
    };
    if fields.len() > 1 || key != RAW_KEY {
        return None;
    }
    let is_own = std::ptr::eq(key.as_str(), OWN_RAW_KEY.as_str());
    // An object with another key string may come from a client: the text can be anything, and
    // copying it unchecked would let the client write any part of the response.
    (is_own || serde_json::from_str::<&RawValue>(text).is_ok()).then_some(text)
}

/// Whether an object represents JSON text.
pub(crate) fn is_raw(fields: &IndexMap<Name, Value>) -> bool {
    fields.len() == 1 && fields.contains_key(RAW_KEY)
}

/// Replaces JSON text by the value that it is.
pub(crate) fn parse_raw(value: &mut Value) {
    if let Value::Object(fields) = &*value
        && let Some(parsed) = raw_text(fields).and_then(|text| serde_json::from_str(text).ok())
    {
        *value = parsed;
    }
}

fn write_object<'a>(
    entries: impl Iterator<Item = (&'a str, &'a Value)>,
    out: &mut Vec<u8>,
    max_len: usize,
) {
    out.push(b'{');
    for (position, (key, value)) in entries.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_serde(key, out);
        out.push(b':');
        write_value(value, out, max_len);
    }
    out.push(b'}');
}

fn write_list<T>(items: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// Writes a value that serde_json cannot fail on: a string, a number, or a list or map of them.
fn write_serde(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

/// The number of bytes that are reserved at most for documents before they are written. The
/// selected fields of a list may be much smaller than the list.
pub(crate) const MAX_RESERVED_BYTES: usize = 64 * 1024;

/// What a body may have in memory beside twice its length.
#[cfg(feature = "http")]
const MAX_SLACK_BYTES: usize = 1024;

/// A body that was written: from now on, it counts with its length.
#[cfg(feature = "http")]
pub(crate) fn into_bytes(mut body: Vec<u8>) -> axum::body::Bytes {
    // It may be a small part of its documents.
    if body.capacity() > 2 * body.len() + MAX_SLACK_BYTES {
        body.shrink_to_fit();
    }
    body.into()
}

/// The source of an error that was created with its full path. async-graphql sets the path of an
/// error in a list's item to the path of the list.
pub(crate) struct ErrorPath(pub(crate) Vec<PathSegment>);

#[cfg(test)]
mod tests {
    use async_graphql::{Pos, Value, value};

    use super::*;

    fn written(response: &Response) -> String {
        let mut out = Vec::new();
        write_response(response, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// Compares with the serializer of async-graphql, ignoring the order of keys.
    fn assert_as_async_graphql(response: &Response) {
        let ours: serde_json::Value = serde_json::from_str(&written(response)).unwrap();
        let theirs: serde_json::Value =
            serde_json::from_str(&serde_json::to_string(response).unwrap()).unwrap();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn values_are_written_as_by_async_graphql() {
        let text = "quote \" backslash \\ newline \n nul \0 unit separator \u{1f} ünï \u{1f600}";
        let data = value!({
            "null": null, "yes": true, "no": false, "int": -9007199254740993i64,
            "float": 0.1, "list": [1, [], {}, ["x"]], "empty": {},
            text: text,
        });
        let mut response = Response::new(data);
        assert_as_async_graphql(&response);
        response
            .extensions
            .insert("trace".to_owned(), value!({"x": [1]}));
        assert_as_async_graphql(&response);
        response.data = Value::Binary(vec![0, 255].into());
        assert_as_async_graphql(&response);
        response.data = Value::Enum(Name::new("OPEN"));
        assert_as_async_graphql(&response);
    }

    #[test]
    fn errors_are_written_as_by_async_graphql() {
        let mut error = ServerError::new("a \"b\"", Some(Pos { line: 2, column: 3 }));
        error.path = vec![PathSegment::Field("a".to_owned()), PathSegment::Index(4)];
        let mut extensions = async_graphql::ErrorExtensionValues::default();
        error.extensions = Some(extensions.clone());
        let mut response = Response::from_errors(vec![error.clone()]);
        assert_as_async_graphql(&response);
        extensions.set("code", "X");
        error.extensions = Some(extensions);
        response.errors.push(error);
        assert_as_async_graphql(&response);
        response.data = value!({"a": null});
        assert_as_async_graphql(&response);
    }

    #[test]
    fn data_is_null_after_execution_and_absent_without() {
        let mut error = ServerError::new("no", None);
        let response = Response::from_errors(vec![error.clone()]);
        assert_eq!(written(&response), r#"{"errors":[{"message":"no"}]}"#);
        error.path = vec![PathSegment::Field("a".to_owned())];
        let response = Response::from_errors(vec![error]);
        assert_eq!(
            written(&response),
            r#"{"errors":[{"message":"no","path":["a"]}],"data":null}"#
        );
        assert_eq!(written(&Response::default()), r#"{"data":null}"#);
    }

    #[cfg(feature = "http")]
    #[test]
    fn a_failed_field_is_null() {
        let path = [
            PathSegment::Field("a".to_owned()),
            PathSegment::Index(1),
            PathSegment::Field("b".to_owned()),
        ];
        let after = |data: Value| {
            let error = ServerError::new("no", None).with_path(path.to_vec());
            let mut response = Response::from_errors(vec![error]);
            response.data = data;
            null_failed_fields(&mut response);
            response.data
        };
        for (before, expected) in [
            (
                value!({"a": [{}, {"c": 1}]}),
                value!({"a": [{}, {"c": 1, "b": null}]}),
            ),
            (value!({"a": [{}, {"b": 1}]}), value!({"a": [{}, {"b": 1}]})),
            (value!({"c": 1}), value!({"c": 1, "a": null})),
            (value!({"a": [{}]}), value!({"a": [{}]})),
            (value!({"a": [0, null]}), value!({"a": [0, null]})),
            (raw("{}"), raw("{}")),
            (Value::Null, Value::Null),
        ] {
            assert_eq!(after(before), expected);
        }
    }

    #[test]
    fn raw_json_is_copied_at_any_level() {
        let inner = Value::Object([(Name::new("b"), raw("{ }"))].into());
        let list = Value::List(vec![raw("[1,  2]"), inner]);
        let response = Response::new(Value::Object([(Name::new("a"), list)].into()));
        let expected = r#"{"data":{"a":[[1,  2],{"b":{ }}]}}"#;
        assert_eq!(written(&response), expected);
        assert_as_async_graphql(&response);
        // A clone, as an extension may make one, keeps the private key: its text is not parsed.
        let response = Response::new(raw("not parsed").clone());
        assert_eq!(written(&response), r#"{"data":not parsed}"#);
    }

    #[test]
    fn foreign_raw_json_is_checked_before_it_is_copied() {
        // A client can send this in a variable of a scalar that accepts any JSON.
        let fake = |text: &str| {
            Value::Object([(Name::new(RAW_KEY), Value::String(text.to_owned()))].into())
        };
        for text in [
            r#"1},"errors":[{"message":"injected"}"#,
            "",
            "1 2",
            "nul",
            "\"\u{0}\"",
            "[1,]",
        ] {
            let echo = Value::Object([(Name::new("echo"), fake(text))].into());
            let written = written(&Response::new(echo));
            let text = serde_json::to_string(text).unwrap();
            let expected = format!(r#"{{"data":{{"echo":{{"{RAW_KEY}":{text}}}}}}}"#);
            assert_eq!(written, expected, "it is written as an object");
        }
        // Valid JSON of another origin: a resolver that returns a `RawValue`.
        let own = RawValue::from_string("[1,  2]".to_owned()).unwrap();
        let response = Response::new(async_graphql::to_value(own).unwrap());
        assert_eq!(written(&response), r#"{"data":[1,  2]}"#);
    }
}
