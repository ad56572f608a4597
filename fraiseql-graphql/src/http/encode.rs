//! HTTP responses from the results of requests.

use std::sync::Arc;

use async_graphql::{CacheControl, Response as GraphQlResponse, ServerError};
use axum::body::{Body, Bytes};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use fraiseql_runtime::read::ETag;

use crate::budget::Budget;
use crate::error::MAX_REQUEST_ERRORS;
use crate::http::accept::Format;
use crate::http::refusal::Refusal;
use crate::http::{etag, position};
use crate::request::direct::answer::DirectAnswer;
use crate::request::direct::tag::Conditional;
use crate::request::position::HEADER;
use crate::response::{into_bytes, is_request_error, write_response, write_response_within};

/// The result of a request over HTTP that was not refused.
pub(super) enum Outcome {
    Single(Box<GraphQlResponse>),
    Batch(Vec<GraphQlResponse>),
    Direct(DirectAnswer),
    /// Execution panicked. What it has done before is unknown.
    Panicked(Vec<ServerError>),
    /// A stream of events.
    Stream(Response<Body>),
}

/// What a response may have beside the bytes that its fields have been counted with: keys of root
/// fields, errors, extensions.
const ENVELOPE_BYTES: usize = 64 * 1024;
/// What is reserved for that.
const RESERVED_ENVELOPE: usize = 256;

/// The response to a request. `conditional` is what the client has, if responses have tags.
pub(super) fn encode(
    result: Result<Outcome, Refusal>,
    format: Format,
    budget: Arc<Budget>,
    conditional: Option<&Conditional>,
) -> Response<Body> {
    // The documents of the request have been written, and are dropped.
    budget.keep(budget.written());
    match result {
        Ok(Outcome::Single(response)) => encode_single(*response, format, budget, conditional),
        Ok(Outcome::Batch(responses)) => encode_batch(responses, format, budget),
        Ok(Outcome::Direct(answer)) => encode_direct(answer, format, budget, conditional),
        Ok(Outcome::Panicked(errors)) => failed(errors, format),
        Ok(Outcome::Stream(response)) => response,
        Err(refusal) => refuse(&refusal, format),
    }
}

/// The response to a request that is refused.
pub(super) fn refuse(refusal: &Refusal, format: Format) -> Response<Body> {
    let mut body = Vec::new();
    write_response(&refusal.response(), &mut body);
    let headers = refusal.headers().clone();
    with_headers(refusal.status(), format, body.into(), headers)
}

/// A response of errors only, to a request that may have been executed.
fn failed(errors: Vec<ServerError>, format: Format) -> Response<Body> {
    let mut body = Vec::new();
    write_response(&GraphQlResponse::from_errors(errors), &mut body);
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    with_headers(status, format, body.into(), HeaderMap::new())
}

fn encode_direct(
    answer: DirectAnswer,
    format: Format,
    budget: Arc<Budget>,
    conditional: Option<&Conditional>,
) -> Response<Body> {
    let mut headers = HeaderMap::new();
    allow_caching(&mut headers, answer.cache);
    match (answer.body, answer.tag) {
        (Some(body), tag) => success(format, body, headers, budget, conditional, tag),
        (None, tag) => {
            if let Some(tag) = tag {
                etag::insert(&mut headers, &tag);
            }
            let empty = with_headers(StatusCode::OK, format, Body::empty(), headers);
            etag::not_modified(empty)
        }
    }
}

fn encode_single(
    mut response: GraphQlResponse,
    format: Format,
    budget: Arc<Budget>,
    conditional: Option<&Conditional>,
) -> Response<Body> {
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
    if !write_within(&response, &mut body, &budget) {
        return failed(vec![budget.request_error()], format);
    }
    let mut headers = response.http_headers;
    drop(response.data);
    // An error must not be cached.
    if !response.errors.is_empty() {
        return held(status, format, into_bytes(body), headers, budget);
    }
    allow_caching(&mut headers, response.cache_control);
    success(format, into_bytes(body), headers, budget, conditional, None)
}

/// A response without errors. `tag` is the tag of its documents, if they have one; otherwise it is made of the body.
fn success(
    format: Format,
    body: Bytes,
    mut headers: HeaderMap,
    budget: Arc<Budget>,
    conditional: Option<&Conditional>,
    tag: Option<ETag>,
) -> Response<Body> {
    let conditional = conditional.filter(|_| etag::is_taggable(&headers));
    let Some(Conditional {
        held: of_client, ..
    }) = conditional
    else {
        return held(StatusCode::OK, format, body, headers, budget);
    };
    let tag = tag.unwrap_or_else(|| etag::of_body(&body, format));
    etag::insert(&mut headers, &tag);
    let response = held(StatusCode::OK, format, body, headers, budget);
    // There may be no room for the body.
    match response.status().is_success() && of_client.matches(&tag) {
        true => etag::not_modified(response),
        false => response,
    }
}

/// Says how long a response may be cached. A header that a resolver has set takes precedence.
fn allow_caching(headers: &mut HeaderMap, cache: CacheControl) {
    if let Some(value) = cache.value()
        && let Ok(value) = HeaderValue::from_str(&value)
    {
        headers.entry(CACHE_CONTROL).or_insert(value);
        // A client that has to see what it has changed is not given an older response.
        headers.append(VARY, HeaderValue::from_static(HEADER));
    }
}

fn encode_batch(
    responses: Vec<GraphQlResponse>,
    format: Format,
    budget: Arc<Budget>,
) -> Response<Body> {
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
        if !write_within(&response, &mut body, &budget) {
            let error = GraphQlResponse::from_errors(vec![budget.request_error()]);
            write_response(&error, &mut body);
        }
        position::extend(&mut headers, response.http_headers);
    }
    body.push(b']');
    held(StatusCode::OK, format, into_bytes(body), headers, budget)
}

/// Appends a response, if the body stays within the budget. Otherwise nothing is appended, and the
/// budget has the error.
fn write_within(response: &GraphQlResponse, body: &mut Vec<u8>, budget: &Budget) -> bool {
    // The body is a copy of values that were counted when they were written. After a refusal, most
    // of them have been discarded.
    let counted = budget.written();
    if body.capacity() < counted && !budget.has_refused() {
        if !budget.hold(counted) {
            return false;
        }
        body.reserve_exact(counted + RESERVED_ENVELOPE);
    }
    let max = budget.max_bytes().saturating_add(ENVELOPE_BYTES);
    let is_within = write_response_within(response, body, max.saturating_sub(body.len()));
    if !is_within {
        budget.refuse();
    }
    is_within
}

/// A response whose body the endpoint counts until it has been sent: until its memory is freed.
fn held(
    status: StatusCode,
    format: Format,
    body: Bytes,
    headers: HeaderMap,
    budget: Arc<Budget>,
) -> Response<Body> {
    if !budget.settle(body.len()) {
        return failed(vec![budget.request_error()], format);
    }
    let body = Bytes::from_owner(HeldBytes {
        bytes: body,
        _budget: budget,
    });
    with_headers(status, format, body.into(), headers)
}

struct HeldBytes {
    bytes: Bytes,
    _budget: Arc<Budget>,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Adds the headers of the endpoint to those that resolvers have set. Resolvers cannot override
/// what describes the body.
fn with_headers(
    status: StatusCode,
    format: Format,
    body: Body,
    mut headers: HeaderMap,
) -> Response<Body> {
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    let content_type = HeaderValue::from_static(format.content_type());
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The response depends on what the client accepts, which caches have to know.
    headers.append(VARY, HeaderValue::from_static("accept"));
    let mut response = Response::new(body);
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
