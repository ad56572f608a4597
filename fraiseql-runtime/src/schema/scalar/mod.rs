//! Scalar field types: what each is in SQL, in JSON and in GraphQL.
//!
//! | Rust | PostgreSQL | JSON | GraphQL |
//! |---|---|---|---|
//! | `bool` | `boolean` | `true` | `Boolean` |
//! | `i16`, `i32`, `i64` | `int2`, `int4`, `int8` | number | `Int` |
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
//! A domain is what it is made of. A column may be of another type, if PostgreSQL prints it in
//! JSON as the Rust type is read.
//!
//! ```
//! use fraiseql_runtime::Scalar;
//!
//! assert_eq!(<Vec<Option<i32>>>::TYPE.sql_name(), "int4[]");
//! # use fraiseql_runtime::scalar::ScalarType;
//! # let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/scalar/mod.rs"));
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
//! `serde_json::Value` can be **promoted**: the column has the type of the table, and that of an
//! enum is `text` with the name in JSON. An index holds texts of up to 2,700 bytes.
//!
//! **The session** makes no difference: neither `TimeZone`, `DateStyle`, `IntervalStyle`,
//! `extra_float_digits`, `bytea_output` nor `search_path`.
//!
//! **What has no form** is reported, and not written as something else: `NaN` and infinity,
//! years outside of 1 to 9999, the time `24:00`, a numeric of more digits than a `Decimal`
//! holds, an instant after the last of jiff (`9999-12-30T22:00:00Z`), a label that belongs to no
//! variant, arrays of more than one dimension, nulls where the type has no `Option`.
//!
//! **Floats** are read back as the same value. There are a few with two shortest texts, such as
//! `1e23`: PostgreSQL writes `9.999999999999999e+22`, Rust the other. `-0` is written as `0`.
//!
//! **Times** have microseconds in PostgreSQL. A value that was made in Rust with nanoseconds is
//! written with all nine digits.
//!
//! **JSON** is read by `serde_json`: a number of more than 17 digits as the nearest `f64`, and a
//! number that no `f64` can be, such as `1e400`, is an error of the reader; `find_json` has every
//! digit. In `jsonb`, the last of two equal keys stays, as it does when `json` is read. A JSON
//! `null` in an `Option` is `None`.
//!
//! **Refused** when compiling, with what to write instead: unsigned and 8 and 128 bit numbers,
//! `char`, bytes, intervals, ranges, maps, sets, tuples, arrays of fixed length, times with a
//! zone, addresses, money.

mod containers;
mod enums;
mod native;
mod refused;

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

#[doc(hidden)]
pub use enums::read as read_enum;
pub use enums::{Enum, TEnum, Variant};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A type that can be a field of a document without being a document itself.
///
/// Implemented for the types of the table in [this module](self). A newtype of one takes
/// [`#[derive(TScalar)]`](derive@crate::TScalar). By hand it is for a type with another JSON than
/// what it holds; that JSON must be the one that PostgreSQL writes for the column:
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use fraiseql_runtime::scalar::{Form, ScalarType};
/// use serde::{Deserialize, Deserializer, Serializer};
///
/// /// A column of type `bit(4)`, which is text in JSON.
/// #[derive(Debug, PartialEq)]
/// pub struct Flags(u8);
///
/// impl Scalar for Flags {
///     const TYPE: ScalarType = ScalarType::new("bit(4)", Form::Native, "Flags");
///
///     fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
///         serializer.collect_str(&format_args!("{:04b}", self.0))
///     }
///
///     fn deserialize_json<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
///         let text = String::deserialize(from)?;
///         u8::from_str_radix(&text, 2).map(Self).map_err(serde::de::Error::custom)
///     }
/// }
///
/// #[derive(TView)]
/// pub struct Post { pub id: i64, pub flags: Flags }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, flags bit(4) NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, B'0110')", async |pool| {
/// # migrate::<Post>(&pool).await;
/// sync_post(&pool, &[7]).await?;
/// # assert_eq!(document::<Post>(&pool, 7).await, json!({"id": 7, "flags": "0110"}));
/// assert_eq!(Post::find(&pool, 7).await?.unwrap().flags, Flags(6));
/// # Ok(()) }) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type that a document field can have",
    label = "not a scalar type",
    note = "fields can be bool, i16, i32, i64, f32, f64, String, Uuid, serde_json::Value, the \
            types of chrono, time, jiff and rust_decimal (by feature), and Vec and Option of these",
    note = "a struct with one field can be one with #[derive(TScalar)], an enum of names with \
            #[derive(TEnum)]",
    note = "a field that is a struct with #[derive(Embed)] or #[derive(TView)] needs \
            #[tview(one(fk = \"..\"))] or #[tview(many(fk = \"..\"))]"
)]
pub trait Scalar: Sized {
    /// What the type is in SQL, JSON and GraphQL.
    const TYPE: ScalarType;

    /// What is wrong with the type, which the derives report at the field. The type has all
    /// the same a [`TYPE`](Self::TYPE), so that it is reported there only.
    #[doc(hidden)]
    const FLAW: Option<&'static str> = None;

    /// Writes the value as the same JSON that SQL writes.
    ///
    /// # Errors
    /// Those of the serializer.
    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads the JSON that SQL writes.
    ///
    /// # Errors
    /// Those of the deserializer, and when the value is outside of the type.
    fn deserialize_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// What a scalar type is in SQL, JSON and GraphQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalarType {
    /// The type's name in PostgreSQL, of one element where it is a list.
    pub sql: &'static str,
    /// How SQL turns it into JSON.
    pub form: Form,
    /// The type's name in GraphQL, of one element where it is a list.
    pub graphql: &'static str,
    /// Whether it may be null.
    pub nullable: bool,
    /// `None` for a single value; for a list, whether its elements may be null.
    pub list: Option<ElementNull>,
}

/// Whether the elements of a list may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementNull {
    /// `Vec<T>`.
    No,
    /// `Vec<Option<T>>`.
    Yes,
}

/// How SQL turns a value into JSON, and which values it cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// PostgreSQL's own JSON form is the right one.
    Native,
    /// PostgreSQL's own form, in a session that prints floats so that they can be read back.
    /// `NaN` and infinity have none.
    Float,
    /// As its text, in a string: every digit is kept. `NaN`, infinity, and more digits than
    /// the Rust type holds have none.
    Decimal,
    /// PostgreSQL's own form, in a session whose time zone is UTC; from the year 1 on.
    Timestamptz {
        /// The last instant that there is, in ISO 8601.
        last: &'static str,
    },
    /// PostgreSQL's own form, of the years 1 to 9999.
    Timestamp,
    /// PostgreSQL's own form, of the years 1 to 9999.
    Date,
    /// PostgreSQL's own form; not `24:00`.
    Time,
    /// The name of the variant that its label belongs to; a label of no variant has none.
    Enum(&'static Enum),
}

/// The last microsecond of the year 9999: ISO 8601 has four digits for the year.
#[cfg(any(feature = "chrono", feature = "time"))]
const LAST_INSTANT: &str = "9999-12-31T23:59:59.999999Z";

impl ScalarType {
    /// A type that is neither null nor a list.
    #[must_use]
    pub const fn new(sql: &'static str, form: Form, graphql: &'static str) -> Self {
        Self {
            sql,
            form,
            graphql,
            nullable: false,
            list: None,
        }
    }

    /// The type's full name in PostgreSQL: `timestamptz`, `text[]`.
    #[must_use]
    pub fn sql_name(&self) -> String {
        match self.list {
            None => self.sql.to_owned(),
            Some(_) => format!("{}[]", self.sql),
        }
    }
}

/// Serde's view of a [`Scalar`]: serializes as SQL would have written it.
pub(crate) struct Ser<'a, T>(pub(crate) &'a T);

impl<T: Scalar> Serialize for Ser<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_json(serializer)
    }
}

/// Serde's view of a [`Scalar`]: deserializes what SQL wrote.
pub(crate) struct De<T>(pub(crate) T);

impl<'de, T: Scalar> Deserialize<'de> for De<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize_json(deserializer).map(Self)
    }
}
