//! What the blog does: a function for each command, which writes rows, and says which.
//!
//! Each takes the least that it needs, a trait of [`rows`](crate::rows), so that its unit tests
//! run it on a [`Recorder`](fraiseql_runtime::Recorder), without a database. Which documents
//! depend on a row is not known here: a [`Mutation`](fraiseql_runtime::Mutation) finds them, and
//! syncs each once, just before it commits.

pub mod comments;
mod error;
pub mod likes;
pub mod posts;
pub mod users;

pub use error::{Error, Result};
