//! HTTP responses from the results of requests.

use async_graphql::{Response as GraphQlResponse, ServerError};
use axum::body::Body;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::error::MAX_REQUEST_ERRORS;
use crate::http::accept::Format;
use crate::http::refusal::Refusal;
use crate::response::{is_request_error, write_response};

/// The result of a request over HTTP that was not refused.
pub(super) enum Outcome {
    Single(Box<GraphQlResponse>),
    Batch(Vec<GraphQlResponse>),
    /// A direct answer: the whole body.
    Direct(Vec<u8>),
    /// Execution panicked. What it has done before is unknown.
    Panicked(Vec<ServerError>),
}

pub(super) fn encode(result: Result<Outcome, Refusal>, format: Format) -> Response<Body> {
    match result {
        Ok(Outcome::Single(response)) => encode_single(*response, format),
        Ok(Outcome::Batch(responses)) => encode_batch(responses, format),
        Ok(Outcome::Direct(body)) => with_headers(StatusCode::OK, format, body, HeaderMap::new()),
        Ok(Outcome::Panicked(errors)) => {
            let mut body = Vec::new();
            write_response(&GraphQlResponse::from_errors(errors), &mut body);
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            with_headers(status, format, body, HeaderMap::new())
        }
        Err(refusal) => {
            let mut body = Vec::new();
            write_response(&refusal.response(), &mut body);
            let headers = refusal.headers().clone();
            with_headers(refusal.status(), format, body, headers)
        }
    }
}

fn encode_single(mut response: GraphQlResponse, format: Format) -> Response<Body> {
    let mut status = StatusCode::OK;
    if is_request_error(&response) {
        response.errors.truncate(MAX_REQUEST_ERRORS);
        // With `application/json`, a client takes any status but 200 for that of a proxy, and does
        // not read the body.
        if format == Format::Response {
            status = StatusCode::BAD_REQUEST;
        }
    }
    let mut body = Vec::new();
    write_response(&response, &mut body);
    let mut headers = response.http_headers;
    // An error must not be cached. A header that a resolver has set takes precedence.
    if response.errors.is_empty()
        && let Some(cache) = response.cache_control.value()
        && let Ok(cache) = HeaderValue::from_str(&cache)
    {
        headers.entry(CACHE_CONTROL).or_insert(cache);
    }
    with_headers(status, format, body, headers)
}

fn encode_batch(responses: Vec<GraphQlResponse>, format: Format) -> Response<Body> {
    let mut body = vec![b'['];
    let mut headers = HeaderMap::new();
    for (position, mut response) in responses.into_iter().enumerate() {
        if position > 0 {
            body.push(b',');
        }
        // The status of a batch is 200, whatever the statuses of its requests.
        if is_request_error(&response) {
            response.errors.truncate(MAX_REQUEST_ERRORS);
        }
        write_response(&response, &mut body);
        headers.extend(response.http_headers);
    }
    body.push(b']');
    with_headers(StatusCode::OK, format, body, headers)
}

/// Adds the headers of the endpoint to those that resolvers have set. Resolvers cannot override
/// what describes the body.
fn with_headers(
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
    // The response depends on what the client accepts, which caches have to know.
    headers.append(VARY, HeaderValue::from_static("accept"));
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The response to OPTIONS.
pub(super) fn options(methods: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, methods);
    response
}
