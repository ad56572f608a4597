//! Every row of the type map, both ways: SQL writes and serde reads, serde writes the same JSON.
//! As key, column, promoted column, element of an array, in a part, in a list and as an
//! aggregate; as `jsonb` and as `json`; in a session with odd settings.

mod dates;
mod foreign;
mod keys;
mod names;
mod numbers;
mod row;
mod texts;
