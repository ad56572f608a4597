//! The statements that page through all keys of a view, and count them.

use crate::schema::View;
use crate::sql::fragment::fragment;
use crate::sql::text::{Sql, literal};

/// Whether a page begins at the first key, or after a given one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageStart {
    /// At the first key. `$1` is the maximum number of keys.
    First,
    /// After the key in the array `$1`. `$2` is the maximum number of keys.
    AfterKey,
}

/// A page of the keys that have a root row or a document. A full sync goes through both, so that
/// it also finds the documents whose row was deleted. `condition` selects some of the keys, given
/// the expression of a key.
///
/// Each side has its own ORDER BY and LIMIT, so that it reads one page of an index; the merged
/// page is cut again.
pub(crate) fn page(
    view: &View,
    start: PageStart,
    condition: Option<&dyn Fn(&str) -> String>,
) -> String {
    page_of(view, view.shape.filter, start, condition)
}

/// The same without the view's filter, for a filter that fails for some row: then more keys are
/// returned, which have neither a document nor a row that passes the filter, or fail by themselves.
pub(crate) fn unfiltered(
    view: &View,
    start: PageStart,
    condition: Option<&dyn Fn(&str) -> String>,
) -> String {
    page_of(view, None, start, condition)
}

fn page_of(
    view: &View,
    filter: Option<&str>,
    start: PageStart,
    condition: Option<&dyn Fn(&str) -> String>,
) -> String {
    let limit = match start {
        PageStart::First => "$1::int8",
        PageStart::AfterKey => "$2::int8",
    };
    let mut sql = Sql::new();
    sql.block("SELECT ARRAY(", ") AS keys", |sql| {
        rows(sql, view, filter, start, limit, condition);
    });
    sql.finish()
}

/// The query of [`page`], with a filter of rows: a row with the column `key` for each key.
pub(crate) fn rows(
    sql: &mut Sql,
    view: &View,
    filter: Option<&str>,
    start: PageStart,
    limit: &str,
    condition: Option<&dyn Fn(&str) -> String>,
) {
    let is_several = view.key.single().is_none();
    if is_several {
        // Sorted by its columns, in the order of an index, and then made one value.
        sql.line(format!("SELECT {} AS \"key\"", view.key.named().value()));
        sql.block("FROM (", ") AS page", |sql| {
            sides(sql, view, filter, start, limit, condition);
        });
    } else {
        sides(sql, view, filter, start, limit, condition);
    }
}

/// The merged page of both sides, with the key columns.
fn sides(
    sql: &mut Sql,
    view: &View,
    filter: Option<&str>,
    start: PageStart,
    limit: &str,
    condition: Option<&dyn Fn(&str) -> String>,
) {
    let sides = [
        (view.shape.table, view.base_key("k"), filter),
        (view.table, view.stored_key("k"), None),
    ];
    for (index, (table, key, filter)) in sides.into_iter().enumerate() {
        if index > 0 {
            // Removes the keys that are on both sides.
            sql.line("UNION");
        }
        sql.block("(", ")", |sql| {
            sql.line(format!("SELECT {}", key.as_named()));
            sql.line(format!("FROM {table} AS k"));
            let mut conditions = Vec::new();
            if start == PageStart::AfterKey {
                conditions.push(key.is_after_parameter(1));
            }
            if let Some(filter) = filter {
                conditions.push(format!("({})", fragment(filter, "k")));
            }
            if let Some(condition) = condition {
                conditions.push(condition(&key.value()));
            }
            sql.conditions("WHERE", &conditions);
            sql.line(format!("ORDER BY {}", key.list()));
            sql.line(format!("LIMIT {limit}"));
        });
    }
    sql.line(format!("ORDER BY {}", view.key.named().list()));
    sql.line(format!("LIMIT {limit}"));
}

/// The approximate number of keys: from the statistics of the base table, or counted if it has
/// none.
pub(crate) fn expected(view: &View) -> String {
    let table = view.shape.table;
    let mut sql = Sql::new();
    sql.line("SELECT CASE");
    sql.indented(|sql| {
        // -1 for a table that was never analyzed; 0 may be out of date.
        sql.line("WHEN c.reltuples > 0 THEN c.reltuples::int8");
        sql.line(format!("ELSE (SELECT pg_catalog.count(*) FROM {table})"));
    });
    sql.line("END AS expected");
    sql.line("FROM pg_catalog.pg_class AS c");
    sql.line(format!(
        "WHERE c.oid = {}::regclass",
        literal(&table.to_string())
    ));
    sql.finish()
}

/// The number of rows after the key in the array `$1`.
pub(crate) fn expected_after(view: &View) -> String {
    let key = view.base_key("k");
    let mut sql = Sql::new();
    sql.line("SELECT pg_catalog.count(*) AS expected");
    sql.line(format!("FROM {} AS k", view.shape.table));
    sql.line(format!("WHERE {}", key.is_after_parameter(1)));
    sql.finish()
}
