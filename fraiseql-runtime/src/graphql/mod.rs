//! GraphQL types of views and parts, for [`async_graphql`].

mod asked;
mod document;
mod once;
mod overlap;
mod prepared;
mod root;
mod size;
mod types;

pub use document::{TvDoc, TvList};
pub use prepared::Prepared;
