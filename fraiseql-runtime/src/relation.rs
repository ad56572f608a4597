//! Serde's way to the values of relations, for `#[serde(with = ..)]` in what the derives emit.
//!
//! A type that cannot hold a relation is reported where its part is asked for. So that serde
//! does not report it too, the functions are there twice: those of [`Way`], for the types that
//! can, come first; those of [`NoRelation`] are for all others, and never called.

use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::view::{ManyField, OneField};

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

/// The same functions for a type that cannot hold a relation.
pub trait NoRelation<T> {
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
