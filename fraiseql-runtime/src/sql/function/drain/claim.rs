//! The claim: locks the changes of a batch, and summarizes them.

use crate::sql::function::drain::{Drain, MAX_FAILURES};
use crate::sql::queue::WHOLE;
use crate::sql::text::Sql;

/// The size of changes after which no more are claimed. One is always claimed.
const MAX_BYTES: usize = 128 * 1024;
/// How many rows with documents that were left for later are claimed at once, of those that never failed.
const MAX_LEFT: usize = 2;

impl Drain<'_> {
    /// Locks the changes of this batch, and summarizes them.
    pub(super) fn claim(&self, sql: &mut Sql) {
        for name in PLANNER {
            sql.line(format!(
                "fn$.{name} := pg_catalog.current_setting('enable_{name}');"
            ));
        }
        by_index(sql);
        sql.line("-- Transactions that were open when later ones were drained, then all others in their order,");
        sql.line("-- then what was left for later. A whole view is left to the caller.");
        let due = "c.retry_at <= pg_catalog.statement_timestamp()";
        let failed = "c.operation = 'SYNC' AND c.error IS NOT NULL";
        let first = "c.xid, c.id";
        for (with, name, condition, order, limit) in [
            (
                "WITH ",
                "late",
                "c.retry_at IS NULL AND c.xid = ANY ($3)",
                first,
                "$4".to_owned(),
            ),
            (
                "",
                "next",
                "c.retry_at IS NULL AND (c.xid, c.id) >= ($1, $2)",
                first,
                "$4".to_owned(),
            ),
            (
                "",
                "remaining",
                &format!("{due} AND NOT ({WHOLE}) AND NOT ({failed})"),
                "c.retry_at",
                MAX_LEFT.to_string(),
            ),
            (
                "",
                "failed",
                &format!("{due} AND NOT ({WHOLE}) AND {failed}"),
                "c.retry_at",
                MAX_FAILURES.to_string(),
            ),
        ] {
            sql.block(format!("{with}{name} AS MATERIALIZED ("), "),", |sql| {
                sql.line("SELECT c.ctid AS place, c.*");
                sql.line(format!("FROM {} AS c", self.table()));
                sql.line(format!("WHERE c.model = {} AND {condition}", self.number()));
                sql.line(format!("ORDER BY {order}"));
                sql.line(format!("LIMIT {limit}"));
                sql.line("FOR UPDATE SKIP LOCKED");
            });
        }
        chosen(sql);
        sql.line("SELECT");
        let position = format!("pg_catalog.array_position({}, c.\"table\")", self.tables());
        let failed = |value: &str| {
            format!(
                "coalesce((SELECT pg_catalog.array_agg({value} ORDER BY c.retry_at) FROM failed AS c), '{{}}')"
            )
        };
        sql.block_list([
            "coalesce(pg_catalog.array_agg(c.place), '{}')".to_owned(),
            "pg_catalog.min(c.changed_at)".to_owned(),
            "(SELECT pg_catalog.jsonb_object_agg(v.\"table\", v.\"columns\") FROM of_tables AS v)"
                .to_owned(),
            "pg_catalog.array_agg(DISTINCT c.\"table\") \
             FILTER (WHERE c.operation <> 'SYNC' AND c.old IS NULL AND c.new IS NULL)"
                .to_owned(),
            format!("pg_catalog.array_agg({position}) FILTER (WHERE c.operation = 'SYNC')"),
            "pg_catalog.array_agg(c.new) FILTER (WHERE c.operation = 'SYNC')".to_owned(),
            failed("c.place"),
            failed(&position),
        ]);
        sql.line("INTO fn$.claimed, fn$.since, fn$.images, fn$.whole, fn$.owners, fn$.lists,");
        sql.line("  fn$.failed, fn$.failed_owners");
        sql.line("FROM chosen AS c;");
        sql.block("fn$.has_failed := coalesce((", "), false);", |sql| {
            sql.line("SELECT true");
            sql.line(format!("FROM {} AS c", self.table()));
            sql.line(format!(
                "WHERE c.model = {} AND c.retry_at IS NOT NULL AND c.attempts > 0",
                self.number()
            ));
            sql.line("ORDER BY c.retry_at");
            sql.line("LIMIT 1");
        });
        as_before(sql);
    }
}

/// The settings of the planner that are off while the table of changes is searched.
const PLANNER: [&str; 3] = ["seqscan", "bitmapscan", "sort"];

/// Lets the planner use the index that has the order. The table grows and shrinks, and plans stay: one that was made for
/// an empty table would read all of a large one.
pub(super) fn by_index(sql: &mut Sql) {
    let settings =
        PLANNER.map(|name| format!("pg_catalog.set_config('enable_{name}', 'off', true)"));
    sql.line(format!("PERFORM {};", settings.join(", ")));
}

/// Ends [`by_index`].
pub(super) fn as_before(sql: &mut Sql) {
    let settings =
        PLANNER.map(|name| format!("pg_catalog.set_config('enable_{name}', fn$.{name}, true)"));
    sql.line(format!("PERFORM {};", settings.join(", ")));
}

/// The changes of this batch, and the values in them.
fn chosen(sql: &mut Sql) {
    sql.block("counted AS (", "),", |sql| {
        sql.line("SELECT c.*, pg_catalog.sum(");
        sql.line("    coalesce(pg_catalog.pg_column_size(c.old), 0) + coalesce(pg_catalog.pg_column_size(c.new), 0))");
        sql.line("  OVER (ORDER BY c.xid, c.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before");
        sql.line("FROM (TABLE late UNION ALL TABLE next) AS c");
    });
    sql.block("chosen AS (", "),", |sql| {
        let columns = "c.place, c.\"table\", c.operation, c.old, c.new, c.changed_at";
        sql.line(format!("SELECT {columns}"));
        sql.line("FROM counted AS c");
        sql.line(format!("WHERE c.before IS NULL OR c.before < {MAX_BYTES}"));
        sql.line(format!("UNION ALL SELECT {columns} FROM remaining AS c"));
    });
    sql.block("of_columns AS (", "),", |sql| {
        sql.line("SELECT c.\"table\", i.name, pg_catalog.jsonb_agg(DISTINCT v.value) AS list");
        sql.line("FROM chosen AS c");
        sql.line("CROSS JOIN LATERAL (VALUES (c.old), (c.new)) AS s (image)");
        sql.line("CROSS JOIN LATERAL pg_catalog.jsonb_each(s.image) AS i (name, list)");
        sql.line("CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(i.list) AS v (value)");
        sql.line("WHERE c.operation <> 'SYNC'");
        sql.line("GROUP BY c.\"table\", i.name");
    });
    sql.block("of_tables AS (", ")", |sql| {
        sql.line("SELECT v.\"table\", pg_catalog.jsonb_object_agg(v.name, v.list) AS \"columns\"");
        sql.line("FROM of_columns AS v");
        sql.line("GROUP BY v.\"table\"");
    });
}
