//! Statements about the change table.

use crate::schema::{Columns, Table};
use crate::sql::row_key::columns_of;
use crate::sql::text::{Sql, column, ident, literal};

/// The name of the change table.
pub(crate) const CHANGE_TABLE: &str = "fraiseql_change";

/// The largest number of pairs of arguments of `jsonb_build_object`: a function has a hundred at most.
pub(crate) const MAX_PAIRS: usize = 50;

/// The quoted name of the change table.
pub(crate) fn change_table(schema: &str) -> String {
    format!("{}.{}", ident(schema), ident(CHANGE_TABLE))
}

/// The condition that a change row is one of this transaction, and not of documents that were left to a worker.
pub(super) fn is_own(row: &str, id: i64) -> String {
    format!(
        "{row}.model = '{id}'::int8 AND {row}.xid = pg_catalog.pg_current_xact_id() AND {row}.operation <> 'SYNC'"
    )
}

/// Takes the changes of this transaction into the variable `rows`: an array of objects.
pub(super) fn take(sql: &mut Sql, schema: &str, id: i64) {
    sql.block("WITH taken AS (", ")", |sql| {
        sql.line(format!("DELETE FROM {} AS c", change_table(schema)));
        sql.line(format!("WHERE {}", is_own("c", id)));
        sql.line("RETURNING c.\"table\", c.old, c.new");
    });
    sql.line("SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(t)), '[]')");
    sql.line("INTO fn$.rows");
    sql.line("FROM taken AS t;");
}

/// The value of columns of a row in a change: null if it leads to no document.
pub(crate) fn value_of(columns: Columns, row: &str) -> String {
    let value = tuple_of(columns, row);
    match columns.single() {
        Some(_) => value,
        None => format!("CASE WHEN {} THEN {value} END", is_not_null(columns, row)),
    }
}

/// The value of columns of a row, none of which is null.
pub(crate) fn tuple_of(columns: Columns, row: &str) -> String {
    match columns.single() {
        Some(name) => column(row, name),
        None => format!("pg_catalog.jsonb_build_array({})", columns_of(row, columns)),
    }
}

/// The condition that no column is null.
pub(crate) fn is_not_null(columns: Columns, row: &str) -> String {
    let names = columns.names().iter();
    let conditions: Vec<String> = names
        .map(|name| format!("{} IS NOT NULL", column(row, name)))
        .collect();
    conditions.join(" AND ")
}

/// The most values that are looked for in changes: each is compared with all.
const MAX_COMPARED: usize = 50;

/// The condition that one of the changes in the variable `rows` has all these values, before or after. It does not hold if
/// they are many.
pub(super) fn has_values(table: Table, name: &str, values: &str) -> String {
    let images = ["new", "old"].map(|image| {
        format!(
            "fn$.rows @> pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('table', {},\n    \
             '{image}', pg_catalog.jsonb_build_object({}, {values})))",
            literal(&table.to_string()),
            literal(name)
        )
    });
    // In parentheses: PL/pgSQL takes any other THEN for its own.
    format!(
        "(CASE WHEN pg_catalog.jsonb_array_length({values}) <= {MAX_COMPARED} THEN\n    {}\n  ELSE false END)",
        images.join("\n    OR ")
    )
}

/// Merges the changes in the variable `rows` into the variable `changes`: null if there are none.
pub(super) fn merge_rows(sql: &mut Sql) {
    sql.line("-- Usually there is one row, with one image or the same values in both.");
    sql.line("IF pg_catalog.jsonb_array_length(fn$.rows) = 1 AND (");
    sql.line("  coalesce(fn$.rows #> '{0,old}', 'null') IN ('null', fn$.rows #> '{0,new}')");
    sql.line("  OR fn$.rows #> '{0,new}' = 'null'");
    sql.block(") THEN", "ELSIF fn$.rows <> '[]' THEN", |sql| {
        sql.line("fn$.changes := pg_catalog.jsonb_build_object(");
        sql.line("  fn$.rows #>> '{0,table}',");
        sql.line("  coalesce(nullif(fn$.rows #> '{0,new}', 'null'), nullif(fn$.rows #> '{0,old}', 'null'))");
        sql.line(");");
    });
    sql.indented(|sql| {
        merge(
            sql,
            "SELECT m.*\nFROM pg_catalog.jsonb_to_recordset(fn$.rows) AS m (\"table\" text, old jsonb, new jsonb)",
            true,
        );
    });
    sql.line("END IF;");
}

/// Returns the changes of this transaction, merged, and leaves them where they are.
pub(super) fn read_own(schema: &str, id: i64) -> String {
    let mut sql = Sql::new();
    let rows = format!(
        "SELECT o.\"table\", o.old, o.new\nFROM {} AS o\nWHERE {}",
        change_table(schema),
        is_own("o", id)
    );
    merge(&mut sql, &rows, false);
    sql.finish()
}

/// Merges change rows, into the variable `changes` of a function or as the result: an object of tables, each with an object of columns, each
/// with an array of values. The value of a table that was truncated is null.
fn merge(sql: &mut Sql, rows: &str, into_variable: bool) {
    sql.line("SELECT pg_catalog.jsonb_object_agg(t.\"table\", t.columns)");
    if into_variable {
        sql.line("INTO fn$.changes");
    }
    let end = if into_variable { ") AS t;" } else { ") AS t" };
    sql.block("FROM (", end, |sql| {
        sql.line("SELECT");
        sql.line("  c.\"table\",");
        sql.line("  CASE WHEN NOT pg_catalog.bool_or(c.name IS NULL)");
        sql.line("    THEN pg_catalog.jsonb_object_agg(coalesce(c.name, ''), c.values) END AS columns");
        sql.block("FROM (", ") AS c", |sql| {
            sql.line("SELECT k.\"table\", e.key AS name, pg_catalog.jsonb_agg(DISTINCT v.value) AS values");
            sql.block("FROM (", ") AS k", |sql| sql.line(rows));
            sql.line("CROSS JOIN LATERAL (VALUES (k.old), (k.new)) AS s (image)");
            sql.line("LEFT JOIN LATERAL pg_catalog.jsonb_each(s.image) AS e (key, value) ON true");
            sql.line("LEFT JOIN LATERAL pg_catalog.jsonb_array_elements(e.value) AS v (value) ON true");
            sql.line("WHERE s.image IS NOT NULL OR (k.old IS NULL AND k.new IS NULL)");
            sql.line("GROUP BY k.\"table\", e.key");
        });
        sql.line("GROUP BY c.\"table\"");
    });
}
