//! From changed rows up to the documents that are made of them, as one statement.
//!
//! A [`Way`] leads from the rows of one table to the documents of one view. It is a chain of
//! lookups in one table each: the values that the one finds are what the next one looks for. So
//! each is a lookup in an index; and where rows are locked, a row that another transaction
//! moved meanwhile is read again, and yields its new parent. A join would look for the new
//! parent among the rows that it had joined before.
//!
//! Filters and limits are left out: a change may have changed what they yield.

use crate::schema::{Table, View};
use crate::sql::sync::in_order;
use crate::sql::text::{Sql, column, literal};

/// The columns of the statement's row: the keys of the rows that exist, then those of the
/// documents, way by way.
pub(crate) mod answer {
    pub(crate) const EXISTING: usize = 0;
    pub(crate) const WAYS: usize = 1;
}

/// One lookup on the way up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The table whose rows are looked up.
    pub(crate) table: Table,
    /// The column that they are found by.
    pub(crate) by: &'static str,
    /// The column that the way goes on with.
    pub(crate) wanted: &'static str,
    /// The column that gives their order when they are locked, where one is known to.
    pub(crate) key: Option<&'static str>,
}

/// The way from the rows of a table to the documents of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// The column of the rows that the way begins with.
    pub(crate) wanted: &'static str,
    /// The lookups, upwards. The last yields keys of documents; without one, `wanted` is one.
    pub(crate) steps: Vec<Step>,
}

/// One row of arrays: which rows of `table` there are, among those whose `by` is one of the
/// values `$1` of type `ty`; then for each way the keys of the documents that it leads to, in
/// order, at most `$2` of them.
///
/// Each way stands with the view of its documents.
///
/// With `lock`, every row on the way is locked, but those of `$1`, which who asks has written,
/// and the documents' own rows.
pub(crate) fn compose(
    table: Table,
    by: &str,
    ty: &str,
    ways: &[(&Way, &View)],
    lock: bool,
) -> String {
    statement((table, by, ty), &format!("$1::{ty}[]"), ways, lock, true)
}

/// The same for ways that begin with the column `wanted`, from values that rows had in it, as
/// texts: whether there still are such rows does not matter.
pub(crate) fn from_values(table: Table, wanted: &str, ty: &str, ways: &[(&Way, &View)]) -> String {
    let given = format!("$1::text[]::{ty}[]");
    statement((table, wanted, ty), &given, ways, true, false)
}

/// The values, as texts, that the rows of a table whose `by` is one of `$1` have in each of some
/// columns, each followed by the column's type.
pub(crate) fn old_values(table: Table, by: &str, ty: &str, wanted: &[&str]) -> String {
    let by = column("r", by);
    let last = wanted.len().saturating_sub(1);
    let mut sql = Sql::new();
    sql.line("SELECT");
    sql.indented(|sql| {
        for (index, wanted) in wanted.iter().enumerate() {
            let comma = if index < last { "," } else { "" };
            let value = column("r", wanted);
            sql.block("ARRAY(", format!(") AS values_{index},"), |sql| {
                sql.line(format!("SELECT DISTINCT {value}::text"));
                sql.line(format!("FROM {table} AS r"));
                sql.line(format!(
                    "WHERE {by} = ANY ((SELECT $1::{ty}[])::{ty}[]) AND {value} IS NOT NULL"
                ));
            });
            sql.line("(SELECT pg_catalog.format_type(a.atttypid, a.atttypmod)");
            sql.line(" FROM pg_catalog.pg_attribute AS a");
            sql.line(format!(
                " WHERE a.attrelid = {}::pg_catalog.regclass AND a.attname = {}) AS type_{index}{comma}",
                literal(&table.to_string()),
                literal(wanted)
            ));
        }
    });
    sql.finish()
}

fn statement(
    (table, by, ty): (Table, &str, &str),
    input: &str,
    ways: &[(&Way, &View)],
    lock: bool,
    existing: bool,
) -> String {
    let mut sql = Sql::new();
    // What is hidden behind a query has no length when the statement is planned, so that one
    // plan serves all.
    sql.block("WITH input AS MATERIALIZED (", ")", |sql| {
        sql.line(format!("SELECT {input} AS keys"));
    });
    sql.line("SELECT");
    sql.indented(|sql| {
        let comma = |last: bool| if last { "" } else { "," };
        let own = column("r", by);
        let end = comma(ways.is_empty());
        if existing {
            sql.block("ARRAY(", format!(") AS existing{end}"), |sql| {
                sql.line(format!("SELECT DISTINCT {own}::{ty} AS key"));
                sql.line(format!("FROM {table} AS r"));
                sql.line(format!("WHERE {own} = ANY ({})", given(ty)));
            });
        } else {
            sql.line(format!("NULL AS existing{end}"));
        }
        for (index, (way, view)) in ways.iter().enumerate() {
            let end = format!(") AS way_{index}{}", comma(index + 1 == ways.len()));
            sql.block("ARRAY(", end, |sql| {
                self::way(sql, (table, by, ty), way, view, lock);
            });
        }
    });
    sql.finish()
}

/// The values that were given.
fn given(ty: &str) -> String {
    format!("(SELECT keys FROM input)::{ty}[]")
}

/// One table's lookup, in a statement.
struct Lookup<'a> {
    table: Table,
    by: &'a str,
    wanted: &'a str,
    /// The order of locks, if rows are locked.
    locked: Option<Vec<&'a str>>,
}

fn way(sql: &mut Sql, (table, by, ty): (Table, &str, &str), way: &Way, view: &View, lock: bool) {
    let (root, key) = (view.shape.table, &view.key);
    let first = (by != way.wanted).then_some(Lookup {
        table,
        by,
        wanted: way.wanted,
        locked: None,
    });
    let steps = way.steps.iter().map(|step| {
        // A document's own row is not moved to another document. Who changes it syncs that.
        let is_root = step.table == root && step.wanted == key.column;
        Lookup {
            table: step.table,
            by: step.by,
            wanted: step.wanted,
            locked: (lock && !is_root).then(|| match step.key {
                Some(key) => vec![key],
                None => vec![step.by, step.wanted],
            }),
        }
    });
    let lookups: Vec<Lookup<'_>> = first.into_iter().chain(steps).collect();
    let is_key = way.steps.is_empty() && way.wanted == key.column;
    let value = format!("found.value::{}", key.ty.sql);
    let value = in_order(&value, key);
    sql.line(format!("SELECT DISTINCT {value} AS key"));
    match lookups.split_last() {
        None => sql.line(format!(
            "FROM pg_catalog.unnest({}) AS found (value)",
            given(ty)
        )),
        Some((last, before)) => sql.block("FROM (", ") AS found", |sql| {
            rows(sql, last, before, ty);
        }),
    }
    let range = (!is_key || ty != key.ty.sql)
        .then(|| range(key.ty.sql))
        .flatten();
    match range {
        Some(range) => sql.line(format!("WHERE found.value BETWEEN {range}")),
        None => sql.line("WHERE found.value IS NOT NULL"),
    }
    sql.line("ORDER BY 1");
    sql.line("LIMIT $2");
}

/// The rows of a lookup, found by what the lookups before it yield. What makes values distinct
/// is outside of the query that locks.
fn rows(sql: &mut Sql, lookup: &Lookup<'_>, before: &[Lookup<'_>], ty: &str) {
    sql.line(format!("SELECT {} AS value", column("r", lookup.wanted)));
    sql.line(format!("FROM {} AS r", lookup.table));
    let by = column("r", lookup.by);
    match before.split_last() {
        None => sql.line(format!("WHERE {by} = ANY ({})", given(ty))),
        Some((last, before)) => sql.block(format!("WHERE {by} = ANY (ARRAY("), "))", |sql| {
            sql.line("SELECT DISTINCT found.value");
            sql.block("FROM (", ") AS found", |sql| rows(sql, last, before, ty));
        }),
    }
    if let Some(order) = &lookup.locked {
        let order: Vec<String> = order.iter().map(|name| column("r", name)).collect();
        sql.line(format!("ORDER BY {}", order.join(", ")));
        sql.line("FOR SHARE OF r");
    }
}

/// The values of a small integer type: a foreign key may have a larger one, and a value that
/// does not fit is the key of no document.
fn range(ty: &str) -> Option<String> {
    let (min, max) = match ty {
        "int2" => (i32::from(i16::MIN), i32::from(i16::MAX)),
        "int4" => (i32::MIN, i32::MAX),
        _ => return None,
    };
    Some(format!("{min} AND {max}"))
}
