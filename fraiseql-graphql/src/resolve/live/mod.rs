//! Root fields of subscriptions: documents and lists that are sent again when they have changed, and what has changed.
//!
//! [`root`] has the types of the schema, [`fields`] their fields, [`live_field`] the stream of one. [`event`] makes a
//! response of async-graphql for each element; [`change_shape`] is the type of a change.
//! [`shared_reads`] reads the same documents once for many subscriptions.

pub(crate) mod change_shape;
mod event;
mod fields;
mod live_field;
pub(crate) mod root;
mod shared_reads;
