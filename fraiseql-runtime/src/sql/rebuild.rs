//! The bookkeeping of rebuilds, and the keys of documents of another shape.
//!
//! A table beside the view tables of a schema has a row for each of them and each shape that
//! it was rebuilt to. The newest has the state `running`, from the beginning of the rebuild to
//! its end, and then `done`; those of other shapes are `superseded` once it begins.

use crate::schema::View;
use crate::sql::ddl::hash;
use crate::sql::shape;
use crate::sql::text::{Sql, column, ident, literal};

/// The name of the bookkeeping table, in the schema of the view table.
pub const TABLE: &str = "fraiseql_view";

/// How many rows of the view table are looked at for documents of another shape at once.
const PAGE: usize = 5_000;

/// Whether the table of the quoted name `$1` exists, and what may be done with it here; and
/// whether the table `$2` exists.
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
    /// Creates it.
    pub create: String,
    /// Says how the view stands: one row; see [`status`].
    pub status: String,
    /// Says whether it was noted that the view is done; no row where nothing was.
    pub is_done: String,
    /// Says whether there are documents.
    pub has_documents: String,
    /// Takes the lock of the view for this session, if nobody else has it.
    pub lock: String,
    /// Takes it where a session of ours held it that was lost: the server may need a moment to
    /// notice. It fails with 55P03 where another session has it.
    pub lock_again: String,
    /// Gives it back.
    pub unlock: String,
    /// Notes that a rebuild begins or goes on; answers with an array of the key to go on behind,
    /// or null, and how many documents were done before.
    pub begin: String,
    /// Notes how far it has come: up to the key in the array `$1`, with `$2` documents of
    /// about `$3`.
    pub record: String,
    /// Notes that it is done, with `$1` documents.
    pub finish: String,
    /// Notes that there is nothing to rebuild, if there are no documents.
    pub note_empty: String,
    /// The first `$1` keys of documents of another shape, of the first rows of the view table;
    /// and the key up to which was looked, null at the end. Both are arrays.
    pub first_keys: String,
    /// The same of the rows after the key in the array `$1`; `$2` keys.
    pub next_keys: String,
}

/// Columns of the answer of [`RebuildSql::status`].
pub mod status {
    /// `running`, `done` or `superseded`; null where the view was never rebuilt to this shape.
    pub const STATE: usize = 0;
    /// Whether a session holds the view's lock.
    pub const LOCKED: usize = 1;
    /// Whether there are documents.
    pub const HAS_DOCUMENTS: usize = 2;
    /// The last key that is done, as text.
    pub const POSITION: usize = 3;
    /// How many documents are done.
    pub const DONE: usize = 4;
    /// How many there are, about.
    pub const EXPECTED: usize = 5;
    /// When it began, in microseconds since 1970.
    pub const STARTED_AT: usize = 6;
    /// When the last chunk was done.
    pub const UPDATED_AT: usize = 7;
    /// When it was over.
    pub const FINISHED_AT: usize = 8;
}

pub(crate) fn compose(view: &View, number: i64) -> RebuildSql {
    let table = format!("{}.{}", ident(view.table.schema), ident(TABLE));
    let row = Row {
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
        lock: format!("SELECT pg_catalog.pg_try_advisory_lock({})", lock(view).sql),
        lock_again: format!(
            "BEGIN;\nSET LOCAL lock_timeout = '10s';\nSELECT pg_catalog.pg_advisory_lock({});\nCOMMIT",
            lock(view).sql
        ),
        unlock: format!("SELECT pg_catalog.pg_advisory_unlock({})", lock(view).sql),
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
struct Lock {
    sql: String,
    /// Its two halves, as `pg_locks` has them.
    high: u64,
    low: u64,
}

/// It is the same for every shape: two of them must not be made at once.
fn lock(view: &View) -> Lock {
    let number = hash(&format!("fraiseql rebuild {}", view.table));
    Lock {
        sql: shape::literal(i64::from_be_bytes(number.to_be_bytes())),
        high: number >> 32,
        low: number & 0xffff_ffff,
    }
}

/// The row of a view and a shape.
struct Row<'a> {
    view: &'a View,
    table: &'a str,
    name: String,
    shape: String,
}

const NOW: &str = "pg_catalog.clock_timestamp()";

impl Row<'_> {
    fn conditions(&self) -> [String; 2] {
        [
            format!("b.view = {}", self.name),
            format!("b.shape = {}", self.shape),
        ]
    }

    fn status(&self) -> String {
        let Lock { high, low, .. } = lock(self.view);
        let micros =
            |column: &str| format!("(EXTRACT(EPOCH FROM b.{column}) * 1000000)::int8 AS {column}");
        let mut sql = Sql::new();
        sql.line("SELECT");
        sql.block_list([
            "b.state".to_owned(),
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
        let kept = |column: &str, other: &str| {
            format!("{column} = CASE WHEN b.state = 'running' THEN b.{column} ELSE {other} END")
        };
        let mut sql = Sql::new();
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
        // Of two connections, the one that was later may be first to write.
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

    /// Documents are not read, nor brought from where long ones are kept.
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
