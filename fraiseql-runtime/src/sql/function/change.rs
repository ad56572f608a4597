//! Statements about the change table.

use crate::sql::text::{Sql, ident};

/// The name of the change table.
const CHANGE_TABLE: &str = "fraiseql_change";

/// The quoted name of the change table.
pub(crate) fn change_table(schema: &str) -> String {
    format!("{}.{}", ident(schema), ident(CHANGE_TABLE))
}

/// Takes the changes of this transaction, into the variable `changes`: null if there are none.
pub(super) fn take_own(sql: &mut Sql, schema: &str, id: i64) {
    sql.block("WITH taken AS (", ")", |sql| {
        sql.line(format!("DELETE FROM {} AS c", change_table(schema)));
        sql.line(format!(
            "WHERE c.model = '{id}'::int8 AND c.xid = pg_catalog.pg_current_xact_id() AND c.operation <> 'SYNC'"
        ));
        sql.line("RETURNING c.\"table\", c.old, c.new");
    });
    merge(sql, "taken");
}

/// Merges change rows, into the variable `changes`: an object of tables, each with an object of columns, each
/// with an array of values. The value of a table that was truncated is null.
pub(super) fn merge(sql: &mut Sql, taken: &str) {
    sql.line("SELECT pg_catalog.jsonb_object_agg(t.\"table\", t.columns)");
    sql.line("INTO fn$.changes");
    sql.block("FROM (", ") AS t", |sql| {
        sql.line("SELECT");
        sql.line("  c.\"table\",");
        sql.line("  CASE WHEN NOT pg_catalog.bool_or(c.name IS NULL)");
        sql.line("    THEN pg_catalog.jsonb_object_agg(coalesce(c.name, ''), c.values) END AS columns");
        sql.block("FROM (", ") AS c", |sql| {
            sql.line("SELECT k.\"table\", e.key AS name, pg_catalog.jsonb_agg(DISTINCT v.value) AS values");
            sql.line(format!("FROM {taken} AS k"));
            sql.line("CROSS JOIN LATERAL (VALUES (k.old), (k.new)) AS s (image)");
            sql.line("LEFT JOIN LATERAL pg_catalog.jsonb_each(s.image) AS e (key, value) ON true");
            sql.line("LEFT JOIN LATERAL pg_catalog.jsonb_array_elements(e.value) AS v (value) ON true");
            sql.line("WHERE s.image IS NOT NULL OR (k.old IS NULL AND k.new IS NULL)");
            sql.line("GROUP BY k.\"table\", e.key");
        });
        sql.line("GROUP BY c.\"table\"");
    });
    sql.line(";");
}
