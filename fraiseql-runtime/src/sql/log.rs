//! The sync log: its table, and the statements that write, read and prune it.

use std::sync::Arc;

use crate::schema::TableName;
use crate::schema::naming::MAX_IDENTIFIER_BYTES;
use crate::sql::identifier::shortened;
use crate::sql::text::{Sql, ident};

/// The statements of a sync log.
#[derive(Debug)]
pub(crate) struct LogSql {
    /// The name as it was given.
    pub(crate) name: String,
    /// The name of the table.
    pub(crate) table_name: TableName,
    /// The quoted name of the table.
    pub(crate) table: String,
    /// Creates the table and its index.
    pub(crate) ddl: Vec<Arc<str>>,
    /// Gives the time of a table of version 0.1.0 its present name, which rewrites nothing.
    pub(crate) rename: Arc<str>,
    /// Adds a row. Its parameters are the [`WRITTEN_COLUMNS`] in their order; the duration is in
    /// microseconds.
    pub(crate) insert: Arc<str>,
    /// Returns the last `$1` rows, newest first; `created_at` and the duration are in microseconds.
    pub(crate) recent: Arc<str>,
    /// Deletes at most [`MAX_PRUNED`] rows that are older than `$1` seconds.
    pub(crate) prune: Arc<str>,
}

impl LogSql {
    /// Adds rows, each given as a list of SQL values: those of the parameters of [`insert`](Self::insert).
    pub(crate) fn insert_values(&self, rows: &[String]) -> String {
        let names = WRITTEN_COLUMNS.map(|(name, _)| name).join(", ");
        let values =
            WRITTEN_COLUMNS.map(
                |(name, definition)| match definition.starts_with("interval") {
                    true => format!("v.{name} * interval '1 microsecond'"),
                    false => format!("v.{name}"),
                },
            );
        let rows: Vec<String> = rows.iter().map(|row| format!("({row})")).collect();
        format!(
            "INSERT INTO {} ({names})\nSELECT {}\nFROM (VALUES {}) AS v ({names})",
            self.table,
            values.join(", "),
            rows.join(", ")
        )
    }
}

/// The columns that the server fills in, and their definitions.
const GENERATED_COLUMNS: [(&str, &str); 2] = [
    ("id", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    (
        "created_at",
        "timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()",
    ),
];

/// The columns that a row is written with, and their definitions.
const WRITTEN_COLUMNS: [(&str, &str); 12] = [
    ("entity", "text NOT NULL"),
    ("mode", "text NOT NULL"),
    ("keys", "bigint NOT NULL"),
    ("inserted", "bigint NOT NULL"),
    ("updated", "bigint NOT NULL"),
    ("unchanged", "bigint NOT NULL"),
    ("deleted", "bigint NOT NULL"),
    ("invalid", "bigint NOT NULL"),
    ("duration", "interval NOT NULL"),
    ("retries", "integer NOT NULL"),
    ("success", "boolean NOT NULL"),
    ("error", "text"),
];

/// The maximum number of rows that one statement prunes.
pub(crate) const MAX_PRUNED: u64 = 1_000;

/// Whether the table of the quoted name `$1` exists, and whether its time still has the name `at`,
/// as a table has that was created by version 0.1.0.
pub(crate) const EXISTS: &str = "SELECT pg_catalog.to_regclass($1) IS NOT NULL, EXISTS (
    SELECT FROM pg_catalog.pg_attribute
    WHERE attrelid = pg_catalog.to_regclass($1) AND attname = 'at' AND NOT attisdropped)";

/// Composes the statements of the sync log `name`, which is `table` or `schema.table`.
///
/// # Errors
/// Returns the reason if the name is not valid.
pub(crate) fn compose(name: &str) -> Result<LogSql, &'static str> {
    let (schema, table) = name.split_once('.').unwrap_or(("public", name));
    if [schema, table].iter().any(|part| part.contains('.')) {
        return Err("a name is `table` or `schema.table`, without other dots");
    }
    compose_in(name, schema, table)
}

/// Composes the statements of the sync log `name`, whose schema and table these are.
///
/// # Errors
/// Returns the reason if the name is not valid.
pub(crate) fn compose_in(name: &str, schema: &str, table: &str) -> Result<LogSql, &'static str> {
    for part in [schema, table] {
        if part.is_empty() {
            return Err("the schema or the table is empty");
        }
        if part.len() > MAX_IDENTIFIER_BYTES {
            return Err("names in PostgreSQL have at most 63 bytes");
        }
        if part.contains('\0') {
            return Err("it contains a NUL character");
        }
    }
    let quoted = format!("{}.{}", ident(schema), ident(table));
    Ok(LogSql {
        name: name.to_owned(),
        table_name: TableName {
            schema: schema.to_owned().into(),
            name: table.to_owned().into(),
        },
        ddl: vec![
            create(&quoted).into(),
            format!(
                "CREATE INDEX IF NOT EXISTS {} ON {quoted} (created_at)",
                ident(&shortened(table, "_created_at_idx"))
            )
            .into(),
        ],
        rename: format!("ALTER TABLE {quoted} RENAME COLUMN at TO created_at").into(),
        insert: insert(&quoted).into(),
        recent: recent(&quoted).into(),
        prune: prune(&quoted).into(),
        table: quoted,
    })
}

fn create(table: &str) -> String {
    let mut sql = Sql::new();
    sql.block(
        format!("CREATE TABLE IF NOT EXISTS {table} ("),
        ")",
        |sql| {
            let columns = GENERATED_COLUMNS.into_iter().chain(WRITTEN_COLUMNS);
            sql.list(columns.map(|(name, definition)| format!("{name} {definition}")));
        },
    );
    sql.finish()
}

fn insert(table: &str) -> String {
    let names = WRITTEN_COLUMNS.map(|(name, _)| name).join(", ");
    let values: Vec<String> = WRITTEN_COLUMNS
        .iter()
        .enumerate()
        .map(|(index, (_, definition))| {
            let parameter = index + 1;
            if definition.starts_with("interval") {
                format!("${parameter}::float8 * interval '1 microsecond'")
            } else {
                format!("${parameter}")
            }
        })
        .collect();
    format!(
        "INSERT INTO {table} ({names})\nVALUES ({})",
        values.join(", ")
    )
}

fn recent(table: &str) -> String {
    let columns: Vec<String> = GENERATED_COLUMNS
        .into_iter()
        .chain(WRITTEN_COLUMNS)
        .map(|(name, _)| match name {
            "created_at" | "duration" => {
                format!("(EXTRACT(EPOCH FROM {name}) * 1000000)::int8 AS {name}")
            }
            _ => name.to_owned(),
        })
        .collect();
    format!(
        "SELECT {}\nFROM {table}\nORDER BY id DESC\nLIMIT $1",
        columns.join(", ")
    )
}

/// Several instances may prune at once: each skips the rows that another one has locked.
fn prune(table: &str) -> String {
    let mut sql = Sql::new();
    sql.line(format!("DELETE FROM {table}"));
    sql.block("WHERE id IN (", ")", |sql| {
        sql.line("SELECT id");
        sql.line(format!("FROM {table}"));
        sql.line(
            "WHERE created_at < pg_catalog.clock_timestamp() - $1::float8 * interval '1 second'",
        );
        sql.line("ORDER BY created_at");
        sql.line(format!("LIMIT {MAX_PRUNED}"));
        sql.line("FOR UPDATE SKIP LOCKED");
    });
    sql.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_table_with_an_optional_schema() {
        let table = |name| compose(name).map(|sql| sql.table);
        assert_eq!(table("log").as_deref(), Ok("\"public\".\"log\""));
        assert_eq!(table("ops.My\"log").as_deref(), Ok("\"ops\".\"My\"\"log\""));
        for wrong in ["", "ops.", ".log", "a.b.c", &"l".repeat(64)] {
            assert!(table(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_name_of_the_index_is_shortened() {
        let sql = compose(&"l".repeat(63)).expect("63 bytes are allowed");
        let name = sql.ddl[1].split('"').nth(1).expect("the name is quoted");
        assert!(name.len() <= MAX_IDENTIFIER_BYTES, "{name}");
    }
}
