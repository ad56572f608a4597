//! Checks that the compiler evaluates. Only the code that the derives emit calls them, in constants.
//!
//! | module | rejects |
//! |---|---|
//! | [`scalar`] | a field type that cannot hold the values of its source |
//! | [`columns`] | a foreign key whose type cannot be compared with the key that it refers to |
//! | [`cycle`] | a document that contains itself |
//! | [`shape_of`] | a part whose fields are not fields of the struct that it names |
//! | [`unions`] | a union or an interface that GraphQL would not accept |
//!
//! [`autoref`] keeps one type error from being reported at every use of the field. [`message`]
//! composes the messages, [`compare`] compares texts, and [`nearest`] finds the name to suggest.

pub(crate) mod autoref;
pub(crate) mod columns;
mod compare;
pub(crate) mod cycle;
mod message;
mod nearest;
pub(crate) mod scalar;
pub(crate) mod shape_of;
pub(crate) mod unions;
