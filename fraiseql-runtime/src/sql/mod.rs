//! From schema to SQL text. Pure: nothing here opens a connection.
//!
//! [`document`] composes the query that builds documents, [`mod@write`] the statement that writes
//! them, [`part`] those that replace a part of one, [`sync`] those around it, [`read`] those that
//! read them by key, `list` those that read lists of them, [`verify`] those that compare them, [`ddl`] the view tables, [`rebuild`] what is rebuilt and how far that has come;
//! `shape` tells the documents of two versions of a struct apart, `log` is the log of syncs,
//! `dependents` are the ways from changed rows up to documents, `cascade` those from deleted rows
//! to what goes with them.
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
pub(crate) mod list;
pub(crate) mod lock;
pub(crate) mod log;
pub mod part;
pub(crate) mod probe;
pub mod read;
pub mod rebuild;
pub mod session;
pub(crate) mod shape;
pub mod sync;
pub(crate) mod text;
pub mod verify;
pub mod write;

use crate::schema::View;

/// Every statement of one view, composed once. A `static` of each view holds one, which
/// makes its texts `&'static str`.
#[derive(Debug)]
pub struct Statements {
    /// The number of the shape of the view's documents, which is stored beside each. It changes
    /// with everything that decides what is stored.
    pub shape: i64,
    /// Builds and writes the documents of a list of keys.
    pub sync: sync::SyncSql,
    /// Compares documents with what they should be.
    pub verify: verify::VerifySql,
    /// Finds documents by key.
    pub read: read::ReadSql,
    /// Replace parts of documents.
    pub parts: Vec<part::PartSql>,
    /// The view table and its indexes.
    pub ddl: ddl::Ddl,
    /// Rebuilds documents of another shape.
    pub rebuild: rebuild::RebuildSql,
}

impl Statements {
    /// Composes the statements of `view`.
    #[must_use]
    pub fn compose(view: &View) -> Self {
        let shape = shape::number(view);
        Self {
            shape,
            sync: sync::compose(view, shape),
            verify: verify::compose(view),
            read: read::compose(view, shape),
            parts: part::compose(view, shape),
            ddl: ddl::compose(view),
            rebuild: rebuild::compose(view, shape),
        }
    }
}
