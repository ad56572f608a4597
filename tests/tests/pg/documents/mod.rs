//! Tests that documents contain what the base tables contain, compared with other ways to compute
//! it.

mod aliases;
mod chinook;
mod floats;
mod operators;
mod oracle;
mod order;
mod other_rows;

mod parts;
mod sessions;
