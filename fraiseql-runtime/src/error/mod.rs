//! Errors of all operations, with what to do about them.
//!
//! `variants` has the error type, `operation` what was being done when the database returned an
//! error, `hint` the advice in the message. `classify` tells errors apart, by the codes of
//! PostgreSQL in `sqlstate`. `invalid_document` and `check_report` are here because errors contain
//! them.

pub(crate) mod check_report;
mod classify;
mod hint;
pub(crate) mod invalid_document;
mod operation;
pub(crate) mod sqlstate;
mod variants;

pub use self::invalid_document::InvalidDocument;
pub use self::operation::Operation;
pub(crate) use self::variants::PARTITION_BOUNDS_REMEDY;
pub use self::variants::{Error, Result};
