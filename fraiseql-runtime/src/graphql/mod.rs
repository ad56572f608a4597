//! GraphQL types of views and parts, for [`async_graphql`].

mod asked;
mod connection;
mod document;
pub(crate) mod error;
mod input;
mod limits;
mod once;
mod overlap;
pub(crate) mod prepared;
pub(crate) mod queries;
pub mod response;
mod root;
mod types;
mod views;

pub use connection::TvConnection;
pub use document::{TvDoc, TvList};
pub use input::{TvOrderBy, TvWhere};
pub use limits::DocumentLimits;
pub use prepared::Prepared;
pub use views::{ViewSet, Views};
