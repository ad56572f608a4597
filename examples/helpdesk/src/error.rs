//! Errors of requests: a problem in REST (RFC 9457), an error with a code in GraphQL.

use axum::body::to_bytes;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use fraiseql_graphql::http::Refusal;
use fraiseql_runtime::list::ListError;
use serde_json::json;
use sqlx::error::ErrorKind;

/// Why a request is not answered. A command that fails has changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is wrong, or not allowed: the status that says so, and a text for the client.
    #[error("{1}")]
    Refused(StatusCode, String),
    /// A document cannot be read or written.
    #[error(transparent)]
    ReadModel(#[from] fraiseql_runtime::Error),
    /// A statement has failed.
    #[error(transparent)]
    Database(sqlx::Error),
}

/// The media type of a problem.
const PROBLEM: &str = "application/problem+json";

/// The result of a request or a command.
pub type Result<T> = std::result::Result<T, Error>;

/// The constraints of the tables are rules, too. A row of another organization cannot be referred to,
/// and so is as one that does not exist.
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let text = match error.as_database_error().map(|error| error.kind()) {
            Some(ErrorKind::ForeignKeyViolation) => "it refers to something that does not exist",
            Some(ErrorKind::CheckViolation) => "a text is empty",
            _ => return Self::Database(error),
        };
        Self::Refused(StatusCode::UNPROCESSABLE_ENTITY, text.to_owned())
    }
}

impl From<ListError> for Error {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Read(error) => Self::ReadModel(error),
            mistake => Self::Refused(StatusCode::UNPROCESSABLE_ENTITY, mistake.to_string()),
        }
    }
}

/// What a client is told, by GraphQL as it is. What is not for clients is logged.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(StatusCode::UNAUTHORIZED, text) => {
                Self::new(StatusCode::UNAUTHORIZED, text)
                    .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            Error::Refused(status, text) => Self::new(status, text),
            internal => {
                tracing::error!(error = ?internal, "a request has failed");
                Self::from(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let refusal = Refusal::from(self);
        let (status, detail) = (refusal.status(), refusal.message());
        let title = status.canonical_reason();
        let problem = json!({"status": status.as_u16(), "title": title, "detail": detail});
        let mut headers = refusal.headers().clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        (status, headers, problem.to_string()).into_response()
    }
}

/// What axum refuses, such as a body that is no JSON, as a problem as well.
pub async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let is_problem = |media_type| media_type == PROBLEM;
    if !status.is_client_error() || response.headers().get(CONTENT_TYPE).is_some_and(is_problem) {
        return response;
    }
    let text = to_bytes(response.into_body(), 4_096).await;
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
    Error::Refused(status, text).into_response()
}
