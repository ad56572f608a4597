//! The three storages of a view under five loads, and what the advisor says about each.
//!
//! A load is a number of reads for each write. Reads are `find` of a random key. With a view table, the
//! write is a mutation; otherwise it is the same statement in a transaction. The materialized view is
//! refreshed after a number of writes, which is how old its documents may be.

mod loads;
mod run;

pub(crate) use self::run::{Options, run};
