//! What is asked: the parameters of a GraphQL request, from a query string or a body.

use std::borrow::Cow;

use async_graphql::{Extensions, Request, Value, Variables};
use axum::http::StatusCode;
use percent_encoding::percent_decode;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::clip;
use crate::http::refusal::Refusal;

/// The parameters of one request.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Parameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Variables,
    extensions: Option<Extensions>,
}

impl Parameters {
    fn into_request(self, stored: bool) -> Result<Request, Refusal> {
        let extensions = self.extensions.unwrap_or_default();
        let query = match self.query {
            Some(query) => query,
            // The extension `ApolloPersistedQueries` of async-graphql knows it.
            None if stored && extensions.contains_key("persistedQuery") => String::new(),
            None => return Err(bad_request("the parameter `query` is missing")),
        };
        let mut values = extensions.values().chain(self.variables.values());
        if values.any(has_token) {
            return Err(bad_request(
                "the variables have a key that has a meaning here",
            ));
        }
        let mut request = Request::new(query).variables(self.variables);
        request.operation_name = self.operation_name;
        request.extensions = extensions;
        Ok(request)
    }
}

/// Whether an object is in a value that serializers take for JSON that is ready. What a client
/// sends is never that, and must not become it where it is stored and read again.
fn has_token(value: &Value) -> bool {
    match value {
        Value::List(values) => values.iter().any(has_token),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.starts_with("$serde_json::private::") || has_token(value)),
        _ => false,
    }
}

/// What a body asks for.
pub(super) enum Asked {
    One(Box<Request>),
    Batch(Vec<Request>),
}

/// Reads the body of a POST. `batch` is how many requests it may have, if it may be a list.
pub(super) fn from_body(body: &[u8], batch: Option<usize>) -> Result<Asked, Refusal> {
    if !is_list(body) {
        return Ok(Asked::One(Box::new(one(body)?)));
    }
    let Some(most) = batch else {
        return Err(bad_request(
            "this server takes one request at a time, and no list of them",
        ));
    };
    let list: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| no_json(&error))?;
    if list.is_empty() {
        return Err(bad_request("the list of requests is empty"));
    }
    if list.len() > most {
        let message = format!("this server takes {most} requests at a time at most");
        return Err(bad_request(message));
    }
    let requests = list.into_iter().map(|item| one(item.get().as_bytes()));
    Ok(Asked::Batch(requests.collect::<Result<_, _>>()?))
}

fn one(body: &[u8]) -> Result<Request, Refusal> {
    // A list would be read as the fields of the struct, in their order.
    if is_list(body) {
        return Err(bad_request("a request is an object"));
    }
    let parameters: Parameters = serde_json::from_slice(body).map_err(|error| no_json(&error))?;
    parameters.into_request(true)
}

fn is_list(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"[")
}

/// Reads the query string of a GET. One that is stored must be named by a POST: what it does is
/// not known here, and a GET changes nothing.
pub(super) fn from_query(query: &str) -> Result<Request, Refusal> {
    let mut parameters = Parameters::default();
    let (mut variables, mut extensions) = (None, None);
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match &*decode(name)? {
            "query" => &mut parameters.query,
            "operationName" => &mut parameters.operation_name,
            "variables" => &mut variables,
            "extensions" => &mut extensions,
            _ => continue,
        };
        if place.replace(decode(value)?.into_owned()).is_some() {
            return Err(bad_request(format!(
                "the parameter `{name}` is there twice"
            )));
        }
    }
    // A form with an empty field sends it.
    parameters.operation_name = parameters.operation_name.filter(|name| !name.is_empty());
    let is_set = |text: &String| !text.is_empty();
    if let Some(text) = variables.filter(is_set) {
        parameters.variables = parameter("variables", &text)?;
    }
    if let Some(text) = extensions.filter(is_set) {
        parameters.extensions = parameter("extensions", &text)?;
    }
    parameters.into_request(false)
}

fn parameter<'a, T: Deserialize<'a>>(name: &str, text: &'a str) -> Result<T, Refusal> {
    serde_json::from_str(text)
        .map_err(|error| bad_request(format!("the parameter `{name}`: {error}")))
}

/// A part of a query string, as forms write it.
fn decode(text: &str) -> Result<Cow<'_, str>, Refusal> {
    let invalid = || bad_request("the query string is not UTF-8");
    if text.contains('+') {
        let text = text.replace('+', " ");
        let text = percent_decode(text.as_bytes()).decode_utf8();
        return Ok(Cow::Owned(text.map_err(|_| invalid())?.into_owned()));
    }
    percent_decode(text.as_bytes())
        .decode_utf8()
        .map_err(|_| invalid())
}

fn no_json(error: &serde_json::Error) -> Refusal {
    bad_request(format!("the body is no GraphQL request: {error}"))
}

fn bad_request(message: impl Into<String>) -> Refusal {
    // It may have a value of the client's in it.
    let mut message = message.into();
    clip(&mut message);
    Refusal::new(StatusCode::BAD_REQUEST, message)
}
