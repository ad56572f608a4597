//! `Change`: a recorded mark of changed rows.

use std::fmt;

use crate::schema::key::Keys;

/// A recorded mark of changed rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The method that marked them.
    pub kind: ChangeKind,
    /// The table: `tb_comment`, or `schema.table` if the schema is not `public`. For
    /// [`ChangeKind::Resync`] it is the view table.
    pub table: String,
    /// The column that identifies the rows.
    pub column: String,
    /// Its values, each once and in order.
    pub keys: Keys,
}

/// The method that marked rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// By `changed` or `changed_rows`.
    Changed,
    /// By `changing` or `changing_rows`, before the change.
    Changing,
    /// By `inserted`.
    Inserted,
    /// By `resync`.
    Resync,
}

impl fmt::Display for Change {
    /// `changed tb_comment.id 7, 8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.kind {
            ChangeKind::Changed => "changed",
            ChangeKind::Changing => "changing",
            ChangeKind::Inserted => "inserted",
            ChangeKind::Resync => "resync",
        };
        write!(f, "{method} {}.{} {}", self.table, self.column, self.keys)
    }
}
