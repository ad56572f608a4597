//! Reading documents: `typed` by key, as their struct or as JSON, and [`mod@list`] by a filter, in
//! order and page by page; [`select`] selects fields of what was read.
//!
//! `target` is where a read runs; `readers` is a pool for reads, and `lending` passes its
//! connections from one read to the next. `by_key` and `list_rows` run the two kinds of statements,
//! and `stale` builds the documents that were stored for another shape.

pub(crate) mod by_key;
pub(crate) mod document;
mod error;
pub(crate) mod find;
mod lending;
pub mod list;
pub(crate) mod list_rows;
pub(crate) mod readers;
pub mod select;
mod stale;
pub(crate) mod target;
pub(crate) mod typed;

pub use self::document::Document;
pub use self::readers::Readers;
pub use self::target::ReadTarget;
