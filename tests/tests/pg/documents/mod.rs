//! Tests that documents hold what the base tables hold, compared with other ways to compute it.

mod aliases;
mod chinook;
mod floats;
mod oracle;
mod parts;
