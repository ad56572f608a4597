//! The structure of the Rust crates in a checkout: modules, imports, circles and rooms.
//!
//! | term | meaning |
//! |---|---|
//! | file | one `.rs` file under `src`; inline modules belong to their file |
//! | arrow | file A names something that file B defines |
//! | circle | files that reach each other along arrows: a strongly connected component |
//! | room | everything below one name directly under `src`: `sync.rs` and all of `sync/` |
//!
//! [`modules`] reads a crate, [`imports`] finds its arrows, [`graph`] the circles and rooms,
//! [`rooms`] says which way arrows may point, [`layout`] where a module's file belongs, and [`figures`]
//! counts.

pub mod checkout;
pub mod figures;
pub mod graph;
pub mod imports;
pub mod layout;
pub mod modules;
pub mod report;
mod resolve;
pub mod rooms;
mod scan;
mod syntax;
mod tokens;
