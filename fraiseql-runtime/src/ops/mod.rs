//! What an operator runs: comparing structs with the database, creating view tables, rebuilding,
//! syncing and verifying all documents.

pub mod check;
pub mod migrate;
pub mod rebuild;
pub mod refresh;
mod run_options;
pub(crate) mod sync_all;
pub mod verify;
