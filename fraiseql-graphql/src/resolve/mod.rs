//! Documents as values of resolvers.

pub(crate) mod connection;
pub(crate) mod document;
pub(crate) mod requested_fields;
pub(crate) mod views;
