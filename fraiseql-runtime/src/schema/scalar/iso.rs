//! The JSON encoding of dates and times, for `chrono`, `time` and `jiff`.
//!
//! It is that of PostgreSQL: the fraction of a second has no trailing zeros, and the zone is
//! `+00:00`. A year outside of 1 to 9999 is an error, as it is in SQL. PostgreSQL has
//! microseconds; a value with nanoseconds that was made in Rust is written with nine digits.

use std::fmt;

use serde::de::{Unexpected, Visitor};
use serde::{Deserializer, Serializer};

/// A calendar day.
#[derive(Clone, Copy)]
pub(super) struct Day {
    pub(super) year: i32,
    pub(super) month: u8,
    pub(super) day: u8,
}

/// A time of day.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    pub(super) nanos: u32,
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)?;
        if self.nanos == 0 {
            return Ok(());
        }
        let digits = format!("{:09}", self.nanos);
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

impl Day {
    fn check<E: serde::ser::Error>(self) -> Result<(), E> {
        if (1..=9999).contains(&self.year) {
            return Ok(());
        }
        let year = self.year;
        Err(E::custom(format_args!(
            "the year {year} has no JSON encoding: years are 0001 to 9999"
        )))
    }
}

/// `2026-01-31`.
pub(super) fn date<S: Serializer>(day: Day, serializer: S) -> Result<S::Ok, S::Error> {
    day.check::<S::Error>()?;
    serializer.collect_str(&day)
}

/// `12:00:00.5`.
pub(super) fn time<S: Serializer>(clock: Clock, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&clock)
}

/// `2026-01-31T12:00:00.5`.
pub(super) fn local<S: Serializer>(
    (day, clock): (Day, Clock),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    day.check::<S::Error>()?;
    serializer.collect_str(&format_args!("{day}T{clock}"))
}

/// `2026-01-31T12:00:00.5+00:00`, from the day and time of an instant in UTC.
pub(super) fn instant<S: Serializer>(
    (day, clock): (Day, Clock),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    day.check::<S::Error>()?;
    serializer.collect_str(&format_args!("{day}T{clock}+00:00"))
}

/// Parses a string with `parse`. If that fails, the error names what was expected.
pub(super) fn parse_str<'de, D, T>(
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

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            (self.1)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
        }
    }

    from.deserialize_str(Parse(expected, parse))
}

/// Implements `Scalar` for date and time types: SQL type, JSON encoding, GraphQL type, what a
/// parse error expects, how to serialize and how to parse a value.
macro_rules! iso {
    ($($ty:ty => $sql:literal, $encoding:expr, $graphql:literal, $expected:literal,
        $write:ident(|$value:ident| $parts:expr), $parse:expr;)*) => {$(
        impl $crate::schema::scalar::Scalar for $ty {
            const TYPE: $crate::schema::scalar::ScalarType =
                $crate::schema::scalar::ScalarType::new($sql, $encoding, $graphql);

            fn serialize_json<S: serde::Serializer>(
                &self,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let $value = self;
                $crate::schema::scalar::iso::$write($parts, serializer)
            }

            fn deserialize_json<'de, D: serde::Deserializer<'de>>(
                from: D,
            ) -> Result<Self, D::Error> {
                $crate::schema::scalar::iso::parse_str(from, $expected, $parse)
            }
        }
    )*};
}

pub(super) use iso;
