//! Tests of the structure of this repository, and of the tool that reads it, on small crates.

mod circles;
mod direction;
mod layout;
mod resolver;
