//! Reading documents: `typed` by key, as their struct or as JSON, and [`mod@list`] by a filter, in
//! order and page by page; [`select`] selects fields of what was read.
//!
//! `scope` is whose documents a read returns, and `scoped` reads those of one tenant or of all.
//! `target` is where a read runs; `readers` is a pool for reads, and `lending` passes its
//! connections from one read to the next; `coalesce` makes one read of several that would wait, which `key_batches` does
//! for single documents. `conditional` reads a document unless the client has it.
//! `global_id` is a type and a key as one text. `by_key` and `list_rows` run the two kinds of statements,
//! `by_values` reads by keys whose types are known at run time, `column_row` writes the JSON of a document from
//! columns, and `stale` builds the documents that were stored for another shape.

pub(crate) mod by_key;
pub(crate) mod by_values;
pub(crate) mod coalesce;
pub(crate) mod column_row;
mod conditional;
pub(crate) mod document;
pub(crate) mod error;
pub(crate) mod find;
pub(crate) mod global_id;
mod hidden;
mod key_batches;
mod lending;
pub mod list;
pub(crate) mod list_rows;
pub(crate) mod readers;
pub(crate) mod replicas;
pub(crate) mod scope;
pub(crate) mod scoped;
pub mod select;
mod server;
mod stale;
pub(crate) mod target;
pub(crate) mod typed;

pub use self::conditional::{ETag, FoundUnless, IfNoneMatch};
pub use self::document::Document;
pub use self::global_id::{GlobalId, GlobalIdError};
pub use self::readers::Readers;
pub use self::replicas::Replicas;
pub use self::replicas::state::ReplicaState;
pub use self::replicas::status::{ReplicaStatus, ReplicasStatus};
pub use self::scoped::Scoped;
pub use self::target::ReadTarget;
