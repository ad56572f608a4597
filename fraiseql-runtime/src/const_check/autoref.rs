//! Fallbacks for fields whose type is wrong, so that such a field is one error and not many.
//!
//! The derives mention the type of a field several times: in the constant table, in
//! `#[serde(with = ..)]`, and in a proof that it is a scalar or a part. If the type is neither,
//! each mention would be an error. Only the proof is to report it, so the other mentions have to
//! compile for every type.
//!
//! # How it works
//!
//! Rust has no specialization, but it has an order of name lookup, which stable code uses for it.
//! The technique is known as *autoref specialization*; this variant needs no reference. For
//! `Value::<T>::TYPE`, the compiler looks for
//!
//! 1. an inherent item: `impl<T: Scalar> Value<T> { const TYPE .. }`, which exists only for
//!    scalars;
//! 2. then an item of a trait in scope: `impl<T> NoScalar<T> for Value<T>`, which exists for every
//!    `T`.
//!
//! So a scalar gets its own type, and any other type gets the placeholder of the trait, without a
//! bound that could fail. The derives bring [`NoScalar`] and [`NoRelation`] into scope by
//! `use .. as _`. The functions of these traits are never called: the proof has stopped the
//! compiler before.
//!
//! This works because the derives name concrete types. In a generic function, the lookup would
//! be decided before `T` is known.

use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::schema::embed::{ManyField, OneField};
use crate::schema::scalar::{JsonEncoding, Scalar, ScalarType};

/// A `one(..)` field of type `T`.
pub type One<T> = Relation<T, ToOne>;

/// A `many(..)` field of type `T`.
pub type Many<T> = Relation<T, ToMany>;

/// A field of type `T` that is a relation of kind `K`: [`ToOne`] or [`ToMany`].
#[derive(Debug)]
pub struct Relation<T, K>(PhantomData<(T, K)>);

/// The kind of `one(..)`.
#[derive(Debug)]
pub enum ToOne {}

/// The kind of `many(..)`.
#[derive(Debug)]
pub enum ToMany {}

/// A type that a field with a relation of kind `K` can have.
///
/// It makes one bound of two traits: [`Relation`] has one inherent `serialize` for both kinds.
pub trait HoldsRelation<K> {}

impl<T: OneField> HoldsRelation<ToOne> for T {}

impl<T: ManyField> HoldsRelation<ToMany> for T {}

impl<T: HoldsRelation<K>, K> Relation<T, K> {
    /// Serializes the value with its own implementation.
    ///
    /// # Errors
    /// If the serializer fails.
    pub fn serialize<S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Serialize,
        S: Serializer,
    {
        value.serialize(serializer)
    }

    /// Deserializes the value with its own implementation.
    ///
    /// # Errors
    /// If the deserializer fails.
    pub fn deserialize<'de, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        T::deserialize(deserializer)
    }
}

impl<T: OneField> Relation<T, ToOne> {
    /// Whether the field can be null.
    pub const NULLABLE: bool = T::NULLABLE;
}

/// The fallback for a field whose type cannot hold a relation.
pub trait NoRelation<T> {
    /// A placeholder.
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

impl<T, K> NoRelation<T> for Relation<T, K> {}

/// A field whose value is a scalar of type `T`.
#[derive(Debug)]
pub struct Value<T>(PhantomData<T>);

impl<T: Scalar> Value<T> {
    /// The type of the scalar.
    pub const TYPE: ScalarType = T::TYPE;

    /// Serializes the value as the JSON that SQL writes for it.
    ///
    /// # Errors
    /// If the serializer fails.
    pub fn serialize<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize_json(serializer)
    }

    /// Deserializes the JSON that SQL writes.
    ///
    /// # Errors
    /// If the deserializer fails, or the type cannot hold the value.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize_json(deserializer)
    }
}

/// The fallback for a field whose type is not a scalar.
pub trait NoScalar<T> {
    /// A placeholder. Other proofs recognize it by its empty name, and report nothing.
    const TYPE: ScalarType = ScalarType::new("", JsonEncoding::Native, "");

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
