//! Checks that the compiler evaluates: what the derives emit calls them in constants, and nothing
//! else does.
//!
//! | module | rejects |
//! |---|---|
//! | [`scalar`] | a field type that cannot hold what its source yields |
//! | [`columns`] | a foreign key whose type cannot be compared with the key it refers to |
//! | [`cycle`] | a document that contains itself |
//! | [`shape_of`] | a part whose fields are not fields of the struct it names |
//!
//! [`autoref`] keeps one type error from being reported at every use of the field; [`message`]
//! builds the panic messages.

pub(crate) mod autoref;
pub(crate) mod columns;
pub(crate) mod cycle;
mod message;
pub(crate) mod scalar;
pub(crate) mod shape_of;
