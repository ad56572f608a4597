//! GraphQL types of views and parts, their inputs, and the root fields that read them.

pub(crate) mod input;
pub(crate) mod types;
