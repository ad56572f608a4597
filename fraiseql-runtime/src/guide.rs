//! Guides, with examples that run.
//!
//! | guide | for |
//! |---|---|
//! | [`attributes`] | every attribute, with what it makes of a row |
//! | [`expanded`] | what one struct becomes, in Rust and in SQL |
//! | [`existing_database`] | documents on tables that are there already |
//! | [`concurrency`] | what is guaranteed where several write at once, what is not, how it works |
//! | [`serving`] | documents as structs, as JSON with `fields=`, as a GraphQL API |
//! | [`testing`] | services that sync, without a database |
//! | [`evolution`] | a struct that changes while its documents are read: rebuilds, deploys |
//! | [`operations`] | check, migrate, full syncs, verifications, rebuilds, limits, logs, metrics, storage |
//!
//! The types of fields are at [`scalar`](crate::schema::scalar).

#[doc = include_str!("../docs/attributes.md")]
pub mod attributes {}

#[doc = include_str!("../docs/expanded.md")]
pub mod expanded {}

#[cfg_attr(
    all(feature = "chrono", feature = "rust_decimal"),
    doc = include_str!("../docs/existing_database.md")
)]
#[cfg_attr(
    not(all(feature = "chrono", feature = "rust_decimal")),
    doc = "This guide is there with the features `chrono` and `rust_decimal`, which it uses."
)]
pub mod existing_database {}

#[doc = include_str!("../docs/concurrency.md")]
pub mod concurrency {}

#[doc = include_str!("../docs/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/evolution.md")]
pub mod evolution {}

#[cfg_attr(
    all(feature = "tracing", feature = "metrics"),
    doc = include_str!("../docs/operations.md")
)]
#[cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    doc = "This guide is there with the features `tracing` and `metrics`, which it uses."
)]
pub mod operations {}

#[cfg_attr(not(doctest), doc = include_str!("../docs/serving.md"))]
pub mod serving {}
