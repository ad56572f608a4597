//! What the CTEs of a write statement are composed from.

use crate::schema::View;
use crate::sql::differences::{content_columns, content_labels};
use crate::sql::document::BatchSize;
use crate::sql::row_key::RowKey;
use crate::sql::session::Session;
use crate::sql::shape;
use crate::sql::write::protocol::WriteProtocol;

/// A write statement. The other files of this module add methods, each of which writes some of
/// its CTEs.
pub(in crate::sql) struct WriteStatement<'a> {
    pub(super) view: &'a View,
    pub(super) protocol: WriteProtocol,
    pub(super) batch_size: BatchSize,
    pub(super) session: Session,
    /// The number of the view's shape, as a literal.
    pub(super) shape: String,
    /// The key of a stored document, `v`.
    pub(super) key: RowKey,
    /// The promoted columns, then `data`.
    pub(super) columns: Vec<&'static str>,
    /// Their names in built rows.
    pub(super) labels: Vec<String>,
}

impl<'a> WriteStatement<'a> {
    pub(in crate::sql) fn new(
        view: &'a View,
        number: i64,
        batch_size: BatchSize,
        protocol: WriteProtocol,
    ) -> Self {
        Self {
            view,
            protocol,
            batch_size,
            session: Session::of([view.shape]),
            shape: shape::literal(number),
            key: view.stored_key("v"),
            columns: content_columns(view),
            labels: content_labels(view),
        }
    }
}
