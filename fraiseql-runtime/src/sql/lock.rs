//! What a sync inside the writer's transaction locks before it builds documents.

use std::collections::BTreeMap;

use crate::schema::{Link, Shape, Source, Table, View};
use crate::sql::sync::{any, in_order};
use crate::sql::text::{Sql, column, ident, literal};
use crate::sql::write::IN_ORDER;

/// One statement for each table, in the order of their names: two syncs that lock the same
/// rows lock them in the same order.
pub(crate) fn rows(view: &View) -> Vec<String> {
    let shape = view.shape;
    // For each table and key column, the queries that yield the keys of the rows to lock.
    let mut wanted: BTreeMap<(Table, &str), Vec<String>> = BTreeMap::new();
    let root_key = column("r0", view.key.column);
    let path = Path {
        from: format!("{} AS r0", shape.table),
        row: "r0".to_owned(),
        depth: 0,
    };
    let on_root = any(&root_key, view, 1);
    embedded(shape, &path, &on_root, &mut wanted);
    wanted
        .entry((shape.table, view.key.column))
        .or_default()
        .push(format!(
            "SELECT {root_key}\nFROM {} AS r0\nWHERE {on_root}\n  \
             AND NOT EXISTS (SELECT FROM {} AS v WHERE {} = {root_key})",
            shape.table,
            view.table,
            column("v", view.key.column)
        ));
    wanted
        .into_iter()
        .map(|((table, key), queries)| {
            let mut sql = Sql::new();
            let key = column("locked", key);
            sql.line("SELECT pg_catalog.count(*) FROM (");
            sql.indented(|sql| {
                sql.line(format!("SELECT FROM {table} AS locked"));
                sql.block(format!("WHERE {key} IN ("), ")", |sql| {
                    for (index, query) in queries.into_iter().enumerate() {
                        if index > 0 {
                            sql.line("UNION ALL");
                        }
                        sql.line(query);
                    }
                });
                sql.line(format!("ORDER BY {key}"));
                sql.line("FOR SHARE OF locked");
            });
            sql.line(") AS locked");
            sql.finish()
        })
        .collect()
}

/// The joins from a root row to a row embedded in its document.
struct Path {
    from: String,
    row: String,
    depth: usize,
}

/// Collects the rows that `shape` embeds by foreign key or through a join table, at any depth.
fn embedded(
    shape: &Shape,
    path: &Path,
    on_root: &str,
    wanted: &mut BTreeMap<(Table, &'static str), Vec<String>>,
) {
    for field in shape.fields {
        let (child, condition, through) = match &field.source {
            Source::One(one) => {
                let child = (one.shape)();
                let key = one.key.unwrap_or(child.key_column());
                let fk = column(&path.row, one.fk);
                wanted
                    .entry((child.table, key))
                    .or_default()
                    .push(format!("SELECT {fk}\nFROM {}\nWHERE {on_root}", path.from));
                (child, format!("{{row}}.{} = {fk}", ident(key)), None)
            }
            Source::Many(many) => {
                let child = (many.shape)();
                let key = column(&path.row, many.key.unwrap_or(shape.key_column()));
                match many.link {
                    Link::ForeignKey(fk) => (child, format!("{{row}}.{} = {key}", ident(fk)), None),
                    Link::Through { table, fk, to } => {
                        // Who changes such a row cannot see a new link to it.
                        wanted
                            .entry((child.table, child.key_column()))
                            .or_default()
                            .push(format!(
                                "SELECT j0.{}\nFROM {}\nJOIN {table} AS j0 ON j0.{} = {key}\n\
                                 WHERE {on_root}",
                                ident(to),
                                path.from,
                                ident(fk)
                            ));
                        (
                            child,
                            format!(
                                "{{row}}.{} = {{link}}.{}",
                                ident(child.key_column()),
                                ident(to)
                            ),
                            Some(format!(
                                "\nJOIN {table} AS {{link}} ON {{link}}.{} = {key}",
                                ident(fk)
                            )),
                        )
                    }
                }
            }
            _ => continue,
        };
        let depth = path.depth + 1;
        let row = format!("r{depth}");
        let link = format!("j{depth}");
        let place = |text: &str| text.replace("{row}", &row).replace("{link}", &link);
        let next = Path {
            from: format!(
                "{}{}\nJOIN {} AS {row} ON {}",
                path.from,
                through.as_deref().map(place).unwrap_or_default(),
                child.table,
                place(&condition)
            ),
            row: row.clone(),
            depth,
        };
        embedded(child, &next, on_root, wanted);
    }
}

/// Locks the view rows of `$1` in key order, and yields those that exist. Says to others that
/// they were locked first: see [`write`](crate::sql::write).
pub(crate) fn documents(view: &View) -> String {
    let key = column("v", view.key.column);
    let mut sql = Sql::new();
    sql.line("SELECT");
    sql.indented(|sql| {
        sql.block("ARRAY(", ") AS locked,", |sql| {
            sql.line(format!("SELECT {key}"));
            sql.line(format!("FROM {} AS v", view.table));
            sql.line(format!("WHERE {}", any(&key, view, 1)));
            sql.line(format!("ORDER BY {}", in_order(&key, &view.key)));
            sql.line("FOR UPDATE OF v");
        });
        sql.line(format!(
            "pg_catalog.pg_advisory_xact_lock_shared({IN_ORDER}, {}::pg_catalog.regclass::oid::int4)",
            literal(&view.table.to_string())
        ));
    });
    sql.finish()
}
