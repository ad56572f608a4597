//! What is sent back.

use async_graphql::{Response as Outcome, ServerError};
use axum::body::Body;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::http::accept::Format;
use crate::http::refusal::Refusal;
use crate::response::{is_request_error, write_response};

/// An answer, before it is bytes.
pub(super) enum Answer {
    One(Box<Outcome>),
    Batch(Vec<Outcome>),
    /// Documents, as they are to be sent.
    Written(Vec<u8>),
    /// It broke off: nothing is known of what was executed.
    Failed(Vec<ServerError>),
}

/// A validator can find a fault in each token.
const MOST_ERRORS: usize = 100;

pub(super) fn write(answer: Result<Answer, Refusal>, format: Format) -> Response<Body> {
    match answer {
        Ok(Answer::One(mut outcome)) => {
            let mut status = StatusCode::OK;
            if is_request_error(&outcome) {
                outcome.errors.truncate(MOST_ERRORS);
                // A client of `application/json` takes any other status for one of a proxy.
                if format == Format::Response {
                    status = StatusCode::BAD_REQUEST;
                }
            }
            let mut body = Vec::new();
            write_response(&outcome, &mut body);
            let mut headers = outcome.http_headers;
            if outcome.errors.is_empty()
                && let Some(cache) = outcome.cache_control.value()
                && let Ok(cache) = HeaderValue::from_str(&cache)
            {
                headers.entry(CACHE_CONTROL).or_insert(cache);
            }
            respond(status, format, body, headers)
        }
        Ok(Answer::Batch(outcomes)) => {
            let mut body = vec![b'['];
            let mut headers = HeaderMap::new();
            for (position, mut outcome) in outcomes.into_iter().enumerate() {
                if position > 0 {
                    body.push(b',');
                }
                if is_request_error(&outcome) {
                    outcome.errors.truncate(MOST_ERRORS);
                }
                write_response(&outcome, &mut body);
                headers.extend(outcome.http_headers);
            }
            body.push(b']');
            respond(StatusCode::OK, format, body, headers)
        }
        Ok(Answer::Written(body)) => respond(StatusCode::OK, format, body, HeaderMap::new()),
        Ok(Answer::Failed(errors)) => {
            let mut body = Vec::new();
            write_response(&Outcome::from_errors(errors), &mut body);
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            respond(status, format, body, HeaderMap::new())
        }
        Err(refusal) => {
            let mut body = Vec::new();
            write_response(&refusal.response(), &mut body);
            let headers = refusal.headers().clone();
            respond(refusal.status(), format, body, headers)
        }
    }
}

/// The headers are those that resolvers have set; what this answer is they cannot say.
fn respond(
    status: StatusCode,
    format: Format,
    body: Vec<u8>,
    mut headers: HeaderMap,
) -> Response<Body> {
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    let content_type = HeaderValue::from_static(format.content_type());
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The same URL has another answer for those who accept another.
    headers.append(VARY, HeaderValue::from_static("accept"));
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// What there is to be asked with.
pub(super) fn options(methods: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, methods);
    response
}
