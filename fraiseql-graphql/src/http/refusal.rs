//! Refusals of a request: a status and one error, without execution.

use std::borrow::Cow;

use async_graphql::{ErrorExtensions as _, Response};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::error::error;

/// The reason why a request is refused without being executed: a status, and an error in the form
/// of GraphQL.
///
/// A hook of [`GraphQl::with_data`](crate::http::GraphQl::with_data) returns it as its error. A resolver may
/// return it, too: then it is the error of the field, with its message and its code, so that one
/// conversion of an application's errors is enough for both.
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
///
/// ```
/// use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
/// use axum::http::StatusCode;
/// use fraiseql_graphql::http::Refusal;
///
/// struct Query;
///
/// #[Object]
/// impl Query {
///     async fn salary(&self) -> Result<Option<i32>, Refusal> {
///         Err(Refusal::new(StatusCode::FORBIDDEN, "only an admin may see it"))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), serde_json::Error> {
/// let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
/// let response = schema.execute("{ salary }").await;
/// let error = serde_json::to_value(&response.errors[0])?;
/// assert_eq!(error["message"], "only an admin may see it");
/// assert_eq!(error["extensions"]["code"], "FORBIDDEN");
/// # Ok(()) }
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

    /// The headers that are added to the response.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The message of the error.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
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

/// The error of a field. Status and headers are those of the response, which has other fields, too: they
/// are left out.
impl From<Refusal> for async_graphql::Error {
    fn from(refusal: Refusal) -> Self {
        let RefusalParts { message, code, .. } = *refusal.0;
        Self::new(message).extend_with(|_, extensions| extensions.set("code", &*code))
    }
}
