//! Root fields that read the views of an application.
//!
//! [`view_set`] lists the views, [`fields`] defines their root fields in the schema, [`arguments`]
//! reads the arguments of a list and [`key`] those of a document, [`root_field`] is what one reads,
//! [`resolve`] resolves it, [`direct`] reads it again for a direct answer, [`cache`] says how long it may be
//! cached, and [`root`] has the object types that consist of them.

pub(crate) mod arguments;
pub(crate) mod cache;
mod direct;
pub(crate) mod fields;
pub(crate) mod key;
mod resolve;
pub(crate) mod root;
pub(crate) mod root_field;
pub(crate) mod view_set;
