//! The encodings of PostgreSQL values in a JSON document.

use super::enums::Enum;

/// How SQL encodes a value as JSON, and which values it rejects.
///
/// A rejected value makes its document invalid: it is reported, and never written as something
/// else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonEncoding {
    /// PostgreSQL's own encoding, for every value of the type.
    Native,
    /// PostgreSQL's own encoding, in a session that prints floats exactly. `NaN` and infinities
    /// are rejected.
    Float,
    /// A string with every digit. `NaN`, infinities, and values with more digits than the Rust
    /// type holds are rejected.
    Decimal,
    /// PostgreSQL's own encoding, in a session whose time zone is UTC. Instants before year 1 and
    /// after `last` are rejected.
    Timestamptz {
        /// The last instant that the Rust type can hold, in ISO 8601.
        last: &'static str,
    },
    /// PostgreSQL's own encoding. Years outside of 1 to 9999 are rejected.
    Timestamp,
    /// PostgreSQL's own encoding. Years outside of 1 to 9999 are rejected.
    Date,
    /// PostgreSQL's own encoding. `24:00` is rejected.
    Time,
    /// The JSON name of the variant that the label belongs to. Labels of no variant are rejected.
    Enum(&'static Enum),
}

/// The last microsecond of the year 9999: ISO 8601 has four digits for the year.
#[cfg(any(feature = "chrono", feature = "time"))]
pub(super) const LAST_INSTANT: &str = "9999-12-31T23:59:59.999999Z";
