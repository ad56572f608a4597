//! Traces of single statements, behind the feature `tracing`.
#![cfg_attr(not(feature = "tracing"), allow(unused_variables))]

/// The target of all spans and events.
#[cfg(feature = "tracing")]
pub(crate) const TARGET: &str = "fraiseql::sync";

/// Logs that a feed of documents could not look for changes. It tries again.
pub(crate) fn feed_error(error: &crate::error::Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: TARGET, %error, "the feed of documents cannot look for changes");
}

/// Logs that a sink could not be brought up to date. It is tried again.
pub(crate) fn sink_error(error: &crate::error::Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: TARGET, %error, "a sink cannot be brought up to date");
}

/// Traces a statement that is about to be sent.
pub(crate) fn statement(sql: &str) {
    #[cfg(feature = "tracing")]
    tracing::trace!(target: TARGET, sql, "statement");
}
