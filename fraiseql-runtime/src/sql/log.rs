//! The log of syncs: its table, and the statements that write, read and shorten it.

use std::sync::Arc;

use crate::schema::TableName;
use crate::sql::ddl;
use crate::sql::text::{Sql, ident};

/// The statements of a log.
#[derive(Debug)]
pub(crate) struct LogSql {
    /// The table's name as it was given.
    pub(crate) name: String,
    /// The table's name.
    pub(crate) table_name: TableName,
    /// The table's name, quoted.
    pub(crate) table: String,
    /// Creates the table and its index.
    pub(crate) ddl: Vec<Arc<str>>,
    /// Adds a row; its parameters are the columns of [`COLUMNS`] in order, and the duration is
    /// in microseconds.
    pub(crate) insert: Arc<str>,
    /// The last `$1` rows, newest first; `at` and the duration are in microseconds.
    pub(crate) recent: Arc<str>,
    /// Deletes at most [`PRUNED`] rows that are older than `$1` seconds.
    pub(crate) prune: Arc<str>,
}

/// The columns that a row is written with, and their types.
const COLUMNS: [(&str, &str); 12] = [
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

/// How many old rows one statement deletes.
pub(crate) const PRUNED: u64 = 1_000;

/// Whether the table of the quoted name `$1` exists.
pub(crate) const EXISTS: &str = "SELECT pg_catalog.to_regclass($1) IS NOT NULL";

/// The name of a table is cut by the server after so many bytes.
const MAX_NAME: usize = 63;

/// The statements of the log `name`: a table, or `schema.table`.
///
/// # Errors
/// What is wrong with the name.
pub(crate) fn compose(name: &str) -> Result<LogSql, &'static str> {
    let (schema, table) = name.split_once('.').unwrap_or(("public", name));
    for part in [schema, table] {
        if part.is_empty() {
            return Err("a part of it is empty");
        }
        if part.len() > MAX_NAME {
            return Err("PostgreSQL cuts names after 63 bytes");
        }
        if part.contains(['.', '\0']) {
            return Err("it can have a schema and a table, and no other dots");
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
                "CREATE INDEX {} ON {quoted} (at)",
                ident(&ddl::name(table, "_at_idx"))
            )
            .into(),
        ],
        insert: insert(&quoted).into(),
        recent: recent(&quoted).into(),
        prune: prune(&quoted).into(),
        table: quoted,
    })
}

fn create(table: &str) -> String {
    let mut sql = Sql::new();
    sql.block(format!("CREATE TABLE {table} ("), ")", |sql| {
        let own = [
            "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY".to_owned(),
            "at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()".to_owned(),
        ];
        let written = COLUMNS.map(|(name, ty)| format!("{name} {ty}"));
        sql.list(own.into_iter().chain(written));
    });
    sql.finish()
}

fn insert(table: &str) -> String {
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let values: Vec<String> = COLUMNS
        .iter()
        .enumerate()
        .map(|(index, (_, ty))| {
            let parameter = index + 1;
            if ty.starts_with("interval") {
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
    let columns: Vec<String> = ["id", "at"]
        .into_iter()
        .chain(COLUMNS.map(|(name, _)| name))
        .map(|name| match name {
            "at" | "duration" => format!("(EXTRACT(EPOCH FROM {name}) * 1000000)::int8 AS {name}"),
            _ => name.to_owned(),
        })
        .collect();
    format!(
        "SELECT {}\nFROM {table}\nORDER BY id DESC\nLIMIT $1",
        columns.join(", ")
    )
}

/// Several instances may do this at once: each takes rows that no other has.
fn prune(table: &str) -> String {
    let mut sql = Sql::new();
    sql.line(format!("DELETE FROM {table}"));
    sql.block("WHERE id IN (", ")", |sql| {
        sql.line("SELECT id");
        sql.line(format!("FROM {table}"));
        sql.line("WHERE at < pg_catalog.clock_timestamp() - $1::float8 * interval '1 second'");
        sql.line("ORDER BY at");
        sql.line(format!("LIMIT {PRUNED}"));
        sql.line("FOR UPDATE SKIP LOCKED");
    });
    sql.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_table_and_perhaps_a_schema() {
        let table = |name| compose(name).map(|sql| sql.table);
        assert_eq!(table("log").as_deref(), Ok("\"public\".\"log\""));
        assert_eq!(table("ops.My\"log").as_deref(), Ok("\"ops\".\"My\"\"log\""));
        for wrong in ["", "ops.", ".log", "a.b.c", &"l".repeat(64)] {
            assert!(table(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_index_of_a_long_name_is_not_cut() {
        let sql = compose(&"l".repeat(63)).expect("63 bytes fit");
        let name = sql.ddl[1].split('"').nth(1).expect("it is quoted");
        assert!(name.len() <= MAX_NAME, "{name}");
    }
}
