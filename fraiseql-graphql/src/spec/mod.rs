//! Parsing, validation and execution as the GraphQL specification requires them, where async-graphql
//! differs.
//!
//! [`parse`] reads a text and [`validation`] validates it, by apollo-compiler, for the types of
//! [`type_system`]; [`usages`] and [`overlap`] have the rules that it lacks. [`variables`] and [`values`] coerce the variables of a request. [`document`],
//! [`placeholder`], [`unions`], [`failures`] and [`variables`] give a document the form in which async-graphql
//! executes it rightly; [`errors`], [`nulls`] and [`root_fields`] complete the response afterwards,
//! [`field_order`] an object in it.

pub(crate) mod document;
pub(crate) mod errors;
pub(crate) mod failures;
pub(crate) mod field_order;
pub(crate) mod nulls;
pub(crate) mod operation;
pub(crate) mod overlap;
pub(crate) mod parse;
pub(crate) mod placeholder;
pub(crate) mod print;
pub(crate) mod root_fields;
pub(crate) mod type_system;
pub(crate) mod unions;
pub(crate) mod usages;
pub(crate) mod validation;
pub(crate) mod values;
pub(crate) mod variables;
