//! Internal errors, as the application sees them.

use std::any::Any;
use std::error::Error as StdError;
use std::sync::Arc;

use async_graphql::ServerError;
use uuid::Uuid;

/// An error that is hidden from the client, which receives only its id.
#[derive(Debug)]
#[non_exhaustive]
pub struct InternalError<'a> {
    /// The id that the client receives in `extensions.id`.
    pub id: Uuid,
    /// The error: its message, its path, and with
    /// [`source`](async_graphql::ServerError::source) the error that it was made of.
    pub error: &'a ServerError,
}

impl InternalError<'_> {
    /// The message, followed by the messages of its causes. The causes are known for errors of
    /// fraiseql-runtime, sqlx, serde_json and `std::io`, and for a `Box<dyn Error + Send + Sync>`.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.error.message.clone();
        let source = self.error.source.as_deref();
        // The message is that of the source already: the chain goes on with the source's cause.
        let mut cause = source.and_then(known).and_then(StdError::source);
        while let Some(error) = cause {
            let message = error.to_string();
            // Many errors include the message of their cause.
            if !text.contains(&message) {
                text.push_str(": ");
                text.push_str(&message);
            }
            cause = error.source();
        }
        text
    }
}

/// Downcasts an error of a known type. async-graphql stores sources as `Any`.
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
