//! chrono's types, in the form that PostgreSQL gives them in JSON: the fraction of a second
//! without trailing zeros, and the zone as `+00:00`.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

use super::{Form, Scalar, ScalarType};

/// `12:00:00`, `12:00:00.5`, `12:00:00.123456`.
struct Clock(NaiveTime);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0;
        write!(
            f,
            "{:02}:{:02}:{:02}",
            time.hour(),
            time.minute(),
            time.second()
        )?;
        let nanos = time.nanosecond() % 1_000_000_000;
        if nanos == 0 {
            return Ok(());
        }
        let digits = format!("{nanos:09}");
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

/// Reads a string with `parse`, and says what was expected when that fails.
fn parse_str<'de, D, T>(
    from: D,
    expected: &'static str,
    parse: fn(&str) -> Option<T>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    struct Parse<T>(&'static str, fn(&str) -> Option<T>);

    impl<T> Visitor<'_> for Parse<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            (self.1)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
        }
    }

    from.deserialize_str(Parse(expected, parse))
}

macro_rules! chrono {
    ($($ty:ty => $sql:literal, $form:expr, $graphql:literal, $expected:literal,
        |$value:ident| $write:expr, $parse:expr;)*) => {$(
        impl Scalar for $ty {
            const TYPE: ScalarType = ScalarType::new($sql, $form, $graphql);

            fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $value = self;
                serializer.collect_str(&$write)
            }

            fn deserialize_json<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                parse_str(from, $expected, $parse)
            }
        }
    )*};
}

chrono! {
    DateTime<Utc> => "timestamptz", Form::Timestamptz, "DateTime", "a time in RFC 3339",
        |at| format_args!("{}T{}+00:00", at.date_naive(), Clock(at.time())),
        |text| Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc());
    NaiveDateTime => "timestamp", Form::Timestamp, "NaiveDateTime", "a date and time in ISO 8601",
        |at| format_args!("{}T{}", at.date(), Clock(at.time())),
        |text| text.parse().ok();
    NaiveDate => "date", Form::Date, "Date", "a date in ISO 8601",
        |date| date,
        |text| text.parse().ok();
    NaiveTime => "time", Form::Time, "Time", "a time of day in ISO 8601",
        |time| Clock(*time),
        |text| text.parse().ok();
}
