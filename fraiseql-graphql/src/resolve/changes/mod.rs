//! The documents that a mutation has changed, as the value of its resolver.
//!
//! [`value`] has the type, [`of_view`] what is known and read of one view, and [`fields`] the types of
//! the schema.

mod fields;
mod of_view;
pub(crate) mod value;
