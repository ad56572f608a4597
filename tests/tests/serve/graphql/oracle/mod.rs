//! graphql-js as an oracle: the same documents behind a schema that is built of our SDL, random
//! queries over it, valid ones and others; the same verdict, and the same bytes of `data`.
//!
//! More of them: `ORACLE_QUERIES=100000 cargo test -p fraiseql-tests --test serve graphql::oracle`;
//! from another beginning: `ORACLE_SEED=7`.

mod compare;
mod excuse;
mod generate;
mod memory;
mod query;
mod spoil;
mod types;
mod views;
