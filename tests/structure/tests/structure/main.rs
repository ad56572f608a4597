//! The structure of this repository, held; and the tool that reads it, tried on small crates.

mod circles;
mod direction;
mod layout;
mod resolver;
