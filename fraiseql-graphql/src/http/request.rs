//! Parameters of a GraphQL request, from the body of a POST or the query string of a GET.

use async_graphql::{Extensions, Request, Value, Variables};
use axum::http::StatusCode;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::clip;
use crate::http::automatic::EXTENSION;
use crate::http::refusal::Refusal;

/// The prefix of the keys with which serde_json represents JSON text and large numbers.
const RESERVED_PREFIX: &str = "$serde_json::private::";

/// The parameters of one request.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Parameters {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Variables,
    extensions: Option<Extensions>,
}

/// A request, before its document is known.
pub(super) struct Asked {
    /// Its text is empty if it names a document in another way.
    pub(super) request: Request,
    /// Whether it has a text, which may be empty.
    pub(super) has_query: bool,
    /// The identifier of a trusted document, in place of a text.
    pub(super) document_id: Option<String>,
}

impl Parameters {
    fn into_request(self) -> Result<Asked, Refusal> {
        let extensions = self.extensions.unwrap_or_default();
        let has_query = self.query.is_some();
        let query = match (self.query, &self.document_id) {
            (Some(_), Some(_)) => {
                let message = "a request has either `query` or `documentId`, and this one has both";
                return Err(bad_request(message));
            }
            (Some(query), None) => query,
            (None, Some(_)) => String::new(),
            // Who stores such queries is decided later.
            (None, None) if extensions.contains_key(EXTENSION) => String::new(),
            (None, None) => return Err(missing_query()),
        };
        // Serializers take an object with such a key for JSON text. From a client it is data, and
        // must not become JSON text where it is stored and read again.
        let mut values = extensions.values().chain(self.variables.values());
        if values.any(has_reserved_key) {
            return Err(bad_request(format!(
                "variables and extensions cannot have keys that begin with `{RESERVED_PREFIX}`"
            )));
        }
        let mut request = Request::new(query).variables(self.variables);
        request.operation_name = self.operation_name;
        request.extensions = extensions;
        Ok(Asked {
            request,
            has_query,
            document_id: self.document_id,
        })
    }
}

/// The refusal of a request that names no document.
pub(super) fn missing_query() -> Refusal {
    bad_request("the parameter `query` is missing")
}

fn has_reserved_key(value: &Value) -> bool {
    match value {
        Value::List(values) => values.iter().any(has_reserved_key),
        Value::Object(fields) => fields
            .iter()
            .any(|(key, value)| key.starts_with(RESERVED_PREFIX) || has_reserved_key(value)),
        _ => false,
    }
}

/// The requests of one body.
pub(super) enum Requests {
    Single(Box<Asked>),
    Batch(Vec<Asked>),
}

/// Reads the body of a POST. `max_batch` is the maximum number of requests in a list, if the body
/// may be one.
pub(super) fn from_body(body: &[u8], max_batch: Option<usize>) -> Result<Requests, Refusal> {
    if !is_list(body) {
        return Ok(Requests::Single(Box::new(from_object(body)?)));
    }
    let Some(max) = max_batch else {
        return Err(bad_request(
            "this server accepts one request at a time, not a list of requests",
        ));
    };
    // The items are read as raw text first, so that the number is checked before any is parsed.
    let list: Vec<&RawValue> =
        serde_json::from_slice(body).map_err(|error| invalid_body(&error))?;
    if list.is_empty() {
        return Err(bad_request("the list of requests is empty"));
    }
    if list.len() > max {
        let message = format!("this server accepts at most {max} requests at a time");
        return Err(bad_request(message));
    }
    let requests = list
        .into_iter()
        .map(|item| from_object(item.get().as_bytes()));
    Ok(Requests::Batch(requests.collect::<Result<_, _>>()?))
}

fn from_object(body: &[u8]) -> Result<Asked, Refusal> {
    // serde would read a list as the fields of the struct, in their order.
    if is_list(body) {
        return Err(bad_request("a request is an object"));
    }
    let parameters: Parameters =
        serde_json::from_slice(body).map_err(|error| invalid_body(&error))?;
    parameters.into_request()
}

fn is_list(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"[")
}

/// Reads the query string of a GET.
pub(super) fn from_query_string(text: &str) -> Result<Asked, Refusal> {
    // `form_urlencoded` replaces invalid UTF-8. No byte of a multi-byte character is `&`, `=` or
    // `+`, so the whole string can be checked at once.
    if percent_decode_str(text).decode_utf8().is_err() {
        return Err(bad_request("the query string is not UTF-8"));
    }
    let mut parameters = Parameters::default();
    let (mut variables, mut extensions) = (None, None);
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let slot = match &*name {
            "query" => &mut parameters.query,
            "documentId" => &mut parameters.document_id,
            "operationName" => &mut parameters.operation_name,
            "variables" => &mut variables,
            "extensions" => &mut extensions,
            _ => continue,
        };
        if slot.replace(value.into_owned()).is_some() {
            let message = format!("the parameter `{name}` is given twice");
            return Err(bad_request(message));
        }
    }
    // An HTML form sends its empty fields as well.
    let is_set = |text: &String| !text.is_empty();
    parameters.operation_name = parameters.operation_name.filter(is_set);
    parameters.document_id = parameters.document_id.filter(is_set);
    if let Some(text) = variables.filter(is_set) {
        parameters.variables = json_parameter("variables", &text)?;
    }
    if let Some(text) = extensions.filter(is_set) {
        parameters.extensions = json_parameter("extensions", &text)?;
    }
    parameters.into_request()
}

fn json_parameter<'a, T: Deserialize<'a>>(name: &str, text: &'a str) -> Result<T, Refusal> {
    serde_json::from_str(text)
        .map_err(|error| bad_request(format!("the parameter `{name}`: {error}")))
}

fn invalid_body(error: &serde_json::Error) -> Refusal {
    bad_request(format!("the body is not a GraphQL request: {error}"))
}

fn bad_request(message: impl Into<String>) -> Refusal {
    let mut message = message.into();
    // It may quote a value of the client.
    clip(&mut message);
    Refusal::new(StatusCode::BAD_REQUEST, message)
}
