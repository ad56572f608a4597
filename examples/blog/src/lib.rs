//! A blog's GraphQL server: commands write normalized tables, queries read stored documents. Which rows
//! were changed is said by triggers, or by marks of the commands.
//!
//! From the outside in:
//!
//! | module | |
//! |---|---|
//! | `main` | command line, start and shutdown |
//! | [`http`], [`page`] | routes and middleware; the HTML page |
//! | [`graphql`] | the schema |
//! | [`service`] | the commands, one function each |
//! | [`rows`] | SQL on base tables |
//! | [`views`] | the documents |
//! | [`app`] | state that all requests share |
//! | [`ops`] | metrics, health and logs |
//! | [`capture`], [`worker`] | who says which rows were changed, and who syncs what others changed |
//! | [`sample`] | sample rows for an empty blog |
//! | [`work`] | counts of what one request does |

pub mod app;
pub mod capture;
pub mod graphql;
pub mod http;
pub mod ops;
pub mod page;
pub mod rows;
pub mod sample;
pub mod service;
pub mod views;
pub mod work;
pub mod worker;
