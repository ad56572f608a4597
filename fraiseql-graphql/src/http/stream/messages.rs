//! The messages of `graphql-transport-ws`.

use async_graphql::Response;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::response::{is_request_error, write_response};

/// The name of the protocol.
pub(super) const PROTOCOL: &str = "graphql-transport-ws";

/// A message of the client.
#[derive(Debug)]
pub(super) enum ClientMessage<'a> {
    ConnectionInit { payload: serde_json::Value },
    Subscribe { id: String, payload: &'a RawValue },
    Complete { id: String },
    Ping { payload: Option<&'a RawValue> },
    Pong,
}

#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(rename = "type")]
    ty: String,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl<'a> ClientMessage<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn read(text: &'a str) -> Result<Self, String> {
        let parts: Parts<'a> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let id = || parts.id.clone().ok_or("`id` is missing");
        Ok(match parts.ty.as_str() {
            "connection_init" => Self::ConnectionInit {
                payload: match parts.payload {
                    Some(payload) => serde_json::from_str(payload.get()).unwrap_or_default(),
                    None => serde_json::Value::Null,
                },
            },
            "subscribe" => Self::Subscribe {
                id: id()?,
                payload: parts.payload.ok_or("`payload` is missing")?,
            },
            "complete" => Self::Complete { id: id()? },
            "ping" => Self::Ping {
                payload: parts.payload,
            },
            "pong" => Self::Pong,
            _ => return Err("`type` is not one of a client".to_owned()),
        })
    }
}

/// Why the server closes the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) code: u16,
    pub(super) reason: String,
}

impl Closed {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        // A control frame has at most 125 bytes.
        reason.truncate(reason.floor_char_boundary(120));
        Self { code, reason }
    }

    pub(super) fn bad_message(message: &str) -> Self {
        Self::new(4400, message)
    }

    pub(super) fn not_initialised() -> Self {
        Self::new(4401, "Unauthorized")
    }

    pub(super) fn forbidden(message: &str) -> Self {
        Self::new(4403, message)
    }

    pub(super) fn initialisation_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }

    pub(super) fn duplicate(id: &str) -> Self {
        Self::new(4409, format!("Subscriber for {id} already exists"))
    }

    pub(super) fn initialised_twice() -> Self {
        Self::new(4429, "Too many initialisation requests")
    }

    pub(super) fn too_many(most: usize) -> Self {
        Self::new(4429, format!("A connection has at most {most} operations"))
    }

    pub(super) fn shutdown() -> Self {
        Self::new(1001, "The server shuts down")
    }
}

pub(super) const ACK: &str = r#"{"type":"connection_ack"}"#;

/// The answer to a ping.
pub(super) fn pong(payload: Option<&RawValue>) -> String {
    match payload {
        Some(payload) => format!(r#"{{"type":"pong","payload":{}}}"#, payload.get()),
        None => r#"{"type":"pong"}"#.to_owned(),
    }
}

pub(super) fn complete(id: &str) -> String {
    format!(r#"{{"type":"complete","id":{}}}"#, quoted(id))
}

/// The message of a response, and whether it is the last one of its operation: one that could not be executed.
pub(super) fn next(id: &str, response: &Response) -> (String, bool) {
    let is_error = is_request_error(response);
    let ty = if is_error { "error" } else { "next" };
    let start = format!(r#"{{"type":"{ty}","id":{},"payload":"#, quoted(id));
    let mut message = start.into_bytes();
    let body = message.len();
    write_response(response, &mut message);
    if is_error {
        // `{"errors":[..]}`: the payload is the list. There are no extensions, or they are left out.
        let errors = serde_json::from_slice::<Errors<'_>>(&message[body..]);
        let errors = errors.map_or_else(|_| "[]".to_owned(), |it| it.errors.get().to_owned());
        message.truncate(body);
        message.extend_from_slice(errors.as_bytes());
    }
    message.push(b'}');
    // Responses are written from texts.
    (String::from_utf8(message).unwrap_or_default(), is_error)
}

#[derive(Deserialize)]
struct Errors<'a> {
    #[serde(borrow)]
    errors: &'a RawValue,
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use async_graphql::{ServerError, Value};

    use super::*;

    #[test]
    fn messages_of_clients_are_read() {
        for text in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":{"token":"x"}}"#,
            r#"{"id":"1","type":"subscribe","payload":{"query":"{ a }"}}"#,
            r#"{"type":"complete","id":"1"}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"ping","payload":{"a":1}}"#,
            r#"{"type":"pong","payload":null}"#,
        ] {
            assert!(ClientMessage::read(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":"start"}"#,
            r#"{"type":"subscribe","id":"1"}"#,
        ] {
            assert!(ClientMessage::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_operation_that_cannot_be_executed_is_an_error_and_its_last_message() {
        let data = Response::new(Value::from(7));
        assert_eq!(
            next("a\"b", &data),
            (
                r#"{"type":"next","id":"a\"b","payload":{"data":7}}"#.to_owned(),
                false
            )
        );
        let error = Response::from_errors(vec![ServerError::new("no", None)]);
        assert_eq!(
            next("1", &error),
            (
                r#"{"type":"error","id":"1","payload":[{"message":"no"}]}"#.to_owned(),
                true
            )
        );
    }

    #[test]
    fn a_reason_fits_into_a_frame() {
        let closed = Closed::forbidden(&"ä".repeat(100));
        assert_eq!(closed.reason.len(), 120);
    }
}
