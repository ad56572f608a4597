//! The commands: one function each, which writes rows and marks them.
//!
//! | how documents are kept up to date | example |
//! |---|---|
//! | a sync after the commit: first the row, then its document | [`users::create`] |
//! | a batch: one statement for the rows, one for the documents | [`posts::create_all`] |
//! | several views, one mark | [`posts::create`], [`comments::create`] |
//! | only if a relevant column changed | [`users::update`] |
//! | no mark if nothing changed | [`posts::publish`] |
//! | optimistic locking | [`posts::update`] |
//! | a move: the old parent and the new one | [`comments::move_to`] |
//! | a cascade | [`posts::delete`], [`users::delete`] |
//! | rows of a join table | [`posts::tag`] |
//! | in the background, durable | [`likes::like`] |
//! | a column that no document has costs no sync | [`count_view`](crate::rows::count_view) |
//! | repair of missed syncs | [`upkeep`] |
//!
//! Most commands run in a [`Mutation`](fraiseql_runtime::Mutation) and mark the *rows* that they
//! have changed. They do not know which documents depend on these rows. The mutation finds the
//! dependents and syncs each once, just before it commits, so that readers see both changed or
//! neither.
//!
//! With [`--capture`](crate::capture) triggers say which rows were changed, also those that psql changes, and
//! the marks add nothing. They are kept here because `--capture off` needs them.
//!
//! Each function takes only a trait of [`rows`](crate::rows), so that unit tests run it on a
//! [`Recorder`](fraiseql_runtime::Recorder), without a database.

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
