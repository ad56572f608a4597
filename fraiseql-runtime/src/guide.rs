//! Guides, with samples that are tested.
//!
//! | guide | after it, you can |
//! |---|---|
//! | [`attributes`] | use each attribute of the derives, and predict the document it produces |
//! | [`expanded`] | read the Rust and the SQL that a struct expands to |
//! | [`existing_database`] | add documents to an existing database without changing its tables |
//! | [`moving_over`] | replace your own triggers, materialized views, caches or projections, and switch capture on and off |
//! | [`concurrency`] | decide where to sync when several transactions write at once |
//! | [`serving`] | serve documents as structs, as JSON with `fields=`, as a GraphQL API |
//! | [`testing`] | test code that syncs, with and without a database |
//! | [`evolution`] | deploy a changed struct while its documents are read and written |
//! | [`operations`] | check, migrate, sync, verify, rebuild and monitor in production |
//!
//! The types of fields are documented in [`scalar`](crate::scalar).

// A guide is markdown that reads the same on a code host. A link of a guide is a reference, such as
// [`ReadModel::check`] or [operations][operations]. Of several definitions of a reference the first
// counts: here that is `links.md`, on a code host the list at the end of the guide.
//
// The samples are compiled and run by the package `fraiseql-guide-tests`, not as doctests.
macro_rules! guide {
    ($name:ident) => {
        #[cfg_attr(not(doctest), doc = include_str!("../docs/links.md"))]
        #[cfg_attr(not(doctest), doc = include_str!(concat!("../docs/", stringify!($name), ".md")))]
        pub mod $name {}
    };
}

guide!(attributes);
guide!(expanded);
guide!(existing_database);
guide!(moving_over);
guide!(concurrency);
guide!(serving);
guide!(testing);
guide!(evolution);
guide!(operations);
