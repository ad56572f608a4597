//! Limits on the size of a GraphQL document, checked before it is parsed and before it is
//! validated.

mod document;
mod document_limits;
mod introspection;
mod text;

pub use document_limits::DocumentLimits;
