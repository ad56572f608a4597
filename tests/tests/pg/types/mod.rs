//! Tests every type of the type map in both directions: SQL writes it, serde reads it and writes
//! the same.
//!
//! As key, column, promoted column, element of an array, in a part, in a list and as an aggregate;
//! as `jsonb` and as `json`; in a session with unusual settings.

mod bytes;
mod dates;
mod foreign;
mod json;
mod keys;
mod names;
mod numbers;
mod row;
mod texts;
