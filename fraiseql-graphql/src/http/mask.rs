//! Hides internal errors from clients, and reports them to the application.

use std::any::Any;
use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, ServerError};
use uuid::Uuid;

use crate::http::internal_error::InternalError;
use crate::http::settings::Settings;

/// Hides the internal errors among `errors`: those with a source.
///
/// `async_graphql::Error::new("..")` has none: it is made for clients. An error that `?` converts
/// from another one has that as its source, and its message may be the database's.
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

/// Reports an error to the log and to the callback of the application. Returns its new id.
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
    if let Some(callback) = &settings.on_internal_error {
        callback(&internal);
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

/// Converts the payload of a panic to an internal error.
pub(super) fn panicked(payload: &(dyn Any + Send)) -> ServerError {
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let mut error = ServerError::new(format!("panicked: {message}"), None);
    // Any source makes it an internal error.
    error.source = Some(Arc::new("a panic"));
    error
}
