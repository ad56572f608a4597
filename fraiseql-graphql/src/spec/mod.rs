//! Validation and execution rules of the GraphQL specification that async-graphql lacks.
//!
//! That a field exists is validated by async-graphql itself, against the types of `schema/`.
//!
//! [`document`] validates the document of a request and [`variables`] completes it for its variables
//! before async-graphql executes it; [`root_fields`], [`placeholder`] and [`errors`] complete the
//! response afterwards.

pub(crate) mod document;
pub(crate) mod errors;
pub(crate) mod operation;
pub(crate) mod overlap;
pub(crate) mod placeholder;
pub(crate) mod root_fields;
pub(crate) mod rules;
pub(crate) mod values;
pub(crate) mod variables;
