//! The trait of scalar types, and its adapters to serde.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::scalar_type::ScalarType;

/// A type that can be a field of a document without being a part.
///
/// It is implemented for the types in the table of [this module](crate::scalar). For a newtype of
/// one of them, use [`#[derive(TScalar)]`](derive@crate::TScalar). Implement it by hand for a type
/// whose JSON differs from that of the value it holds; its JSON must be what PostgreSQL writes
/// for the column, and [`Comparable`](super::Comparable) for filters:
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use fraiseql_runtime::scalar::{JsonEncoding, ScalarType};
/// use serde::{Deserialize, Deserializer, Serializer};
///
/// /// A column of type `bit(4)`, which is text in JSON.
/// #[derive(Debug, PartialEq)]
/// pub struct Flags(u8);
///
/// impl Scalar for Flags {
///     const TYPE: ScalarType = ScalarType::new("bit(4)", JsonEncoding::Native, "Flags");
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
    /// The type in SQL, JSON and GraphQL.
    const TYPE: ScalarType;

    /// Why the type cannot be a field, and what to use instead. The derives report it at the
    /// field. Such a type still has a [`TYPE`](Self::TYPE), so that this is the only error.
    #[doc(hidden)]
    const FLAW: Option<&'static str> = None;

    /// Serializes the value as the JSON that SQL writes for it.
    ///
    /// # Errors
    /// If the serializer fails.
    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Deserializes the JSON that SQL writes.
    ///
    /// # Errors
    /// If the deserializer fails, or the type cannot hold the value.
    fn deserialize_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Serializes a [`Scalar`] with [`Scalar::serialize_json`].
pub(super) struct JsonSer<'a, T>(pub(super) &'a T);

impl<T: Scalar> Serialize for JsonSer<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_json(serializer)
    }
}

/// Deserializes a [`Scalar`] with [`Scalar::deserialize_json`].
pub(super) struct JsonDe<T>(pub(super) T);

impl<'de, T: Scalar> Deserialize<'de> for JsonDe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize_json(deserializer).map(Self)
    }
}
