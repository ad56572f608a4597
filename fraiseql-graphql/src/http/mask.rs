//! What clients are not told.

use std::any::Any;
use std::error::Error as StdError;
use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, ServerError};
use uuid::Uuid;

use crate::http::settings::Settings;

/// An error of which the client was told nothing but a number.
#[derive(Debug)]
#[non_exhaustive]
pub struct InternalError<'a> {
    /// What the client was told, in `extensions.id`.
    pub id: Uuid,
    /// The error: its message, its path, and with
    /// [`source`](async_graphql::ServerError::source) what it was made of.
    pub error: &'a ServerError,
}

impl InternalError<'_> {
    /// The message, and those of the causes of it that are known: of errors of this crate, of
    /// sqlx, serde_json and the standard library, and of a `Box<dyn Error + Send + Sync>`.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.error.message.clone();
        let source = self.error.source.as_deref();
        let mut cause = source.and_then(known).and_then(StdError::source);
        while let Some(error) = cause {
            let message = error.to_string();
            // Many say what their cause is themselves.
            if !text.contains(&message) {
                text.push_str(": ");
                text.push_str(&message);
            }
            cause = error.source();
        }
        text
    }
}

/// An error behind `Any`, if it is of a type that is known here.
fn known(any: &(dyn Any + Send + Sync)) -> Option<&(dyn StdError + 'static)> {
    fn of<T: StdError + 'static>(
        any: &(dyn Any + Send + Sync),
    ) -> Option<&(dyn StdError + 'static)> {
        if let Some(error) = any.downcast_ref::<T>() {
            return Some(error);
        }
        let shared = any.downcast_ref::<Arc<T>>()?;
        Some(&**shared)
    }
    let boxed = || {
        let error = any.downcast_ref::<Box<dyn StdError + Send + Sync>>()?;
        Some(&**error as &(dyn StdError + 'static))
    };
    of::<fraiseql_runtime::Error>(any)
        .or_else(|| of::<sqlx::Error>(any))
        .or_else(|| of::<serde_json::Error>(any))
        .or_else(|| of::<std::io::Error>(any))
        .or_else(boxed)
}

/// Hides the errors that were not made for clients.
///
/// `async_graphql::Error::new("..")` was. What `?` made of another error was not: it has that
/// error as its source, and its message may be the database's.
pub(super) fn mask(errors: &mut [ServerError], settings: &Settings) {
    for error in errors.iter_mut().filter(|error| error.source.is_some()) {
        let id = report(error, settings);
        let mut extensions = ErrorExtensionValues::default();
        if settings.expose_errors {
            extensions = error.extensions.take().unwrap_or_default();
        } else {
            "internal error".clone_into(&mut error.message);
        }
        extensions.set("code", "INTERNAL");
        extensions.set("id", id.to_string());
        error.extensions = Some(extensions);
        error.source = None;
    }
}

/// Tells the log and the application of an error.
fn report(error: &ServerError, settings: &Settings) -> Uuid {
    let internal = InternalError {
        id: Uuid::new_v4(),
        error,
    };
    #[cfg(feature = "tracing")]
    {
        let path: Vec<String> = error.path.iter().map(segment).collect();
        tracing::error!(
            target: "fraiseql::http",
            id = %internal.id,
            path = path.join("."),
            error = internal.chain(),
            "an error was hidden from a client"
        );
    }
    if let Some(tell) = &settings.on_internal_error {
        tell(&internal);
    }
    internal.id
}

#[cfg(feature = "tracing")]
fn segment(segment: &async_graphql::PathSegment) -> String {
    match segment {
        async_graphql::PathSegment::Field(name) => name.clone(),
        async_graphql::PathSegment::Index(index) => index.to_string(),
    }
}

/// What a panic said, as an error to be hidden.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> ServerError {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let mut error = ServerError::new(format!("panicked: {said}"), None);
    error.source = Some(Arc::new("a panic"));
    error
}
