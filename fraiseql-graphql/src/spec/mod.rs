//! Validation and execution rules of the GraphQL specification that async-graphql lacks.

pub(crate) mod operation;
pub(crate) mod overlap;
pub(crate) mod placeholder;
pub(crate) mod root_fields;
pub(crate) mod rules;
pub(crate) mod values;
pub(crate) mod variables;
