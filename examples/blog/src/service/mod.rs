//! What the blog does: a function for each command, which writes rows and says which.
//!
//! | how documents are kept | where to read it |
//! |---|---|
//! | after a create: the row is committed, then its document is made | [`users::create`] |
//! | a batch: one statement for the rows, one for the documents | [`posts::create_all`] |
//! | several entities at once | [`posts::create`], [`comments::create`] |
//! | only if a relevant column changed | [`users::update`] |
//! | not at all, where nothing changed | [`posts::publish`] |
//! | optimistic locking | [`posts::update`] |
//! | a move: the old parent and the new one | [`comments::move_to`] |
//! | a cascade | [`posts::delete`], [`users::delete`] |
//! | rows of a join table | [`posts::tag`] |
//! | in the background, many at once | [`likes::like`] |
//! | afterwards: what was missed is found | [`upkeep`] |
//!
//! Most run in a [`Mutation`](fraiseql_runtime::Mutation). They tell it which *rows* they have
//! changed; which documents are made of these is not known here. The mutation finds them, and
//! syncs each once, just before it commits. So whoever reads sees both changed, or neither.
//!
//! Each function takes the least that it needs, a trait of [`rows`](crate::rows), so that its unit
//! tests run it on a [`Recorder`](fraiseql_runtime::Recorder), without a database.

pub mod comments;
mod error;
pub mod likes;
pub mod posts;
#[cfg(test)]
mod tests;
mod text;
pub mod upkeep;
pub mod users;

pub use error::{Error, Result};
