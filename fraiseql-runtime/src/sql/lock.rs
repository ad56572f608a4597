//! What a sync inside the writer's transaction locks before it builds documents.

use std::collections::BTreeMap;

use crate::schema::{Link, Shape, Source, Table, View};
use crate::sql::sync::{any, in_order};
use crate::sql::text::{Sql, column, ident};
use crate::sql::write::advisory::{IN_ORDER, OPEN, advisory_key};

/// Columns of the answer of a lock.
pub(crate) mod answer {
    /// The documents that were there to be locked.
    pub(crate) const DOCUMENTS: usize = 0;
    /// The isolation level of the transaction.
    pub(crate) const ISOLATION: usize = 1;
}

/// Locks what the documents of `$1` are made from, table by table in the order of their names,
/// then the documents, all in key order: two syncs that lock the same rows lock them in the
/// same order. `$2` is whether the transaction may go on afterwards.
pub(crate) fn all(view: &View) -> String {
    let wanted = rows(view);
    let mut sql = Sql::new();
    let names: Vec<String> = (1..=wanted.len()).map(|n| format!("rows_{n}")).collect();
    for (index, ((table, key), queries)) in wanted.into_iter().enumerate() {
        let with = if index == 0 { "WITH " } else { "" };
        let comma = if index + 1 < names.len() { "," } else { "" };
        let key = column("locked", key);
        sql.block(
            format!("{with}{} AS MATERIALIZED (", names[index]),
            format!("){comma}"),
            |sql| {
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
            },
        );
    }
    // Sub-selects are run when they are met: nothing is locked where it would be of no use, and
    // the rows before the documents.
    sql.line("SELECT CASE");
    sql.indented(|sql| {
        sql.line(
            "WHEN pg_catalog.current_setting('transaction_isolation') = 'repeatable read' THEN NULL",
        );
        let counts: Vec<String> = names
            .iter()
            .map(|name| format!("(SELECT pg_catalog.count(*) FROM {name})"))
            .collect();
        sql.line(format!("WHEN {} IS NOT NULL THEN", counts.join(" + ")));
        sql.indented(|sql| documents_of(sql, view));
        sql.line("END AS documents,");
    });
    sql.indented(|sql| {
        sql.line("pg_catalog.current_setting('transaction_isolation') AS isolation,");
        sql.line(format!("{},", in_order_mark(view)));
        sql.line(format!(
            "CASE WHEN $2 THEN pg_catalog.pg_advisory_xact_lock_shared({})::text END",
            advisory_key(OPEN, view)
        ));
    });
    sql.finish()
}

/// The rows that others may change without knowing of these documents: those that they embed by
/// foreign key or through a join table, and root rows that have no document yet. For each table
/// and key column, the queries that yield their keys.
fn rows(view: &View) -> BTreeMap<(Table, &'static str), Vec<String>> {
    let shape = view.shape;
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
                    Link::Through {
                        table,
                        fk,
                        to,
                        key: to_key,
                    } => {
                        let to_key = to_key.unwrap_or(child.key_column());
                        // Who changes such a row cannot see a new link to it.
                        wanted
                            .entry((child.table, to_key))
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
                            format!("{{row}}.{} = {{link}}.{}", ident(to_key), ident(to)),
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

/// Locks the view rows of `$1` in key order, and yields those that exist.
pub(crate) fn documents(view: &View) -> String {
    let mut sql = Sql::new();
    sql.line("SELECT");
    sql.indented(|sql| {
        documents_of(sql, view);
        sql.line("AS documents,");
        sql.line(in_order_mark(view));
    });
    sql.finish()
}

fn documents_of(sql: &mut Sql, view: &View) {
    let key = column("v", view.key.column);
    sql.block("ARRAY(", ")", |sql| {
        sql.line(format!("SELECT {key}"));
        sql.line(format!("FROM {} AS v", view.table));
        sql.line(format!("WHERE {}", any(&key, view, 1)));
        sql.line(format!("ORDER BY {}", in_order(&key, &view.key)));
        sql.line("FOR UPDATE OF v");
    });
}

/// Says to others that the documents were locked first: see [`write`](crate::sql::write).
fn in_order_mark(view: &View) -> String {
    format!(
        "pg_catalog.pg_advisory_xact_lock_shared({})",
        advisory_key(IN_ORDER, view)
    )
}
