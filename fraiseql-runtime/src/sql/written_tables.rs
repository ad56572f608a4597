//! Which base tables a transaction has written to.
//!
//! A statement that writes takes a lock of the mode ROW EXCLUSIVE, which is held until the
//! transaction ends, and is given back by the rollback to a savepoint. But it takes the lock also if
//! it finds no row. PostgreSQL counts the rows; the counts are those of the session, and contain
//! what transactions before this one have written and not yet reported. So they are noted at the
//! beginning, and compared at the end.

use crate::schema::Table;
use crate::sql::text::{Sql, literal};

/// The setting, local to the transaction, in which the counts are noted: `16384:7,16390:1`.
const SETTING: &str = "fraiseql.written";

/// Notes the counts of these tables, and of those that inherit from them.
pub(crate) fn note_counts(tables: &[Table]) -> String {
    let mut sql = Sql::new();
    families(&mut sql, tables, ")");
    sql.line("SELECT pg_catalog.set_config(");
    sql.indented(|sql| {
        sql.line(format!("{},", literal(SETTING)));
        sql.block("coalesce((", "), ''),", |sql| {
            sql.line("SELECT pg_catalog.string_agg(n.oid::text || ':' || n.count::text, ',')");
            sql.line(format!(
                "FROM (SELECT DISTINCT f.oid, {} AS count FROM family AS f) AS n",
                count("f.oid")
            ));
            sql.line("WHERE n.count > 0");
        });
        sql.line("true)");
    });
    sql.finish()
}

/// Returns, as rows of one text, those of these tables to which this transaction has written rows;
/// also those that it has truncated, for which it holds the lock ACCESS EXCLUSIVE.
pub(crate) fn written(tables: &[Table]) -> String {
    let mut sql = Sql::new();
    families(&mut sql, tables, "),");
    sql.block("before (oid, count) AS (", ")", |sql| {
        sql.line("SELECT");
        sql.line("  pg_catalog.split_part(n.note, ':', 1)::oid,");
        sql.line("  pg_catalog.split_part(n.note, ':', 2)::int8");
        sql.line("FROM pg_catalog.unnest(pg_catalog.string_to_array(nullif(");
        sql.line(format!(
            "  pg_catalog.current_setting({}, true), ''), ',')) AS n (note)",
            literal(SETTING)
        ));
    });
    sql.line("SELECT DISTINCT f.root");
    sql.line("FROM pg_catalog.pg_locks AS l");
    sql.line("JOIN family AS f ON f.oid = l.relation");
    sql.line("LEFT JOIN before AS b ON b.oid = f.oid");
    sql.line("WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted");
    sql.line("AND (l.mode = 'AccessExclusiveLock'");
    sql.line("  OR l.mode = 'RowExclusiveLock' AND (");
    sql.line("    pg_catalog.current_setting('track_counts') = 'off'");
    sql.line(format!(
        "    OR {} > coalesce(b.count, 0)))",
        count("f.oid")
    ));
    sql.line("ORDER BY 1");
    sql.finish()
}

/// The number of rows of a table that the session has written and not yet reported.
fn count(oid: &str) -> String {
    let counters = ["inserted", "updated", "deleted"];
    let counts: Vec<String> = counters
        .iter()
        .map(|counter| format!("pg_catalog.pg_stat_get_xact_tuples_{counter}({oid})"))
        .collect();
    counts.join(" + ")
}

/// The CTE `family`: the tables, and those that inherit from them, with the name of the first.
fn families(sql: &mut Sql, tables: &[Table], end: &str) {
    sql.block("WITH RECURSIVE family (root, oid) AS (", end, |sql| {
        let names: Vec<String> = tables
            .iter()
            .map(|table| literal(&table.to_string()))
            .collect();
        sql.line("SELECT g.name, pg_catalog.to_regclass(g.name)::oid");
        sql.line(format!(
            "FROM pg_catalog.unnest(ARRAY[{}]::text[]) AS g (name)",
            names.join(", ")
        ));
        sql.line("UNION");
        sql.line("SELECT f.root, i.inhrelid");
        sql.line("FROM family AS f");
        sql.line("JOIN pg_catalog.pg_inherits AS i ON i.inhparent = f.oid");
    });
}
