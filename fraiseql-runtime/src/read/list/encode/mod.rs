//! Parameters in PostgreSQL's binary format: checked and encoded before the statement is sent.
//!
//! sqlx sends every parameter in the binary format. It encodes dates, times and `numeric` only as
//! types of chrono, time, jiff and rust_decimal, which are optional features; and a `Decimal` has
//! 28 digits at most. A list only knows the SQL type of a field and a JSON value, so the encoding
//! is done here. It is one line for most types; [`numeric`], [`calendar`] and arrays need more.
//!
//! Sending text would be simpler: `$1::timestamptz` also casts a parameter that is declared as
//! `text`. It is not done, for two reasons:
//!
//! - PostgreSQL evaluates a cast once per statement only where it can fold it into a constant:
//!   never in a generic plan, and not for dates and times, because their casts from text are not
//!   immutable. A condition that is not an index condition then parses the text for each row.
//!   `= ANY ($1::timestamptz[])` with 100 values on 100,000 rows took 1,570 ms as text; in the
//!   binary format it took 11 ms in a custom plan and 87 ms in a generic one (PostgreSQL 15).
//! - A cursor holds values in the binary format, as the server returned them. Sending them back
//!   unchanged is exact, and independent of the session's settings; for text they would have to be
//!   decoded here.

mod binary_value;
mod calendar;
mod field_value;
mod numeric;
mod value_type;

pub(in crate::read) use binary_value::BinaryValue;
pub(super) use field_value::{
    cursor_value, element_list, is_null_flag, json_path, jsonb, list_of, mismatch, pattern, value,
    without_json, words,
};
pub(super) use value_type::ValueType;
