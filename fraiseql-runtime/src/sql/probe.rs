//! Small statements that test one property of a view on the server, and the statements that
//! `check` proposes as remedies.

use std::fmt;

use crate::schema::scalar::ScalarType;
use crate::schema::{Aggregate, Columns, OrderBy, Table};
use crate::sql::aggregate;
use crate::sql::fragment::fragment;
use crate::sql::text::{column, direction_and_nulls, ident, literal};

/// The alias of the row in a probe. It is as long as the `{}` that it replaces, so that the
/// position of an error in the probe is easily mapped to the user's fragment.
pub(crate) const ALIAS: &str = "_r";

/// The rows of `table` that match `filter`.
pub(crate) fn filter(table: Table, filter: &str) -> String {
    format!(
        "SELECT FROM {table} AS {ALIAS} WHERE ({})",
        fragment(filter, ALIAS)
    )
}

/// The type of an expression over a row of `table`. Reads no row.
pub(crate) fn type_of(table: Table, expr: &str) -> String {
    type_of_value(table, &format!("({})", fragment(expr, ALIAS)))
}

/// The type of an aggregate. Reads no row.
pub(crate) fn type_of_aggregate(one: &Aggregate) -> String {
    type_of_value(one.table, &aggregate::value(one, ALIAS))
}

/// Selects an expression over the rows of `table`, for EXPLAIN.
pub(crate) fn value(table: Table, expr: &str) -> String {
    format!("SELECT ({}) FROM {table} AS {ALIAS}", fragment(expr, ALIAS))
}

/// A condition that contradicts itself if the expression always has the same value.
pub(crate) fn contradiction(table: Table, expr: &str) -> String {
    let expr = fragment(expr, ALIAS);
    format!("SELECT FROM {table} AS {ALIAS} WHERE ({expr}) IS NULL AND ({expr}) IS NOT NULL")
}

fn type_of_value(table: Table, value: &str) -> String {
    format!(
        "SELECT pg_catalog.pg_typeof(e.v)::oid::int8 FROM (SELECT) AS one \
         LEFT JOIN (SELECT {value} AS v FROM {table} AS {ALIAS} WHERE false) AS e ON true"
    )
}

/// The join of two tables on a column of each.
pub(crate) fn link(a: (Table, &str), b: (Table, &str)) -> String {
    format!(
        "SELECT FROM {} AS a, {} AS b WHERE {} = {}",
        a.0,
        b.0,
        column("a", a.1),
        column("b", b.1)
    )
}

/// The rows of `table` in the order of a column.
pub(crate) fn order(table: Table, name: &str) -> String {
    format!(
        "SELECT FROM {table} AS {ALIAS} ORDER BY {}",
        column(ALIAS, name)
    )
}

/// The comparison of a value of `table` with the promoted column that stores it.
pub(crate) fn promoted(table: Table, value: &str, ty: &ScalarType) -> String {
    format!(
        "SELECT NULL::{} IS DISTINCT FROM ({value}) FROM {table} AS {ALIAS}",
        ty.sql_name()
    )
}

/// A constant of the type `regconfig`: the text of a text search configuration.
pub(crate) fn text_search(language: &str) -> String {
    format!("SELECT {}::pg_catalog.regconfig", literal(language))
}

/// The quoted names of columns, separated by commas.
fn list(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| ident(name)).collect();
    names.join(", ")
}

/// Creates an index for a lookup by columns in the order `order_by`.
pub(crate) fn create_index(
    table: impl fmt::Display,
    columns: Columns,
    order_by: &[OrderBy],
) -> String {
    let mut terms = vec![list(columns.names())];
    let of_order = order_by.iter();
    for term in of_order.filter(|term| !columns.names().contains(&term.column)) {
        terms.push(format!(
            "{}{}",
            ident(term.column),
            direction_and_nulls(term)
        ));
    }
    format!("CREATE INDEX ON {table} ({})", terms.join(", "))
}

pub(crate) fn create_unique_index(table: Table, columns: &[&str]) -> String {
    format!("CREATE UNIQUE INDEX ON {table} ({})", list(columns))
}

pub(crate) fn add_primary_key(table: Table, columns: &[&str]) -> String {
    format!("ALTER TABLE {table} ADD PRIMARY KEY ({})", list(columns))
}

pub(crate) fn add_foreign_key(table: Table, fk: Columns, parent: Table, key: Columns) -> String {
    format!(
        "ALTER TABLE {table} ADD FOREIGN KEY ({}) REFERENCES {parent} ({})",
        list(fk.names()),
        list(key.names())
    )
}

/// Adds a column. Rows that exist get a default, without which PostgreSQL refuses a column that is NOT
/// NULL. `None` if the type has no default that fits any row.
pub(crate) fn add_column(table: Table, name: &str, ty: &ScalarType) -> Option<String> {
    let not_null = if ty.nullable {
        String::new()
    } else {
        format!(" NOT NULL DEFAULT {}", default_value(ty)?)
    };
    Some(format!(
        "ALTER TABLE {table} ADD COLUMN {} {}{not_null}",
        ident(name),
        ty.sql_name(),
    ))
}

/// The default of a new column for rows that exist: an empty value, or the present time.
fn default_value(ty: &ScalarType) -> Option<&'static str> {
    if ty.list.is_some() {
        return Some("'{}'");
    }
    Some(match ty.sql {
        "bool" | "boolean" => "false",
        "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" => "0",
        "text" => "''",
        "json" | "jsonb" => "'null'",
        "uuid" => "pg_catalog.gen_random_uuid()",
        "timestamptz" => "pg_catalog.now()",
        "timestamp" => "(pg_catalog.now() AT TIME ZONE 'UTC')",
        "date" => "(pg_catalog.now() AT TIME ZONE 'UTC')::date",
        "time" => "'00:00'",
        _ => return None,
    })
}

pub(crate) fn set_not_null(table: Table, name: &str) -> String {
    format!(
        "ALTER TABLE {table} ALTER COLUMN {} SET NOT NULL",
        ident(name)
    )
}

/// Changes the type of a column. It fails if a value cannot be cast.
pub(crate) fn set_type(table: Table, name: &str, ty: &str) -> String {
    let name = ident(name);
    format!("ALTER TABLE {table} ALTER COLUMN {name} TYPE {ty} USING {name}::{ty}")
}

/// Gives a column the default collation of the database, in which different values are never
/// equal.
pub(crate) fn set_collation(table: Table, name: &str, ty: &str) -> String {
    format!(
        "ALTER TABLE {table} ALTER COLUMN {} TYPE {ty} COLLATE pg_catalog.\"default\"",
        ident(name)
    )
}

/// Changes the type of a column between timestamptz and timestamp, in the time zone UTC.
pub(crate) fn set_type_in_utc(table: Table, name: &str, ty: &str) -> String {
    let name = ident(name);
    format!("ALTER TABLE {table} ALTER COLUMN {name} TYPE {ty} USING {name} AT TIME ZONE 'UTC'")
}

pub(crate) fn reindex(schema: &str, name: &str) -> String {
    format!("REINDEX INDEX {}.{}", ident(schema), ident(name))
}

pub(crate) fn grant(privileges: &str, table: impl fmt::Display, role: &str) -> String {
    format!("GRANT {privileges} ON {table} TO {}", ident(role))
}

/// Grants the privilege to call a function.
pub(crate) fn grant_execute(signature: &str, role: &str) -> String {
    format!("GRANT EXECUTE ON FUNCTION {signature} TO {}", ident(role))
}

/// Grants the privilege to lock rows. PostgreSQL requires UPDATE on any one column.
pub(crate) fn grant_lock(table: Table, columns: Columns, role: &str) -> String {
    let first = columns.names().first().copied().unwrap_or_default();
    grant(&format!("UPDATE ({})", ident(first)), table, role)
}

pub(crate) fn grant_usage(schema: &str, role: &str) -> String {
    format!("GRANT USAGE ON SCHEMA {} TO {}", ident(schema), ident(role))
}

pub(crate) fn grant_create(schema: &str, role: &str) -> String {
    format!(
        "GRANT CREATE ON SCHEMA {} TO {}",
        ident(schema),
        ident(role)
    )
}

pub(crate) fn create_schema(schema: &str) -> String {
    format!("CREATE SCHEMA {}", ident(schema))
}

/// Sets a default for new sessions of `role` in `database`.
pub(crate) fn set_default(role: &str, database: &str, setting: &str, value: &str) -> String {
    format!(
        "ALTER ROLE {} IN DATABASE {} SET {setting} = '{value}'",
        ident(role),
        ident(database)
    )
}
