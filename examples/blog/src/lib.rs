//! A blog: commands write normalized tables, queries read ready documents, and the code of each
//! command says what it changed.
//!
//! From the outside in: `main` is what can be said on the command line; [`http`] is routes and
//! middleware, [`page`] is what a browser is shown; [`graphql`] is the schema; [`service`] is what the blog does, a function for each
//! command; [`rows`] is the SQL on base tables; [`views`] is the documents. [`app`] holds what they
//! share, [`ops`] is metrics and health, [`sample`] fills an empty blog, [`work`] counts what a
//! request does.

pub mod app;
pub mod graphql;
pub mod http;
pub mod ops;
pub mod page;
pub mod rows;
pub mod sample;
pub mod service;
pub mod views;
pub mod work;
