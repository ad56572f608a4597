//! Which operators the filters in Rust have for fields of a type.

use super::Scalar;

/// A type of fields that [filters in Rust](crate::list::Column) compare with values.
///
/// It is implemented for all types in the table of [this module](crate::scalar), and by
/// [`#[derive(TScalar)]`](derive@crate::TScalar) and [`#[derive(TEnum)]`](derive@crate::TEnum). Only a
/// type whose [`Scalar`] is written by hand needs it by hand:
///
/// ```
/// use fraiseql_runtime::scalar::{Comparable, SingleValue};
/// # use fraiseql_runtime::Scalar;
/// # use fraiseql_runtime::scalar::{JsonEncoding, ScalarType};
/// # use serde::{Deserialize, Deserializer, Serializer};
/// # pub struct Flags(String);
/// # impl Scalar for Flags {
/// #     const TYPE: ScalarType = ScalarType::new("bit(4)", JsonEncoding::Native, "Flags");
/// #     fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
/// #         serializer.serialize_str(&self.0)
/// #     }
/// #     fn deserialize_json<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
/// #         String::deserialize(from).map(Self)
/// #     }
/// # }
///
/// impl Comparable for Flags { // `eq`, `ne`
///     type Value = Self;
/// }
/// impl SingleValue for Flags {} // `is_in`, `is_not_in`, and orders
/// ```
///
/// If the list does not have an operator for the type at run time, the read is an error, as with
/// [`Filter::compare`](crate::list::Filter::compare).
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot be compared in filters",
    label = "the type does not implement `Comparable`",
    note = "a type whose `Scalar` is written by hand needs `impl Comparable` as well; \
            #[derive(TScalar)] and #[derive(TEnum)] write both"
)]
pub trait Comparable: Scalar {
    /// The type of the values that it is compared with: `T` for `Option<T>`, else the type itself.
    type Value: Scalar;
}

/// A type of fields that are not lists: filters have `is_in` and `is_not_in`, and documents can be ordered
/// by them.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` has neither `is_in` nor `is_not_in`, and lists cannot be ordered by it",
    label = "not a single value",
    note = "a list of values is compared as a whole, by `eq` and `ne`, and searched by `contains` and `has_any`"
)]
pub trait SingleValue: Comparable {}

/// A type of fields that are less or greater than others: filters have `lt`, `lte`, `gt` and `gte`.
#[diagnostic::on_unimplemented(
    message = "values of type `{Self}` cannot be compared by less and greater",
    label = "has no `lt`, `lte`, `gt`, `gte`",
    note = "`bool`, lists and enums have none of them: an enum is stored as the name of its variant, and \
            the order of names has no meaning"
)]
pub trait Ordered: SingleValue {}

/// A type of fields that are texts: filters have `like` and `ilike`.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot be matched with a pattern",
    label = "has neither `like` nor `ilike`",
    note = "patterns match texts: `String`, and newtypes of it with #[derive(TScalar)]"
)]
pub trait Matchable: Ordered {}

/// A type of fields that are lists of values: filters have `contains` and `has_any`.
///
/// It is implemented for `Vec` and its `Option`. A newtype of a `Vec` needs it by hand, because the derive does not know
/// whether the type of the elements is as public as the newtype:
///
/// ```
/// use fraiseql_runtime::TScalar;
/// use fraiseql_runtime::scalar::ListValue;
///
/// #[derive(TScalar)]
/// pub struct Labels(Vec<String>);
///
/// impl ListValue for Labels {
///     type Element = String;
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` is not a list of values",
    label = "has neither `contains` nor `has_any`",
    note = "a single value is one of several by `is_in`, and a text is matched with a pattern by `like`; a newtype \
            of a list needs `impl ListValue`"
)]
pub trait ListValue: Comparable {
    /// The type of the values that are looked for in the list: `T` for `Vec<T>` and for `Vec<Option<T>>`.
    type Element: Scalar;
}

/// A type of fields that may be null: an `Option`.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` is never null, because it is not an `Option`",
    label = "not an `Option`"
)]
pub trait Nullable {}

impl<T: Scalar> Nullable for Option<T> {}

impl<T: Comparable> Comparable for Option<T> {
    type Value = T::Value;
}

impl<T: SingleValue> SingleValue for Option<T> {}
impl<T: Ordered> Ordered for Option<T> {}
impl<T: Matchable> Matchable for Option<T> {}

impl<T: ListValue> ListValue for Option<T> {
    type Element = T::Element;
}

impl<T: Scalar> Comparable for Vec<T> {
    type Value = Self;
}

impl<T: Comparable> ListValue for Vec<T> {
    type Element = T::Value;
}

/// Implements `Comparable` and some of the traits above for types that are compared with themselves.
macro_rules! comparable {
    ($($ty:ty),* $(,)? => $names:tt) => {$(
        impl Comparable for $ty {
            type Value = Self;
        }
        comparable!(@ $ty, $names);
    )*};
    (@ $ty:ty, [$($name:ident),*]) => { $(impl $name for $ty {})* };
}

comparable!(bool => [SingleValue]);
comparable!(i16, i32, i64, f32, f64, uuid::Uuid => [SingleValue, Ordered]);
comparable!(String => [SingleValue, Ordered, Matchable]);
#[cfg(feature = "chrono")]
comparable!(
    ::chrono::DateTime<::chrono::Utc>,
    ::chrono::NaiveDateTime,
    ::chrono::NaiveDate,
    ::chrono::NaiveTime,
    => [SingleValue, Ordered]
);
#[cfg(feature = "rust_decimal")]
comparable!(rust_decimal::Decimal => [SingleValue, Ordered]);
#[cfg(feature = "time")]
comparable!(
    ::time::OffsetDateTime,
    ::time::UtcDateTime,
    ::time::PrimitiveDateTime,
    ::time::Date,
    ::time::Time,
    => [SingleValue, Ordered]
);
#[cfg(feature = "jiff")]
comparable!(
    ::jiff::Timestamp,
    ::jiff::civil::DateTime,
    ::jiff::civil::Date,
    ::jiff::civil::Time,
    => [SingleValue, Ordered]
);
