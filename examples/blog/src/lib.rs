//! A blog: commands write normalized tables, queries read ready documents, and the code of each
//! command says what it changed.
//!
//! From the outside in: `main` is what can be said on the command line; [`http`] is routes and
//! middleware; [`graphql`] is the schema; [`service`] is what the blog does, a function for each
//! command; [`rows`] is the SQL on base tables; [`views`] is the documents. [`app`] holds what they
//! share, [`ops`] is metrics and health, [`sample`] fills an empty blog.

pub mod app;
pub mod graphql;
pub mod http;
pub mod ops;
pub mod rows;
pub mod sample;
pub mod service;
pub mod views;
