//! Guides, with samples that are tested.
//!
//! | guide | after it, you can |
//! |---|---|
//! | [`attributes`] | use each attribute of the derives, and predict the document it produces |
//! | [`storage`] | choose between view tables, live views and materialized views, and have the choice measured |
//! | [`tenants`] | keep the rows of many customers apart in one view |
//! | [`expanded`] | read the Rust and the SQL that a struct expands to |
//! | [`existing_database`] | add documents to an existing database without changing its tables |
//! | [`moving_over`] | replace your own triggers, materialized views, caches or projections, and switch capture on and off |
//! | [`concurrency`] | decide where to sync when several transactions write at once |
//! | [`serving`] | serve documents as structs, as JSON with `fields=`, as a GraphQL API |
//! | [`replicas`] | read on streaming replicas, and see your own writes there |
//! | [`several_servers`] | spread customers over servers, and use tables of another server |
//! | [`testing`] | test code that syncs, with and without a database |
//! | [`evolution`] | deploy a changed struct while its documents are read and written |
//! | [`poolers`] | run behind PgBouncer in transaction mode, with fewer connections of the server than clients |
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
guide!(storage);
guide!(tenants);
guide!(expanded);
guide!(existing_database);
guide!(moving_over);
guide!(concurrency);
guide!(serving);
guide!(replicas);
guide!(several_servers);
guide!(testing);
guide!(evolution);
guide!(poolers);
guide!(operations);
