//! Documents as values of resolvers, and the root fields that read views.
//!
//! [`requested_fields`] turns the selection set of a field into a selection, [`document_writer`]
//! writes the selected fields of documents, and [`document`], [`any`] and [`connection`] are the values that
//! resolvers return, and [`changes`] that of a mutation. [`views`] has the root fields, [`live`] those of subscriptions, and [`federation`] makes entities of
//! views. [`node`] adds the root field of the Relay specification. [`made_shape`] has what types need that no struct has.

pub(crate) mod any;
pub(crate) mod changes;
pub(crate) mod connection;
pub(crate) mod connection_shape;
pub(crate) mod document;
pub(crate) mod document_writer;
pub(crate) mod federation;
pub(crate) mod live;
mod made_shape;
pub(crate) mod node;
mod own_fields;
pub(crate) mod requested_fields;
pub(crate) mod views;
