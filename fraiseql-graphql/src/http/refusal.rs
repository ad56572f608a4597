//! Refusals of a request: a status and one error, without execution.

use std::borrow::Cow;

use async_graphql::Response;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::error::error;

/// The reason why a request is refused without being executed: a status, and an error in the form
/// of GraphQL.
///
/// A hook of [`GraphQl::with_data`](crate::http::GraphQl::with_data) returns it as its error.
///
/// ```
/// use axum::http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE};
/// use fraiseql_graphql::http::Refusal;
///
/// let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "the token has expired")
///     .code("TOKEN_EXPIRED")
///     .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
/// assert_eq!(refusal.status(), 401);
///
/// // {"errors":[{"message":"Forbidden","extensions":{"code":"FORBIDDEN"}}]}
/// let refusal = Refusal::from(StatusCode::FORBIDDEN);
/// assert_eq!(refusal.message(), "Forbidden");
/// ```
#[derive(Clone, Debug)]
pub struct Refusal(Box<RefusalParts>);

#[derive(Clone, Debug)]
struct RefusalParts {
    status: StatusCode,
    message: Cow<'static, str>,
    code: Cow<'static, str>,
    headers: HeaderMap,
}

impl Refusal {
    /// Creates a refusal with a message for the client.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        let reason = status.canonical_reason().unwrap_or("REFUSED");
        let code = reason.to_ascii_uppercase().replace([' ', '-'], "_");
        Self(Box::new(RefusalParts {
            status,
            message: message.into(),
            code: Cow::Owned(code.replace('\'', "")),
            headers: HeaderMap::new(),
        }))
    }

    /// Sets `extensions.code` of the error. By default it is the name of the status, such as
    /// `UNAUTHORIZED`.
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = code.into();
        self
    }

    /// Adds a header to the response.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.append(name, value);
        self
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The message of the error.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The body: one error, and no `data`.
    pub(super) fn response(&self) -> Response {
        Response::from_errors(vec![error(&*self.0.message, &self.0.code)])
    }
}

/// A refusal whose message is the reason phrase of the status.
impl From<StatusCode> for Refusal {
    fn from(status: StatusCode) -> Self {
        Self::new(status, status.canonical_reason().unwrap_or("refused"))
    }
}
