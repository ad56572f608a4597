//! GraphQL over documents.

pub mod response;
