//! The statements about the row of a view and a shape in the bookkeeping table.

use crate::schema::View;
use crate::sql::rebuild::fill;
use crate::sql::rebuild::view_lock::{ViewLock, view_lock};
use crate::sql::text::Sql;

/// The row of a view and a shape in the bookkeeping table.
pub(super) struct BookkeepingRow<'a> {
    pub(super) view: &'a View,
    /// The quoted name of the bookkeeping table.
    pub(super) table: &'a str,
    /// The name of the view table, as a literal.
    pub(super) name: String,
    /// The number of the shape, as a literal.
    pub(super) shape: String,
}

const NOW: &str = "pg_catalog.clock_timestamp()";

impl BookkeepingRow<'_> {
    pub(super) fn conditions(&self) -> [String; 2] {
        [
            format!("b.view = {}", self.name),
            format!("b.shape = {}", self.shape),
        ]
    }

    pub(super) fn status(&self) -> String {
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
            format!("{} AS has_documents", fill::has_documents(self.view)),
            "b.position".to_owned(),
            "b.done".to_owned(),
            "b.expected".to_owned(),
            micros("started_at"),
            micros("updated_at"),
            micros("finished_at"),
            self.unfilled(),
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

    /// Whether rows that should have a document have none. It is known from the state in most cases:
    /// only a view that was noted as unfilled, and may have been filled by a full sync since, is
    /// compared with its base table.
    fn unfilled(&self) -> String {
        let mut sql = Sql::new();
        sql.line("CASE");
        sql.indented(|sql| {
            sql.line("WHEN b.state IN ('running', 'filling') THEN false");
            sql.line("WHEN b.state = 'unfilled' THEN");
            sql.indented(|sql| sql.line(fill::lacks_documents(self.view)));
            sql.line(format!(
                "WHEN {} THEN false",
                fill::has_documents(self.view)
            ));
            sql.line("ELSE");
            sql.indented(|sql| sql.line(fill::has_rows(self.view)));
        });
        sql.line("END AS unfilled");
        sql.finish()
    }

    pub(super) fn begin(&self) -> String {
        let Self {
            table, name, shape, ..
        } = self;
        // A rebuild that was interrupted keeps its progress, and one that is done begins anew.
        // Without documents there is no progress: the table was truncated, or restored without them.
        let is_interrupted = format!(
            "b.state IN ('running', 'filling') AND {}",
            fill::has_documents(self.view)
        );
        let kept = |column: &str, other: &str| {
            format!("{column} = CASE WHEN {is_interrupted} THEN b.{column} ELSE {other} END")
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
            "VALUES ({name}, {shape}, $1::text, 0, 0, {NOW}, {NOW})"
        ));
        sql.line("ON CONFLICT (view, shape) DO UPDATE SET");
        sql.block_list([
            "state = CASE WHEN b.state IN ('unfilled', 'filling') THEN 'filling' ELSE EXCLUDED.state END"
                .to_owned(),
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
                self.view.key.sql_type()
            ),
            "b.done".to_owned(),
        ]);
        sql.finish()
    }

    pub(super) fn record(&self) -> String {
        let mut conditions = self.conditions().to_vec();
        // Of two connections, the one that is further may be the first to write.
        conditions.push("b.done < $2::int8".to_owned());
        self.update(
            [
                format!("position = ($1::{}[])[1]::text", self.view.key.sql_type()),
                "done = $2::int8".to_owned(),
                "expected = $3::int8".to_owned(),
                format!("updated_at = {NOW}"),
            ],
            &conditions,
        )
    }

    pub(super) fn finish(&self) -> String {
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

    /// Notes whether the view needs to be filled, if it has no documents.
    pub(super) fn note(&self, rows: Rows) -> String {
        let Self {
            table, name, shape, ..
        } = self;
        let mut sql = Sql::new();
        sql.line(format!(
            "INSERT INTO {table} AS b (view, shape, state, position, done, expected, started_at, updated_at, finished_at)"
        ));
        let state = match rows {
            Rows::None => "'done'".to_owned(),
            Rows::Unknown => "'unfilled'".to_owned(),
            Rows::Readable => format!(
                "CASE WHEN {} THEN 'unfilled' ELSE 'done' END",
                fill::has_rows(self.view)
            ),
        };
        sql.line(format!(
            "SELECT {name}, {shape}, n.state, NULL, 0, 0, {NOW}, {NOW}, {NOW}"
        ));
        sql.line(format!("FROM (SELECT {state} AS state) AS n"));
        // Tested here, because a document may have been inserted since the caller looked.
        sql.line(format!("WHERE NOT {}", fill::has_documents(self.view)));
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

    /// Notes that the view was filled otherwise than by a rebuild, such as by a full sync.
    pub(super) fn note_filled(&self) -> String {
        let [view, shape] = self.conditions();
        let mut sql = Sql::new();
        sql.line(format!("UPDATE {} AS b SET", self.table));
        sql.block_list([
            "state = 'done'".to_owned(),
            format!("updated_at = {NOW}"),
            format!("finished_at = {NOW}"),
        ]);
        sql.conditions(
            "WHERE",
            &[view, shape, "b.state IN ('unfilled', 'filling')".to_owned()],
        );
        sql.finish()
    }
}

/// What is known of the base table when a view is noted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rows {
    /// It does not exist yet.
    None,
    /// It can be read: the statement looks whether it has rows.
    Readable,
    /// It cannot be read by this role.
    Unknown,
}
