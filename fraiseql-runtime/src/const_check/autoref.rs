//! The way to the values of fields, for the constant tables and for `#[serde(with = ..)]` in
//! what the derives emit.
//!
//! A type that cannot be a field's is reported in one place: where its part is asked for, or
//! where it is proved to be a scalar. So that its other uses do not report it too, they are
//! there twice: those of [`Way`] and [`Value`], for the types that can, come first; those of
//! [`NoRelation`] and [`NoScalar`] are for all others, and never called.

use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::schema::embed::{ManyField, OneField};
use crate::schema::scalar::{Form, Scalar, ScalarType};

/// The way to a `one(..)` field.
pub type One<T> = Way<T, ToOne>;

/// The way to a `many(..)` field.
pub type Many<T> = Way<T, ToMany>;

/// The way to a field of type `T`, as a relation of kind `K`.
#[derive(Debug)]
pub struct Way<T, K>(PhantomData<(T, K)>);

/// A kind of relation.
#[derive(Debug)]
pub enum ToOne {}

/// A kind of relation.
#[derive(Debug)]
pub enum ToMany {}

/// A type that can hold a relation of kind `K`.
pub trait Holds<K> {}

impl<T: OneField> Holds<ToOne> for T {}

impl<T: ManyField> Holds<ToMany> for T {}

impl<T: Holds<K>, K> Way<T, K> {
    /// Writes the value as it writes itself.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Serialize,
        S: Serializer,
    {
        value.serialize(serializer)
    }

    /// Reads the value as it reads itself.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        T::deserialize(deserializer)
    }
}

impl<T: OneField> Way<T, ToOne> {
    /// Whether the field can be null.
    pub const NULLABLE: bool = T::NULLABLE;
}

/// The same for a type that cannot hold a relation.
pub trait NoRelation<T> {
    /// Not used.
    const NULLABLE: bool = false;

    /// Never called.
    ///
    /// # Errors
    /// None.
    fn serialize<S: Serializer>(_: &T, _: S) -> Result<S::Ok, S::Error> {
        unreachable!()
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    fn deserialize<'de, D: Deserializer<'de>>(_: D) -> Result<T, D::Error> {
        unreachable!()
    }
}

impl<T, K> NoRelation<T> for Way<T, K> {}

/// The way to a field whose value is a scalar.
#[derive(Debug)]
pub struct Value<T>(PhantomData<T>);

impl<T: Scalar> Value<T> {
    /// The type.
    pub const TYPE: ScalarType = T::TYPE;

    /// Writes the value as SQL does.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize_json(serializer)
    }

    /// Reads what SQL writes.
    ///
    /// # Errors
    /// Those of the deserializer, and when the value is outside of the type.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize_json(deserializer)
    }
}

/// The same for a type that is no scalar.
pub trait NoScalar<T> {
    /// A type that has no name.
    const TYPE: ScalarType = ScalarType::new("", Form::Native, "");

    /// Never called.
    ///
    /// # Errors
    /// None.
    fn serialize<S: Serializer>(_: &T, _: S) -> Result<S::Ok, S::Error> {
        unreachable!()
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    fn deserialize<'de, D: Deserializer<'de>>(_: D) -> Result<T, D::Error> {
        unreachable!()
    }
}

impl<T> NoScalar<T> for Value<T> {}
