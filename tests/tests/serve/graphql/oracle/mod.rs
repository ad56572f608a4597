//! Tests that random queries, valid or not, get the verdict and the bytes of `data` that graphql-js
//! gives over the same SDL and documents. No difference is accepted.
//!
//! There are three schemas: `views` over a database, `memory` with documents that have nulls in
//! required fields, interfaces and unions, and `inputs` with arguments of every kind, mutations and
//! directives.
//!
//! For more queries: `ORACLE_QUERIES=20000 cargo test -p fraiseql-tests --test serve
//! graphql::oracle`, for each schema; for another seed: `ORACLE_SEED=7`.
//!
//! `direct` sends such queries with many values of their variables to an endpoint that answers directly,
//! and to one that does not.

mod compare;
mod direct;
mod generate;
mod inputs;
mod memory;
mod noise;
mod query;
mod spoil;
mod types;
mod views;
