//! The statements of a rebuild: its bookkeeping, and the keys of stale and missing documents.
//!
//! A bookkeeping table in the schema of the view tables has a row for each view and each shape
//! that the view was rebuilt to. The states of the newest row are:
//!
//! | state | documents |
//! |---|---|
//! | `unfilled` | missing: the view is new over rows that exist, or its table was truncated |
//! | `filling` | being inserted by a rebuild, or by one that was interrupted |
//! | `running` | stale ones are being replaced by a rebuild, or by one that was interrupted |
//! | `done` | complete |
//!
//! When a rebuild begins, the rows of other shapes become `superseded`.

mod bookkeeping_row;
mod fill;
mod stale_keys;
mod view_lock;

use self::bookkeeping_row::{BookkeepingRow, Rows};
use self::view_lock::view_lock;
use crate::schema::View;
use crate::sql::key_pages::PageStart;
use crate::sql::shape;
use crate::sql::text::{Sql, ident, literal};

/// The name of the bookkeeping table, in the schema of the view table.
pub const TABLE: &str = "fraiseql_view";

/// Whether the bookkeeping table with the quoted name `$1` exists, and whether this session can
/// read and write it; and whether the view table `$2` exists.
pub(crate) const FOUND: &str = "\
SELECT
  c.oid IS NOT NULL AS exists,
  coalesce(pg_catalog.has_table_privilege(c.oid, 'SELECT'), false) AS readable,
  coalesce(
    pg_catalog.has_table_privilege(c.oid, 'INSERT')
      AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
      AND pg_catalog.current_setting('transaction_read_only') = 'off',
    false
  ) AS writable,
  pg_catalog.to_regclass($2) IS NOT NULL AS has_view
FROM (SELECT pg_catalog.to_regclass($1)::oid AS oid) AS c";

/// The statements of a rebuild.
#[derive(Debug)]
pub struct RebuildSql {
    /// The bookkeeping table, quoted.
    pub table: String,
    /// Creates the bookkeeping table.
    pub create: String,
    /// Returns the state of the rebuild to this shape: one row; see `status`.
    pub status: String,
    /// The state of the rebuild to this shape; no row if it never began.
    pub state: String,
    /// Whether the view has documents.
    pub has_documents: String,
    /// Whether the base table has rows that should have documents. It stops at the first one.
    pub has_rows: String,
    /// Whether such a row has no document.
    pub lacks_documents: String,
    /// Tries to lock the view for this transaction; false if another one has the lock.
    pub lock: String,
    /// Locks the view for this transaction, and waits for the lock.
    pub lock_again: String,
    /// Records that a rebuild begins or resumes, with the state `$1`: `filling` or `running`. Returns an array of the key to resume after, or
    /// null, and the number of documents that were done before.
    pub begin: String,
    /// Records the progress: up to the key in the array `$1`, with `$2` documents of about `$3`.
    pub record: String,
    /// Records that the rebuild is done, with `$1` documents.
    pub finish: String,
    /// Records whether the view has to be filled, if it has no documents.
    pub note: String,
    /// [`note`](Self::note) while the base table does not exist: nothing has to be filled.
    pub note_empty: String,
    /// [`note`](Self::note) for a role that cannot read the base table: it may have to be filled.
    pub note_unfilled: String,
    /// Records that the view was filled, by a full sync.
    pub note_filled: String,
    /// The keys of stale and missing documents among the first keys of the view, at most `$1`, and
    /// the last key that was searched, or none at the end. Both are arrays.
    pub first_keys: String,
    /// [`first_keys`](Self::first_keys) for the keys after the key in the array `$1`, at most `$2`.
    pub next_keys: String,
}

/// Columns of the row that [`RebuildSql::status`] returns.
pub(crate) mod status {
    /// One of the states of the module, or `superseded`; null if the view was never rebuilt to this shape.
    pub(crate) const STATE: usize = 0;
    /// Whether a session has the lock of the view.
    pub(crate) const LOCKED: usize = 1;
    /// Whether the view has documents.
    pub(crate) const HAS_DOCUMENTS: usize = 2;
    /// The last key whose document is done, as text.
    pub(crate) const POSITION: usize = 3;
    /// The number of documents that are done.
    pub(crate) const DONE: usize = 4;
    /// The approximate number of documents.
    pub(crate) const EXPECTED: usize = 5;
    /// The time of the beginning, in microseconds since 1970.
    pub(crate) const STARTED_AT: usize = 6;
    /// The time of the last change of the row.
    pub(crate) const UPDATED_AT: usize = 7;
    /// The time of the end.
    pub(crate) const FINISHED_AT: usize = 8;
    /// Whether rows lack documents, and no rebuild has begun to insert them.
    pub(crate) const UNFILLED: usize = 9;
}

/// Composes the statements of a view, whose shape has the number `number`.
pub(crate) fn compose(view: &View, number: i64) -> RebuildSql {
    let table = format!("{}.{}", ident(view.table.schema), ident(TABLE));
    let row = BookkeepingRow {
        view,
        table: &table,
        name: literal(view.table.name),
        shape: shape::literal(number),
    };
    RebuildSql {
        create: create(&table),
        status: row.status(),
        state: format!(
            "SELECT b.state\nFROM {table} AS b\nWHERE {}",
            row.conditions().join(" AND ")
        ),
        has_documents: format!("SELECT {}", fill::has_documents(view)),
        has_rows: format!("SELECT {}", fill::has_rows(view)),
        lacks_documents: format!("SELECT {}", fill::lacks_documents(view)),
        lock: format!(
            "SELECT pg_catalog.pg_try_advisory_xact_lock({})",
            view_lock(view).key
        ),
        lock_again: format!(
            "SELECT pg_catalog.pg_advisory_xact_lock({})",
            view_lock(view).key
        ),
        begin: row.begin(),
        record: row.record(),
        finish: row.finish(),
        note: row.note(Rows::Readable),
        note_empty: row.note(Rows::None),
        note_unfilled: row.note(Rows::Unknown),
        note_filled: row.note_filled(),
        first_keys: stale_keys::compose(view, number, PageStart::First),
        next_keys: stale_keys::compose(view, number, PageStart::AfterKey),
        table,
    }
}

fn create(table: &str) -> String {
    let mut sql = Sql::new();
    sql.block(format!("CREATE TABLE {table} ("), ")", |sql| {
        sql.list(
            [
                "view text NOT NULL",
                "shape int8 NOT NULL",
                "state text NOT NULL",
                "position text",
                "done int8 NOT NULL",
                "expected int8 NOT NULL",
                "started_at timestamptz NOT NULL",
                "updated_at timestamptz NOT NULL",
                "finished_at timestamptz",
                "PRIMARY KEY (view, shape)",
            ]
            .map(str::to_owned),
        );
    });
    sql.finish()
}
