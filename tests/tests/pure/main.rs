//! Tests that need no server. They run once, not for each version of PostgreSQL.

mod migrate;
mod recorder;
mod select;
mod shapes;
mod sql;
