//! Guides, with examples that run.

#[doc = include_str!("../docs/existing_database.md")]
pub mod existing_database {}
