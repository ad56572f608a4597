//! Views as entities of a subgraph of [Apollo Federation 2](https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/federation).
//!
//! [`root`] has the object type whose views are entities, [`keys`] their `@key`s and what is
//! `@shareable`, [`representation`] reads the key of an entity, and [`batch`] reads the entities of a
//! field, in one statement for each type.

mod batch;
mod keys;
mod representation;
pub(crate) mod root;
