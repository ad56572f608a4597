//! From schema to SQL text. Pure: nothing here opens a connection.
//!
//! [`document`] composes the query that builds documents, [`mod@write`] the statement that writes
//! them, [`part`] those that replace a part of one, [`sync`] those around it, [`read`] those that read them, [`ddl`] the view tables, `log`
//! the log of syncs, `dependents` the ways from changed rows up to documents, `cascade` those
//! from deleted rows to what goes with them.
//! `aggregate`, `form` and `lock` are parts of these; `text` quotes and indents. `catalog` and
//! `probe` are what `check` asks a server.

mod aggregate;
pub(crate) mod cascade;
pub(crate) mod catalog;
pub mod ddl;
pub(crate) mod dependents;
pub mod document;
mod enums;
pub(crate) mod form;
pub(crate) mod lock;
pub(crate) mod log;
pub mod part;
pub(crate) mod probe;
pub mod read;
pub mod session;
pub mod sync;
pub(crate) mod text;
pub mod write;

use crate::schema::View;

/// Every statement of one view, composed once. A `static` of each view holds one, which
/// makes its texts `&'static str`.
#[derive(Debug)]
pub struct Statements {
    /// Builds and writes the documents of a list of keys.
    pub sync: sync::SyncSql,
    /// Finds documents by key.
    pub read: read::ReadSql,
    /// Replace parts of documents.
    pub parts: Vec<part::PartSql>,
    /// The view table and its indexes.
    pub ddl: ddl::Ddl,
}

impl Statements {
    /// Composes the statements of `view`.
    #[must_use]
    pub fn compose(view: &View) -> Self {
        Self {
            sync: sync::compose(view),
            read: read::compose(view),
            parts: part::compose(view),
            ddl: ddl::compose(view),
        }
    }
}
