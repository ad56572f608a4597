//! A response as bytes: written once, with documents copied as they are.
//!
//! A document leaves the database as JSON. async-graphql has one place for JSON that is ready: an
//! object with a single key that serde_json gives a meaning to. Its own serializer copies such a
//! text, reads all of it to see that it is JSON, and copies it again. Here it is copied once, and
//! not read.
//!
//! That needs to know who made it: a client can send such an object in a variable, and get it
//! back where a scalar is echoed. What [`raw`] made has its key at an address that only this
//! module has, which nothing from outside can have: such a value is copied as it is. Any other is
//! written as async-graphql does it, after it was seen to be one JSON value.

use std::sync::LazyLock;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, PathSegment, Response, ServerError, Value};
use serde::Serialize;
use serde_json::value::RawValue;

/// The key that serde_json, and async-graphql with its feature `raw_value`, give a meaning to.
const TOKEN: &str = "$serde_json::private::RawValue";

/// The same, at an address of its own.
static OURS: LazyLock<Name> = LazyLock::new(|| Name::new(TOKEN));

/// JSON that is ready, as a value of a response. It is copied into the answer as it is.
///
/// The text must be one JSON value, and nothing else. [`write_response`] does not read it; the
/// serializer of async-graphql does, and writes an object with a strange key where it is none.
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
    object.insert(OURS.clone(), Value::String(json.into()));
    Value::Object(object)
}

/// Whether the request failed as a whole, before anything of it was executed: it could not be
/// parsed, or is not valid. Such a response has errors and no `data`.
///
/// async-graphql has `data: null` for these, as for a request whose execution ended with null
/// because a field that cannot be null failed. The difference is in the errors: one of a field
/// has its path.
#[must_use]
pub fn is_request_error(response: &Response) -> bool {
    !response.errors.is_empty()
        && response.data == Value::Null
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Writes a response as JSON, after what is in `out`.
///
/// It is what the serializer of async-graphql writes, with three differences: errors come first,
/// as the specification advises; a response [without execution](is_request_error) has no `data`;
/// and what [`raw`] made is copied as it is.
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
    out.push(b'{');
    if !response.errors.is_empty() {
        out.extend_from_slice(b"\"errors\":");
        write_list(&response.errors, out, write_error);
    }
    if !is_request_error(response) {
        if !response.errors.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(b"\"data\":");
        write_value(&response.data, out);
    }
    if !response.extensions.is_empty() {
        out.extend_from_slice(b",\"extensions\":");
        let entries = response.extensions.iter();
        write_object(entries.map(|(key, value)| (key.as_str(), value)), out);
    }
    out.push(b'}');
}

/// Puts null where a field failed. async-graphql 7.2 leaves such a field out of its object, as
/// if it had not been asked for.
///
/// Whether it may be null is not known here: where it may not, its object should be null instead.
#[cfg(feature = "http")]
pub(crate) fn null_failed_fields(response: &mut Response) {
    'errors: for error in &response.errors {
        let mut at = &mut response.data;
        for segment in &error.path {
            at = match (at, segment) {
                (Value::Object(fields), PathSegment::Field(name))
                    if !fields.contains_key(TOKEN) =>
                {
                    fields.entry(Name::new(name)).or_insert(Value::Null)
                }
                (Value::List(items), PathSegment::Index(index)) => match items.get_mut(*index) {
                    Some(item) => item,
                    None => continue 'errors,
                },
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
        // async-graphql leaves them out where there are none, and does not say how many there are.
        if out.get(start..) == Some(b"{}") {
            out.truncate(before);
        }
    }
    out.push(b'}');
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_serde(number, out),
        Value::String(text) => write_serde(text.as_str(), out),
        Value::Enum(name) => write_serde(name.as_str(), out),
        Value::Binary(bytes) => write_serde(&bytes[..], out),
        Value::List(values) => write_list(values, out, write_value),
        Value::Object(fields) => {
            if let Some(text) = ready(fields) {
                out.extend_from_slice(text.as_bytes());
            } else {
                let entries = fields.iter().map(|(key, value)| (key.as_str(), value));
                write_object(entries, out);
            }
        }
    }
}

/// The text of an object that stands for JSON that is ready.
fn ready(fields: &IndexMap<Name, Value>) -> Option<&str> {
    let (key, Value::String(text)) = fields.first()? else {
        return None;
    };
    if fields.len() > 1 || key != TOKEN {
        return None;
    }
    let ours = std::ptr::eq(key.as_str(), OURS.as_str());
    // Somebody else's: it may be anything that a client has sent.
    (ours || serde_json::from_str::<&RawValue>(text).is_ok()).then_some(text)
}

fn write_object<'a>(entries: impl Iterator<Item = (&'a str, &'a Value)>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (position, (key, value)) in entries.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_serde(key, out);
        out.push(b':');
        write_value(value, out);
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

/// Texts, numbers and what is made of them: none of these can fail, nor a write to memory.
fn write_serde(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

/// The most bytes that are reserved for an answer before it is written: what is selected of a list
/// may be much less than the list.
pub(crate) const MAX_RESERVED_BYTES: usize = 64 * 1024;

/// The source of an error that has a path of its own. async-graphql gives the error of a list's
/// item the path of the list.
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

    /// What the library writes, without the order of keys.
    fn as_library(response: &Response) {
        let ours: serde_json::Value = serde_json::from_str(&written(response)).unwrap();
        let theirs: serde_json::Value =
            serde_json::from_str(&serde_json::to_string(response).unwrap()).unwrap();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn values_are_written_as_the_library_writes_them() {
        let text = "quote \" backslash \\ newline \n nul \0 unit separator \u{1f} ünï \u{1f600}";
        let data = value!({
            "null": null, "yes": true, "no": false, "int": -9007199254740993i64,
            "float": 0.1, "list": [1, [], {}, ["x"]], "empty": {},
            text: text,
        });
        let mut response = Response::new(data);
        as_library(&response);
        response
            .extensions
            .insert("trace".to_owned(), value!({"x": [1]}));
        as_library(&response);
        response.data = Value::Binary(vec![0, 255].into());
        as_library(&response);
        response.data = Value::Enum(Name::new("OPEN"));
        as_library(&response);
    }

    #[test]
    fn errors_are_written_as_the_library_writes_them() {
        let mut error = ServerError::new("a \"b\"", Some(Pos { line: 2, column: 3 }));
        error.path = vec![PathSegment::Field("a".to_owned()), PathSegment::Index(4)];
        let mut extensions = async_graphql::ErrorExtensionValues::default();
        error.extensions = Some(extensions.clone());
        let mut response = Response::from_errors(vec![error.clone()]);
        as_library(&response);
        extensions.set("code", "X");
        error.extensions = Some(extensions);
        response.errors.push(error);
        as_library(&response);
        response.data = value!({"a": null});
        as_library(&response);
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
    fn a_field_that_failed_is_null() {
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
    fn ready_json_is_copied_at_any_level() {
        let inner = Value::Object([(Name::new("b"), raw("{ }"))].into());
        let list = Value::List(vec![raw("[1,  2]"), inner]);
        let response = Response::new(Value::Object([(Name::new("a"), list)].into()));
        let expected = r#"{"data":{"a":[[1,  2],{"b":{ }}]}}"#;
        assert_eq!(written(&response), expected);
        as_library(&response);
        // Also a copy of it, as extensions may make one. It is not read: this is none of ours.
        let response = Response::new(raw("not read").clone());
        assert_eq!(written(&response), r#"{"data":not read}"#);
    }

    #[test]
    fn ready_json_of_others_is_read_before_it_is_copied() {
        // As a client can send it in a variable of a scalar that takes any JSON.
        let fake =
            |text: &str| Value::Object([(Name::new(TOKEN), Value::String(text.to_owned()))].into());
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
            let expected = format!(r#"{{"data":{{"echo":{{"{TOKEN}":{text}}}}}}}"#);
            assert_eq!(written, expected, "as the object that it is");
        }
        // Valid JSON of another maker: a resolver that returns a `RawValue` of its own.
        let own = RawValue::from_string("[1,  2]".to_owned()).unwrap();
        let response = Response::new(async_graphql::to_value(own).unwrap());
        assert_eq!(written(&response), r#"{"data":[1,  2]}"#);
    }
}
