//! An order service: commands are functions of the database, queries read stored documents.
//!
//! A command runs in a [`Mutation`](fraiseql_runtime::Mutation). Triggers record which rows its function
//! changes, so that the documents of these rows are right with its commit, and no code says which they are.
//!
//! From the outside in:
//!
//! | module | |
//! |---|---|
//! | `main` | command line, start and shutdown |
//! | [`http`] | the routes, and what may be cached |
//! | [`graphql`] | the schema |
//! | [`commands`] | the commands, one function each |
//! | [`error`] | their errors, by SQLSTATE |
//! | [`views`] | the documents |
//! | [`app`] | state that all requests share |
//! | [`sample`] | sample rows for an empty database |
//!
//! The rules are in `migrations/0002_commands.sql`.

pub mod app;
pub mod commands;
pub mod error;
pub mod graphql;
pub mod http;
pub mod sample;
pub mod views;

pub use error::OrderError;
