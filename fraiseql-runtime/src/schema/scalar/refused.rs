//! Types that look like fields and cannot be: each with what to write instead, which the
//! derives report at the field.
//!
//! They implement `Scalar` for that alone, so that an alias, a `Vec` or an `Option` of them is
//! one short message too. What can be told by its spelling, such as `u64`, the derives refuse
//! before.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::{Range, RangeInclusive};
use std::time::{Duration, SystemTime};

use serde::{Deserializer, Serializer};
use sqlx::postgres::types::{PgInterval, PgMoney, PgRange};

use super::{Form, Scalar, ScalarType};

macro_rules! refused {
    ($([$($parameters:tt)*] $ty:ty => $instead:expr;)*) => {$(
        #[doc(hidden)]
        impl<$($parameters)*> Scalar for $ty {
            const TYPE: ScalarType = ScalarType::new("text", Form::Native, "String");
            const FLAW: Option<&'static str> = Some($instead);

            fn serialize_json<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom($instead))
            }

            fn deserialize_json<'de, D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                Err(serde::de::Error::custom($instead))
            }
        }
    )*};
}

const INT2: &str = "8 bits are no type in PostgreSQL: write `i16`, for a column of type int2; \
                    bytes are a `String` with `expr = \"encode({}.column, 'base64')\"`";
const INT4: &str = "`u16` is no type in PostgreSQL: write `i32`, for a column of type int4";
const INT8: &str = "this is no type in PostgreSQL: write `i64`, for a column of type int8";
const NUMERIC: &str = "128 bits are no type in PostgreSQL: write `rust_decimal::Decimal`, for a \
                       column of type numeric";
const CHAR: &str = "`char` is no type in PostgreSQL: write `String`, for char(1) or text";
const OWNED: &str = "a field is read from a document: write `String` for `Cow<str>` and \
                     `Box<str>`, `Vec<T>` for other `Cow`s";
const MAP: &str = "a map is no type in PostgreSQL: write `serde_json::Value`, for a column of \
                   type jsonb";
const SET: &str = "an array in PostgreSQL is a `Vec<T>`";
const INTERVAL: &str = "an interval has no form in JSON that all of them fit: write an `f64` of \
                        seconds with `expr = \"extract(epoch from {}.column)\"`, or a `String` \
                        with `expr = \"{}.column::text\"`";
const RANGE: &str = "a range has no form in JSON: write a field for each end, with `expr = \
                     \"lower({}.column)\"` and `expr = \"upper({}.column)\"`";
const ADDRESS: &str = "an address is text in JSON: write `String`, which a column of type inet \
                       can be";
const MONEY: &str = "money is printed as the server's locale says: write `rust_decimal::Decimal` \
                     with `expr = \"{}.column::numeric\"`";
const CLOCK: &str = "an instant is a `chrono::DateTime<Utc>`, a `time::OffsetDateTime` or a \
                     `jiff::Timestamp`";

refused! {
    [] u8 => INT2;
    [] i8 => INT2;
    [] u16 => INT4;
    [] u32 => INT8;
    [] u64 => INT8;
    [] usize => INT8;
    [] isize => INT8;
    [] u128 => NUMERIC;
    [] i128 => NUMERIC;
    [] char => CHAR;
    [B: ?Sized + ToOwned] Cow<'_, B> => OWNED;
    [] Box<str> => OWNED;
    [K, V, H] HashMap<K, V, H> => MAP;
    [K, V] BTreeMap<K, V> => MAP;
    [T, H] HashSet<T, H> => SET;
    [T] BTreeSet<T> => SET;
    [T] VecDeque<T> => SET;
    [] Duration => INTERVAL;
    [] PgInterval => INTERVAL;
    [T] Range<T> => RANGE;
    [T] RangeInclusive<T> => RANGE;
    [T] PgRange<T> => RANGE;
    [] IpAddr => ADDRESS;
    [] Ipv4Addr => ADDRESS;
    [] Ipv6Addr => ADDRESS;
    [] PgMoney => MONEY;
    [] SystemTime => CLOCK;
}

#[cfg(feature = "chrono")]
refused! {
    [] chrono::TimeDelta => INTERVAL;
    [] chrono::DateTime<chrono::FixedOffset> => "a timestamptz is an instant and keeps no zone: \
        write `DateTime<Utc>`";
    [] chrono::DateTime<chrono::Local> => "a timestamptz is an instant and keeps no zone: write \
        `DateTime<Utc>`";
}

#[cfg(feature = "time")]
refused! {
    [] time::Duration => INTERVAL;
}

#[cfg(feature = "jiff")]
refused! {
    [] jiff::Span => INTERVAL;
    [] jiff::SignedDuration => INTERVAL;
    [] jiff::Zoned => "a timestamptz is an instant and keeps no zone: write `jiff::Timestamp`";
}
