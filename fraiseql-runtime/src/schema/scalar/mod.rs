//! Scalar types of fields, with their types in PostgreSQL, JSON and GraphQL.
//!
//! | Rust | PostgreSQL | JSON | GraphQL |
//! |---|---|---|---|
//! | `bool` | `boolean` | `true` | `Boolean` |
//! | `i16`, `i32` | `int2`, `int4` | number | `Int` |
//! | `i64` | `int8` | number | `BigInt` |
//! | `f32`, `f64` | `float4`, `float8` | number | `Float` |
//! | `rust_decimal::Decimal` | `numeric` | string, every digit: `"1.50"` | `Decimal` |
//! | `String` | `text`, `varchar`, `citext`, `name`, `char(n)` with its padding; enum types, `inet` | string | `String` |
//! | `Uuid` | `uuid` | string | `UUID` |
//! | `chrono::DateTime<Utc>`; `time::OffsetDateTime`, `UtcDateTime`; `jiff::Timestamp` | `timestamptz` | RFC 3339 in UTC: `"2026-01-31T12:00:00.5+00:00"` | `DateTime` |
//! | `chrono::NaiveDateTime`; `time::PrimitiveDateTime`; `jiff::civil::DateTime` | `timestamp` | ISO 8601: `"2026-01-31T12:00:00.5"` | `NaiveDateTime` |
//! | `chrono::NaiveDate`; `time::Date`; `jiff::civil::Date` | `date` | `"2026-01-31"` | `Date` |
//! | `chrono::NaiveTime`; `time::Time`; `jiff::civil::Time` | `time` | `"12:00:00.5"` | `Time` |
//! | `serde_json::Value` | `json`, `jsonb` | as it is, keys untouched | `JSON` |
//! | an enum with [`#[derive(TEnum)]`](derive@crate::TEnum) | `text`, `varchar`, `char(n)`, an enum type | SCREAMING_SNAKE name: `"IN_REVIEW"` | an enum |
//! | a newtype with [`#[derive(TScalar)]`](derive@crate::TScalar) | as inside | as inside | as inside, or its `type_name` |
//! | `Vec` of these, and of their `Option`s | array of one dimension | array | list |
//! | `Option` of these | nullable | `null`, key present | nullable |
//!
//! A domain is used like its base type. A column may have another type, if PostgreSQL writes the
//! JSON that the Rust type reads.
//!
//! ```
//! use fraiseql_runtime::Scalar;
//!
//! assert_eq!(<Vec<Option<i32>>>::TYPE.sql_name(), "int4[]");
//! # use fraiseql_runtime::scalar::ScalarType;
//! # let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schema/scalar/mod.rs"));
//! # let row = |name: &str, ty: ScalarType| {
//! #     let found = page.lines().any(|line| {
//! #         let cells: Vec<_> = line.split(" | ").collect();
//! #         cells.len() == 5 && cells[0] == "//!" && cells[1].contains(name)
//! #             && cells[2].contains(&format!("`{}`", ty.sql)) && cells[4].contains(&format!("`{}`", ty.graphql))
//! #     });
//! #     assert!(found, "{name}: {ty:?}");
//! # };
//! # row("`bool`", bool::TYPE); row("`i16`", i16::TYPE); row("`i32`", i32::TYPE); row("`i64`", i64::TYPE);
//! # row("`f32`", f32::TYPE); row("`f64`", f64::TYPE); row("`String`", String::TYPE);
//! # row("`Uuid`", uuid::Uuid::TYPE); row("`serde_json::Value`", serde_json::Value::TYPE);
//! # #[cfg(feature = "rust_decimal")]
//! # row("`rust_decimal::Decimal`", rust_decimal::Decimal::TYPE);
//! # #[cfg(feature = "chrono")] {
//! #     row("`chrono::DateTime<Utc>`", <chrono::DateTime<chrono::Utc>>::TYPE);
//! #     row("`chrono::NaiveDateTime`", chrono::NaiveDateTime::TYPE);
//! #     row("`chrono::NaiveDate`", chrono::NaiveDate::TYPE);
//! #     row("`chrono::NaiveTime`", chrono::NaiveTime::TYPE);
//! # }
//! # #[cfg(feature = "time")] {
//! #     row("`time::OffsetDateTime`", time::OffsetDateTime::TYPE); row("`UtcDateTime`", time::UtcDateTime::TYPE);
//! #     row("`time::PrimitiveDateTime`", time::PrimitiveDateTime::TYPE);
//! #     row("`time::Date`", time::Date::TYPE); row("`time::Time`", time::Time::TYPE);
//! # }
//! # #[cfg(feature = "jiff")] {
//! #     row("`jiff::Timestamp`", jiff::Timestamp::TYPE); row("`jiff::civil::DateTime`", jiff::civil::DateTime::TYPE);
//! #     row("`jiff::civil::Date`", jiff::civil::Date::TYPE); row("`jiff::civil::Time`", jiff::civil::Time::TYPE);
//! # }
//! ```
//!
//! **Keys** are `i16`, `i32`, `i64`, `String`, `Uuid` and newtypes of these. All types but
//! `serde_json::Value` can be **promoted**: the column has the type in the table, and that of an
//! enum is `text` with the name in JSON. An index holds texts of up to 2,700 bytes.
//!
//! **Session settings** do not change documents: neither `TimeZone`, `DateStyle`,
//! `IntervalStyle`, `extra_float_digits`, `bytea_output` nor `search_path`. That holds for columns, for
//! each `expr` and `filter`, and for keys of types such as `citext`, which are compared by the
//! operators of their type also if the session does not find these. [`guide::attributes`] has the
//! settings that an [expression](crate::guide::attributes#expr) is evaluated with. `lc_monetary` is
//! left as it is.
//!
//! [`guide::attributes`]: crate::guide::attributes
//!
//! **Values without a JSON encoding** make a document invalid: `NaN` and infinity, years outside
//! of 1 to 9999, the time `24:00`, a numeric with more digits than a `Decimal` holds, an instant
//! after the last of jiff (`9999-12-30T22:00:00Z`), a label that belongs to no variant, arrays of
//! more than one dimension, nulls where the type is not an `Option`, JSON with half of a surrogate pair
//! (`"\ud800"`) or with so many levels that the document has more than 127. They are reported, and
//! never written as another value.
//!
//! **Floats** are read back as the same value. A few have two shortest texts, such as `1e23`:
//! PostgreSQL writes `9.999999999999999e+22`, Rust the other. `-0` is written as `0`.
//!
//! **Times** have microseconds in PostgreSQL. A value with nanoseconds that was made in Rust is
//! written with all nine digits.
//!
//! **JSON** is read by `serde_json`: a number of more than 17 digits becomes the nearest `f64`,
//! and a number that is too large for an `f64`, such as `1e400`, is an error of the reader;
//! `find_json` has every digit. Of two equal keys `jsonb` keeps the last, and so does reading
//! `json`. A JSON `null` in an `Option` is `None`.
//!
//! **Refused** at compile time, with what to write instead: unsigned, 8-bit and 128-bit integers,
//! `char`, bytes, intervals, ranges, maps, sets, tuples, arrays of fixed length, times with a
//! zone, addresses, money.

mod comparable;
mod containers;
mod enums;
mod json_encoding;
mod native;
mod scalar_trait;
mod scalar_type;
mod unsupported;

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "rust_decimal")]
mod decimal;
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
mod iso;
#[cfg(feature = "jiff")]
mod jiff;
#[cfg(feature = "time")]
mod time;

pub use self::comparable::{Comparable, ListValue, Matchable, Nullable, Ordered, SingleValue};
#[doc(hidden)]
pub use self::enums::read as read_enum;
pub use self::enums::{Enum, TEnum, Variant};
pub use self::json_encoding::JsonEncoding;
pub use self::scalar_trait::Scalar;
pub use self::scalar_type::{ElementNull, ScalarType};
