//! GraphQL types of views and parts: object types, unions of them, and the input types of filters and
//! orders.

pub(crate) mod enums;
pub(crate) mod extension;
pub(crate) mod input;
pub(crate) mod types;
pub(crate) mod union;
