//! Tests that random queries, valid or not, get the verdict and the bytes of `data` that graphql-js
//! gives over the same SDL and documents.
//!
//! For more queries: `ORACLE_QUERIES=100000 cargo test -p fraiseql-tests --test serve
//! graphql::oracle`; for another seed: `ORACLE_SEED=7`.

mod compare;
mod excuse;
mod generate;
mod memory;
mod query;
mod spoil;
mod types;
mod views;
