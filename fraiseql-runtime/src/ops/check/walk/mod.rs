//! Compares the shapes of a view with the base tables.
//!
//! `fields` goes through the fields of a shape: `columns` and `key` check the columns that they
//! read, `one` and `many` the links to other tables, `tables` the tables themselves and their
//! privileges, `index_coverage` the indexes that lookups need. `nullability` reads filters.
//! `state` is what all of them share. What only the server can judge is collected for
//! [`server_checks`](super::server_checks).

mod columns;
mod fields;
mod index_coverage;
mod key;
mod many;
mod nullability;
mod one;
mod state;
mod tables;

pub(crate) use self::fields::view;
