//! Types that cannot be fields, each with a message that names the type to use instead.
//!
//! They implement `Scalar` only to carry that message, which the derives report at the field: so
//! an alias, a `Vec` or an `Option` of such a type is one short error too, and not a list of
//! missing trait implementations. The derives refuse types with a known name, such as `u64`,
//! before the compiler sees these implementations.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::{Range, RangeInclusive};
use std::time::{Duration, SystemTime};

use serde::{Deserializer, Serializer};
use sqlx::postgres::types::{PgInterval, PgMoney, PgRange};

use super::{JsonEncoding, Scalar, ScalarType};

macro_rules! unsupported {
    ($([$($parameters:tt)*] $ty:ty => $instead:expr;)*) => {$(
        #[doc(hidden)]
        impl<$($parameters)*> Scalar for $ty {
            const TYPE: ScalarType = ScalarType::new("text", JsonEncoding::Native, "String");
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

const INT2: &str = "PostgreSQL has no 8-bit integer type: write `i16` for a column of type int2; for \
                    bytes, write a `String` with `expr = \"replace(encode({}.column, 'base64'), \
                    chr(10), '')\"`, which has no line breaks";
const INT4: &str = "`u16` is not a PostgreSQL type: write `i32` for a column of type int4";
const INT8: &str = "PostgreSQL has no unsigned or pointer-sized integer type: write `i64` for a \
                    column of type int8";
const NUMERIC: &str = "PostgreSQL has no 128-bit integer type: write `rust_decimal::Decimal` for a \
                       column of type numeric";
const CHAR: &str = "`char` is not a PostgreSQL type: write `String` for a column of type char(1) \
                    or text";
const OWNED: &str = "a field owns its value: write `String` instead of `Cow<str>` and `Box<str>`, \
                     and `Vec<T>` instead of other `Cow` types";
const MAP: &str =
    "PostgreSQL has no map type: write `serde_json::Value` for a column of type jsonb";
const SET: &str = "PostgreSQL has no set type: write `Vec<T>` for a column of an array type";
const INTERVAL: &str = "intervals have no JSON encoding: write an `f64` of seconds with `expr = \
                        \"extract(epoch from {}.column)::float8\"`";
const RANGE: &str = "ranges have no JSON encoding: write a field for each bound, with `expr = \
                     \"lower({}.column)\"` and `expr = \"upper({}.column)\"`";
const ADDRESS: &str = "network addresses are strings in JSON: write `String`, also for a column of \
                       type inet";
const MONEY: &str = "the JSON of money depends on the locale of the server: write \
                     `rust_decimal::Decimal` with `expr = \"{}.column::numeric\"`";
const CLOCK: &str = "`SystemTime` is not supported: write `chrono::DateTime<Utc>`, \
                     `time::OffsetDateTime` or `jiff::Timestamp` for a column of type timestamptz";
#[cfg(feature = "chrono")]
const NO_ZONE: &str = "a timestamptz is an instant and stores no time zone: write `DateTime<Utc>`";

unsupported! {
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
unsupported! {
    [] chrono::TimeDelta => INTERVAL;
    [] chrono::DateTime<chrono::FixedOffset> => NO_ZONE;
    [] chrono::DateTime<chrono::Local> => NO_ZONE;
}

#[cfg(feature = "time")]
unsupported! {
    [] time::Duration => INTERVAL;
}

#[cfg(feature = "jiff")]
unsupported! {
    [] jiff::Span => INTERVAL;
    [] jiff::SignedDuration => INTERVAL;
    [] jiff::Zoned => "a timestamptz is an instant and stores no time zone: write \
        `jiff::Timestamp`";
}
