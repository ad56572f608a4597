//! GraphQL types of views and parts, for [`async_graphql`].

mod asked;
mod connection;
mod document;
mod given;
mod input;
mod marked;
mod nesting;
mod once;
mod overlap;
mod prepared;
pub mod response;
mod root;
mod rules;
mod size;
mod types;
mod values;
mod views;

pub use connection::TvConnection;
pub use document::{TvDoc, TvList};
pub use input::{TvOrderBy, TvWhere};
pub use prepared::Prepared;
pub use views::{ViewSet, Views};
