//! Dates and times as PostgreSQL writes them in JSON: the fraction of a second without trailing
//! zeros, and the zone as `+00:00`. What the crates for dates have in common.
//!
//! A year outside of 1 to 9999 is an error, as it is in SQL. PostgreSQL counts microseconds; a
//! value that was made in Rust with nanoseconds is written with them.

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
            "the year {year} has no form in JSON, where years are 0001 to 9999"
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

/// `2026-01-31T12:00:00.5+00:00`, of an instant's day and clock in UTC.
pub(super) fn instant<S: Serializer>(
    (day, clock): (Day, Clock),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    day.check::<S::Error>()?;
    serializer.collect_str(&format_args!("{day}T{clock}+00:00"))
}

/// Reads a string with `parse`, and says what was expected when that fails.
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

/// Implements `Scalar` for the types of a crate: each with its form in SQL, how it is written,
/// and how it is read.
macro_rules! iso {
    ($($ty:ty => $sql:literal, $form:expr, $graphql:literal, $expected:literal,
        $write:ident(|$value:ident| $parts:expr), $parse:expr;)*) => {$(
        impl $crate::schema::scalar::Scalar for $ty {
            const TYPE: $crate::schema::scalar::ScalarType =
                $crate::schema::scalar::ScalarType::new($sql, $form, $graphql);

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
