//! From schema to SQL text. Pure: nothing here opens a connection.
//!
//! [`document`] composes the query that builds documents, [`sync`] the statements that write
//! them, [`verify`] those that compare them, [`read`] those that read them, [`ddl`] the view
//! tables, `log` the log of syncs.
//! `aggregate`, `form` and `lock` are parts of these; `text` quotes and indents. `catalog` and
//! `probe` are what `check` asks a server.

mod aggregate;
pub(crate) mod catalog;
pub mod ddl;
pub mod document;
mod enums;
pub(crate) mod form;
mod lock;
pub(crate) mod log;
pub(crate) mod probe;
pub mod read;
pub mod session;
pub mod sync;
pub(crate) mod text;
pub mod verify;

use crate::schema::View;

/// Every statement of one view, composed once. A `static` of each view holds one, which
/// makes its texts `&'static str`.
#[derive(Debug)]
pub struct Statements {
    /// Builds and writes the documents of a list of keys.
    pub sync: sync::SyncSql,
    /// Compares documents with what they should be.
    pub verify: verify::VerifySql,
    /// Finds documents by key.
    pub read: read::ReadSql,
    /// The view table and its indexes.
    pub ddl: ddl::Ddl,
}

impl Statements {
    /// Composes the statements of `view`.
    #[must_use]
    pub fn compose(view: &View) -> Self {
        Self {
            sync: sync::compose(view),
            verify: verify::compose(view),
            read: read::compose(view),
            ddl: ddl::compose(view),
        }
    }
}
