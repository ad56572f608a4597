//! The statements of a rebuild: its bookkeeping, and the keys of stale documents.
//!
//! A bookkeeping table in the schema of the view tables has a row for each view and each shape
//! that the view was rebuilt to. The state of the newest row is `running` until the rebuild ends,
//! and then `done`. When a rebuild begins, the rows of other shapes become `superseded`.

use crate::schema::View;
use crate::sql::hash::fnv1a;
use crate::sql::shape;
use crate::sql::text::{Sql, column, ident, literal};

/// The name of the bookkeeping table, in the schema of the view table.
pub const TABLE: &str = "fraiseql_view";

/// The number of rows of the view table that one statement searches for stale documents.
const PAGE: usize = 5_000;

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
    /// Whether the rebuild to this shape is done; no row if it never began.
    pub is_done: String,
    /// Whether the view has documents.
    pub has_documents: String,
    /// Tries to lock the view for this session; false if another session has the lock.
    pub lock: String,
    /// Locks the view again after the session with the lock was lost: the server may need a moment
    /// to end that session, so this waits. Fails with 55P03 if another session has the lock.
    pub lock_again: String,
    /// Unlocks the view.
    pub unlock: String,
    /// Records that a rebuild begins or resumes. Returns an array of the key to resume after, or
    /// null, and the number of documents that were done before.
    pub begin: String,
    /// Records the progress: up to the key in the array `$1`, with `$2` documents of about `$3`.
    pub record: String,
    /// Records that the rebuild is done, with `$1` documents.
    pub finish: String,
    /// Records that the rebuild is done, if the view has no documents.
    pub note_empty: String,
    /// The keys of stale documents in the first rows of the view table, at most `$1`, and the last
    /// key that was searched, or null at the end of the table. Both are arrays.
    pub first_keys: String,
    /// [`first_keys`](Self::first_keys) for the rows after the key in the array `$1`, at most `$2`.
    pub next_keys: String,
}

/// Columns of the row that [`RebuildSql::status`] returns.
pub(crate) mod status {
    /// `running`, `done` or `superseded`; null if the view was never rebuilt to this shape.
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
        is_done: format!(
            "SELECT b.state = 'done'\nFROM {table} AS b\nWHERE {}",
            row.conditions().join(" AND ")
        ),
        has_documents: format!("SELECT EXISTS (SELECT FROM {})", view.table),
        lock: format!(
            "SELECT pg_catalog.pg_try_advisory_lock({})",
            view_lock(view).key
        ),
        // SET LOCAL needs a transaction, but the lock belongs to the session and outlives it.
        lock_again: format!(
            "BEGIN;\nSET LOCAL lock_timeout = '10s';\nSELECT pg_catalog.pg_advisory_lock({});\nCOMMIT",
            view_lock(view).key
        ),
        unlock: format!(
            "SELECT pg_catalog.pg_advisory_unlock({})",
            view_lock(view).key
        ),
        begin: row.begin(),
        record: row.record(),
        finish: row.finish(),
        note_empty: row.note_empty(),
        first_keys: row.keys(false),
        next_keys: row.keys(true),
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

/// The advisory lock of a view.
struct ViewLock {
    /// The key, as a literal.
    key: String,
    /// The upper half of the key, as it is in `pg_locks`.
    high: u64,
    /// The lower half.
    low: u64,
}

/// The lock has the same key for every shape, so that two releases do not rebuild a view to two
/// shapes at once.
fn view_lock(view: &View) -> ViewLock {
    let number = fnv1a(&format!("fraiseql rebuild {}", view.table));
    ViewLock {
        key: shape::literal(i64::from_be_bytes(number.to_be_bytes())),
        high: number >> 32,
        low: number & 0xffff_ffff,
    }
}

/// The row of a view and a shape in the bookkeeping table.
struct BookkeepingRow<'a> {
    view: &'a View,
    /// The quoted name of the bookkeeping table.
    table: &'a str,
    /// The name of the view table, as a literal.
    name: String,
    /// The number of the shape, as a literal.
    shape: String,
}

const NOW: &str = "pg_catalog.clock_timestamp()";

impl BookkeepingRow<'_> {
    fn conditions(&self) -> [String; 2] {
        [
            format!("b.view = {}", self.name),
            format!("b.shape = {}", self.shape),
        ]
    }

    fn status(&self) -> String {
        let ViewLock { high, low, .. } = view_lock(self.view);
        let micros =
            |column: &str| format!("(EXTRACT(EPOCH FROM b.{column}) * 1000000)::int8 AS {column}");
        let mut sql = Sql::new();
        sql.line("SELECT");
        sql.block_list([
            "b.state".to_owned(),
            // `pg_locks` has a key of 64 bits in two columns, and 1 in `objsubid`.
            format!(
                "EXISTS (\n  SELECT\n  FROM pg_catalog.pg_locks AS l\n  \
                 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1\n    \
                 AND l.classid = '{high}'::oid AND l.objid = '{low}'::oid\n    \
                 AND l.database = (\n      SELECT d.oid FROM pg_catalog.pg_database AS d\n      \
                 WHERE d.datname = pg_catalog.current_database()\n    )\n) AS locked"
            ),
            format!("EXISTS (SELECT FROM {}) AS has_documents", self.view.table),
            "b.position".to_owned(),
            "b.done".to_owned(),
            "b.expected".to_owned(),
            micros("started_at"),
            micros("updated_at"),
            micros("finished_at"),
        ]);
        // A row of its own, so that there is a result without a bookkeeping row.
        sql.line("FROM (SELECT) AS one");
        sql.line(format!(
            "LEFT JOIN {} AS b ON {}",
            self.table,
            self.conditions().join(" AND ")
        ));
        sql.finish()
    }

    fn begin(&self) -> String {
        let Self {
            table, name, shape, ..
        } = self;
        // A rebuild that was interrupted keeps its progress, and one that is done begins anew.
        let kept = |column: &str, other: &str| {
            format!("{column} = CASE WHEN b.state = 'running' THEN b.{column} ELSE {other} END")
        };
        let mut sql = Sql::new();
        // In one statement, so that a view never has two rows in the state `running`.
        sql.block("WITH others AS (", ")", |sql| {
            sql.line(format!("UPDATE {table} AS b SET"));
            sql.block_list([
                "state = 'superseded'".to_owned(),
                format!("updated_at = {NOW}"),
            ]);
            sql.conditions(
                "WHERE",
                &[
                    format!("b.view = {name}"),
                    format!("b.shape <> {shape}"),
                    "b.state <> 'superseded'".to_owned(),
                ],
            );
        });
        sql.line(format!(
            "INSERT INTO {table} AS b (view, shape, state, done, expected, started_at, updated_at)"
        ));
        sql.line(format!(
            "VALUES ({name}, {shape}, 'running', 0, 0, {NOW}, {NOW})"
        ));
        sql.line("ON CONFLICT (view, shape) DO UPDATE SET");
        sql.block_list([
            "state = 'running'".to_owned(),
            kept("position", "NULL"),
            kept("done", "0"),
            kept("expected", "0"),
            kept("started_at", "EXCLUDED.started_at"),
            "updated_at = EXCLUDED.updated_at".to_owned(),
            "finished_at = NULL".to_owned(),
        ]);
        sql.line("RETURNING");
        sql.block_list([
            format!(
                "CASE WHEN b.position IS NOT NULL THEN ARRAY[b.position::{}] END AS position",
                self.view.key.ty.sql
            ),
            "b.done".to_owned(),
        ]);
        sql.finish()
    }

    fn record(&self) -> String {
        let mut conditions = self.conditions().to_vec();
        // Of two connections, the one that is further may be the first to write.
        conditions.push("b.done < $2::int8".to_owned());
        self.update(
            [
                format!("position = ($1::{}[])[1]::text", self.view.key.ty.sql),
                "done = $2::int8".to_owned(),
                "expected = $3::int8".to_owned(),
                format!("updated_at = {NOW}"),
            ],
            &conditions,
        )
    }

    fn finish(&self) -> String {
        self.update(
            [
                "state = 'done'".to_owned(),
                "done = $1::int8".to_owned(),
                format!("updated_at = {NOW}"),
                format!("finished_at = {NOW}"),
            ],
            &self.conditions(),
        )
    }

    fn update(&self, sets: [String; 4], conditions: &[String]) -> String {
        let mut sql = Sql::new();
        sql.line(format!("UPDATE {} AS b SET", self.table));
        sql.block_list(sets);
        sql.conditions("WHERE", conditions);
        sql.finish()
    }

    fn note_empty(&self) -> String {
        let Self {
            table, name, shape, ..
        } = self;
        let mut sql = Sql::new();
        sql.line(format!(
            "INSERT INTO {table} AS b (view, shape, state, position, done, expected, started_at, updated_at, finished_at)"
        ));
        sql.line(format!(
            "SELECT {name}, {shape}, 'done', NULL, 0, 0, {NOW}, {NOW}, {NOW}"
        ));
        // Tested here, because a document may have been inserted since the caller looked.
        sql.line(format!(
            "WHERE NOT EXISTS (SELECT FROM {})",
            self.view.table
        ));
        sql.line("ON CONFLICT (view, shape) DO UPDATE SET");
        sql.block_list(
            [
                "state",
                "position",
                "done",
                "expected",
                "started_at",
                "updated_at",
                "finished_at",
            ]
            .map(|name| format!("{name} = EXCLUDED.{name}")),
        );
        sql.finish()
    }

    /// The keys of stale documents in one page of the view table. It does not read `data`, so that
    /// long documents are not fetched from the TOAST table.
    ///
    /// If the page has more stale documents than the limit, the search resumes after the last of
    /// them, otherwise after the page.
    fn keys(&self, after: bool) -> String {
        let view = self.view;
        let key = column("v", view.key.column);
        let limit = if after { "$2::int8" } else { "$1::int8" };
        let mut sql = Sql::new();
        sql.block("WITH page AS MATERIALIZED (", "),", |sql| {
            sql.line(format!(
                "SELECT {key} AS \"key\", v.shape IS DISTINCT FROM {} AS other",
                self.shape
            ));
            sql.line(format!("FROM {} AS v", view.table));
            if after {
                sql.line(format!("WHERE {key} > ($1::{}[])[1]", view.key.ty.sql));
            }
            sql.line(format!("ORDER BY {key}"));
            sql.line(format!("LIMIT {PAGE}"));
        });
        sql.block("others AS MATERIALIZED (", ")", |sql| {
            sql.line("SELECT \"key\"");
            sql.line("FROM page");
            sql.line("WHERE other");
            sql.line("ORDER BY \"key\"");
            sql.line(format!("LIMIT {limit}"));
        });
        sql.line("SELECT");
        sql.block_list([
            "ARRAY(SELECT \"key\" FROM others ORDER BY \"key\") AS keys".to_owned(),
            format!(
                "CASE WHEN (SELECT pg_catalog.count(*) FROM others) = {limit}\n    \
                 THEN ARRAY(SELECT \"key\" FROM others ORDER BY \"key\" DESC LIMIT 1)\n    \
                 ELSE ARRAY(SELECT \"key\" FROM page ORDER BY \"key\" DESC LIMIT 1)\n  \
                 END AS last"
            ),
        ]);
        sql.finish()
    }
}
