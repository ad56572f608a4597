//! The statements of a sync.
//!
//! `$1` is always the array of keys, each once.

use crate::schema::{Data, IndexOn, Key, Promoted, Source, View};
use crate::sql::document::{self, Lookup};
use crate::sql::lock;
use crate::sql::session::{SessionNeeds, session_needs};
use crate::sql::text::{Sql, column, fragment, ident, literal};

/// The statements of a sync.
#[derive(Debug)]
pub struct SyncSql {
    /// Builds the documents of `$1`, writes those that differ, deletes those whose row is
    /// gone. `$2` are keys whose view rows this transaction has locked. Answers with one
    /// row; see [`answer`].
    pub write: String,
    /// The same for at most [`FEW`] keys.
    pub write_few: String,
    /// Locks the rows that the documents of `$1` are made from and that no other sync would
    /// know of, table by table, in key order: the rows they embed by foreign key, and the
    /// root rows that have no document yet.
    pub lock_rows: Vec<String>,
    /// Locks the view rows of `$1` in key order; answers with the array of
    /// those that exist.
    pub lock_documents: String,
    /// Empties the `unique` columns of the documents of `$1`, if there are any, so that these
    /// can take each other's values.
    pub clear_unique: Option<String>,
    /// Deletes those documents of `$1` that have no root row.
    pub delete_orphans: String,
    /// Deletes the documents of `$1`.
    pub delete: String,
    /// The first `$1` keys that have a root row or a document.
    pub first_keys: String,
    /// The next `$2` keys after the one in the array `$1`.
    pub next_keys: String,
    /// About how many keys there are.
    pub expected: String,
    /// How many rows there are after the key in the array `$1`.
    pub expected_after: String,
    /// Says why the documents of `$1` cannot be written: a row for each key, with the key in
    /// an array, and the reasons in the shape of the document.
    pub flaws: String,
    /// What a session must be set to.
    pub needs: SessionNeeds,
}

/// Columns of the answer of [`SyncSql::write`].
pub mod answer {
    /// Whether the session's settings were right. If not, nothing was written.
    pub const SESSION_OK: usize = 0;
    /// How many root rows there are.
    pub const FOUND: usize = 1;
    /// How many of their documents differ from what is stored.
    pub const CHANGED: usize = 2;
    /// The keys of the documents that were deleted.
    pub const DELETED: usize = 3;
    /// The keys of new documents.
    pub const INSERTED: usize = 4;
    /// The keys that another transaction wrote after this snapshot, to be built once more;
    /// null where there are none.
    pub const BLOCKED: usize = 5;
    /// The keys of documents without a row. Those that were not deleted have been written by
    /// another transaction after this snapshot, and are to be looked at once more.
    pub const ORPHANS: usize = 6;
    /// How many bytes all documents of the batch have.
    pub const BYTES: usize = 7;
}

/// Up to so many keys, looking rows up one by one is faster than joining.
pub const FEW: usize = 40;

pub(crate) fn compose(view: &View) -> SyncSql {
    let needs = session_needs(view);
    SyncSql {
        write: write(view, needs, Lookup::Many),
        write_few: write(view, needs, Lookup::Few),
        lock_rows: lock::rows(view),
        lock_documents: lock::documents(view),
        clear_unique: clear_unique(view),
        delete_orphans: delete_orphans(view),
        delete: delete(view),
        first_keys: keys(view, false, None),
        next_keys: keys(view, true, None),
        expected: expected(view),
        expected_after: expected_after(view),
        flaws: document::flaws(view, |root| {
            vec![any(&column(root, view.key.column), view, 1)]
        }),
        needs,
    }
}

/// The columns that come from the document query: promoted ones, then `data`.
fn content_columns(view: &View) -> Vec<&'static str> {
    view.shape
        .fields
        .iter()
        .filter_map(|field| field.promoted.map(|promoted| promoted.column))
        .chain(["data"])
        .collect()
}

/// What is stored, as `v`, differs from what was built, as `b`: a condition for each column.
pub(crate) fn differences(view: &View) -> Vec<String> {
    content_columns(view)
        .into_iter()
        .map(|name| {
            let cast = if name == "data" && view.data == Data::Json {
                "::text"
            } else {
                ""
            };
            format!(
                "{}{cast} IS DISTINCT FROM {}{cast}",
                column("v", name),
                column("b", name)
            )
        })
        .collect()
}

/// Keys in an order that is the same in every session and in Rust.
pub(crate) fn in_order(key: &str, ty: &Key) -> String {
    if ty.ty.sql == "text" {
        format!("{key} COLLATE \"C\"")
    } else {
        key.to_owned()
    }
}

/// `key` is one of the keys in a parameter.
pub(crate) fn any(key: &str, view: &View, parameter: u8) -> String {
    format!("{key} = ANY (${parameter}::{}[])", view.key.ty.sql)
}

/// `key` is one of `$1`, whose length the planner shall not see: it would plan each call
/// anew, for its length, and that costs more than a small batch takes to run. Hidden, one
/// plan serves them all.
pub(crate) fn any_of_hidden(key: &str, view: &View, column: &str) -> String {
    format!(
        "{key} = ANY ((SELECT {column} FROM input)::{}[])",
        view.key.ty.sql
    )
}

fn write(view: &View, needs: SessionNeeds, lookup: Lookup) -> String {
    let key = ident(view.key.column);
    let v_key = format!("v.{key}");
    let columns = content_columns(view);
    let mut sql = Sql::new();

    let ty = view.key.ty.sql;
    sql.block("WITH input AS MATERIALIZED (", "),", |sql| {
        sql.line(format!("SELECT $1::{ty}[] AS keys, $2::{ty}[] AS locked"));
    });
    if needs.any() {
        sql.block("session AS MATERIALIZED (", "),", |sql| {
            let mut conditions = Vec::new();
            if needs.utc {
                conditions.push("pg_catalog.current_setting('TimeZone') = 'UTC'".to_owned());
            }
            if needs.floats {
                conditions
                    .push("pg_catalog.current_setting('extra_float_digits')::int4 >= 1".to_owned());
            }
            sql.line(format!("SELECT {} AS ok", conditions.join(" AND ")));
        });
    }
    let session_ok = |conditions: &mut Vec<String>| {
        if needs.any() {
            conditions.push("(SELECT ok FROM session)".to_owned());
        }
    };
    sql.block("built AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT");
        let mut select = vec!["b.\"key\"".to_owned()];
        select.extend(columns.iter().map(|name| column("b", name)));
        let mut differs = vec![format!("{v_key} IS NULL")];
        differs.extend(differences(view));
        select.push(format!("{} AS changed", differs.join(" OR ")));
        sql.block_list(select);
        sql.block("FROM (", ") AS b", |sql| {
            document::write(sql, view, lookup, |root| {
                let mut conditions =
                    vec![any_of_hidden(&column(root, view.key.column), view, "keys")];
                session_ok(&mut conditions);
                conditions
            });
            // A fence: each document is built once, though it is used twice.
            sql.line("OFFSET 0");
        });
        sql.line(format!(
            "LEFT JOIN {} AS v ON {v_key} = b.\"key\"",
            view.table
        ));
    });
    sql.block("counted AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT");
        sql.block_list([
            "pg_catalog.count(*) AS found".to_owned(),
            "pg_catalog.count(*) FILTER (WHERE changed) AS changed".to_owned(),
            "coalesce(pg_catalog.sum(pg_catalog.pg_column_size(data)), 0)::int8 AS bytes"
                .to_owned(),
        ]);
        sql.line("FROM built");
    });
    sql.block("written AS (", "),", |sql| {
        let content: Vec<String> = columns.iter().map(|name| ident(name)).collect();
        let content = content.join(", ");
        sql.line(format!(
            "INSERT INTO {} AS v ({key}, {content}, version, synced_xid, updated_at)",
            view.table
        ));
        sql.line(format!(
            "SELECT \"key\", {content}, 1, pg_catalog.pg_current_xact_id(), pg_catalog.now()"
        ));
        sql.line("FROM built");
        sql.line("WHERE changed");
        sql.line(format!("ORDER BY {}", in_order("\"key\"", &view.key)));
        sql.line(format!("ON CONFLICT ({key}) DO UPDATE SET"));
        let mut sets: Vec<String> = columns
            .iter()
            .map(|name| format!("{0} = EXCLUDED.{0}", ident(name)))
            .collect();
        sets.push("version = v.version + 1".to_owned());
        sets.push("synced_xid = EXCLUDED.synced_xid".to_owned());
        sets.push("updated_at = EXCLUDED.updated_at".to_owned());
        sql.block_list(sets);
        sql.line(format!("WHERE {}", guard(view)));
        sql.line(format!("RETURNING {v_key} AS \"key\", v.version"));
    });
    sql.block("orphans AS MATERIALIZED (", "),", |sql| {
        sql.line(format!("SELECT {v_key} AS \"key\""));
        sql.line(format!("FROM {} AS v", view.table));
        let mut conditions = vec![
            // Where every key has a row, there is nothing to look for.
            "(SELECT found FROM counted) < (SELECT pg_catalog.cardinality(keys) FROM input)"
                .to_owned(),
            any_of_hidden(&v_key, view, "keys"),
            format!("NOT EXISTS (SELECT FROM built AS b WHERE b.\"key\" = {v_key})"),
        ];
        session_ok(&mut conditions);
        sql.conditions("WHERE", &conditions);
    });
    sql.block("deleted AS (", ")", |sql| {
        sql.line(format!("DELETE FROM {} AS v", view.table));
        sql.line("USING orphans");
        sql.conditions(
            "WHERE",
            &[format!("{v_key} = orphans.\"key\""), guard(view)],
        );
        sql.line("RETURNING orphans.\"key\"");
    });
    sql.line("SELECT");
    sql.block_list([
        if needs.any() {
            "(SELECT ok FROM session) AS session_ok".to_owned()
        } else {
            "true AS session_ok".to_owned()
        },
        "(SELECT found FROM counted) AS found".to_owned(),
        "(SELECT changed FROM counted) AS changed".to_owned(),
        "ARRAY(SELECT \"key\" FROM deleted) AS deleted".to_owned(),
        "ARRAY(SELECT \"key\" FROM written WHERE version = 1) AS inserted".to_owned(),
        "CASE WHEN (SELECT changed FROM counted) > (SELECT pg_catalog.count(*) FROM written) THEN\n    \
           ARRAY(SELECT \"key\" FROM built WHERE changed EXCEPT SELECT \"key\" FROM written)\n  \
         END AS blocked"
            .to_owned(),
        "ARRAY(SELECT \"key\" FROM orphans) AS orphans".to_owned(),
        "(SELECT bytes FROM counted) AS bytes".to_owned(),
    ]);
    sql.finish()
}

/// True for a stored document that is no newer than this statement's snapshot: one that
/// this transaction wrote or locked before the snapshot, or whose writer the snapshot sees.
fn guard(view: &View) -> String {
    let key = column("v", view.key.column);
    format!(
        "(pg_catalog.pg_visible_in_snapshot(v.synced_xid, (SELECT pg_catalog.pg_current_snapshot()))\n    \
           OR v.synced_xid = (SELECT pg_catalog.pg_current_xact_id())\n    \
           OR {})",
        any_of_hidden(&key, view, "locked")
    )
}

/// Whether no two documents may have the same in a column, or in it and others.
fn is_unique(view: &View, promoted: &Promoted) -> bool {
    let by_index = view.indexes.iter().filter(|index| index.unique);
    promoted.unique
        || by_index.into_iter().any(|index| match index.on {
            IndexOn::Columns { columns, .. } => {
                columns.iter().any(|term| term.column == promoted.column)
            }
            // It may be about any.
            IndexOn::Expr(_) => true,
            IndexOn::Gin(_) | IndexOn::FullText { .. } => false,
        })
}

/// Of the documents whose unique values change only, so that the others stay equal.
fn clear_unique(view: &View) -> Option<String> {
    let key = column("v", view.key.column);
    let root_key = column("root", view.key.column);
    let mut cleared = Vec::new();
    let mut differ = vec![format!("{root_key} IS NULL")];
    for field in view.shape.fields {
        let Some(promoted) = field.promoted.filter(|promoted| is_unique(view, promoted)) else {
            continue;
        };
        cleared.push(format!("{} = NULL", ident(promoted.column)));
        let value = match &field.source {
            Source::Column { column, ty } => document::promoted_column("root", column, ty),
            _ => None,
        };
        // What is not simply read is not worth computing twice.
        let value = value.unwrap_or_else(|| "NULL".to_owned());
        let stored = column("own", promoted.column);
        differ.push(format!("{stored} IS DISTINCT FROM {value}"));
    }
    if cleared.is_empty() {
        return None;
    }
    let own_key = column("own", view.key.column);
    let mut sql = Sql::new();
    sql.line(format!("UPDATE {} AS v SET", view.table));
    sql.block_list(cleared);
    sql.line(format!("FROM {} AS own", view.table));
    let table = view.shape.table;
    let rows = match view.shape.filter {
        Some(filter) => format!(
            "(SELECT * FROM {table} AS root WHERE ({}))",
            fragment(filter, "root")
        ),
        None => table.to_string(),
    };
    sql.line(format!(
        "LEFT JOIN {rows} AS root ON {root_key} = {own_key}"
    ));
    sql.conditions(
        "WHERE",
        &[
            any(&own_key, view, 1),
            format!("{key} = {own_key}"),
            format!("({})", differ.join(" OR ")),
        ],
    );
    Some(sql.finish())
}

fn delete_orphans(view: &View) -> String {
    let key = column("v", view.key.column);
    let mut conditions = vec![format!("{} = {key}", column("root", view.key.column))];
    if let Some(filter) = view.shape.filter {
        conditions.push(format!("({})", fragment(filter, "root")));
    }
    let mut sql = Sql::new();
    sql.line(format!("DELETE FROM {} AS v", view.table));
    sql.line(format!("WHERE {}", any(&key, view, 1)));
    sql.indented(|sql| {
        sql.block("AND NOT EXISTS (", ")", |sql| {
            sql.line("SELECT");
            sql.line(format!("FROM {} AS root", view.shape.table));
            sql.conditions("WHERE", &conditions);
        });
    });
    sql.line(format!("RETURNING {key}"));
    sql.finish()
}

fn delete(view: &View) -> String {
    let key = column("v", view.key.column);
    let mut sql = Sql::new();
    sql.line(format!("DELETE FROM {} AS v", view.table));
    sql.block("USING (", ") AS locked", |sql| {
        sql.line(format!("SELECT {key} AS \"key\""));
        sql.line(format!("FROM {} AS v", view.table));
        sql.line(format!("WHERE {}", any(&key, view, 1)));
        sql.line(format!("ORDER BY {}", in_order(&key, &view.key)));
        sql.line("FOR UPDATE OF v");
    });
    sql.line(format!("WHERE {key} = locked.\"key\""));
    sql.finish()
}

/// A page of the keys that have a root row or a document: what a full sync goes through, so
/// that it also meets the documents whose row is gone. `pick` says which of them, given the key.
pub(crate) fn keys(view: &View, after: bool, pick: Option<&dyn Fn(&str) -> String>) -> String {
    let limit = if after { "$2" } else { "$1" };
    let mut sql = Sql::new();
    sql.block("SELECT ARRAY(", ") AS keys", |sql| {
        for (index, (table, filter)) in [(view.shape.table, view.shape.filter), (view.table, None)]
            .into_iter()
            .enumerate()
        {
            if index > 0 {
                sql.line("UNION");
            }
            sql.block("(", ")", |sql| {
                let key = column("k", view.key.column);
                sql.line(format!("SELECT {key} AS \"key\""));
                sql.line(format!("FROM {table} AS k"));
                let mut conditions = Vec::new();
                if after {
                    conditions.push(format!("{key} > ($1::{}[])[1]", view.key.ty.sql));
                }
                if let Some(filter) = filter {
                    conditions.push(format!("({})", fragment(filter, "k")));
                }
                if let Some(pick) = pick {
                    conditions.push(pick(&key));
                }
                sql.conditions("WHERE", &conditions);
                sql.line(format!("ORDER BY {key}"));
                sql.line(format!("LIMIT {limit}::int8"));
            });
        }
        sql.line("ORDER BY \"key\"");
        sql.line(format!("LIMIT {limit}::int8"));
    });
    sql.finish()
}

/// By the statistics of the base table, or counted where there are none.
fn expected(view: &View) -> String {
    let table = view.shape.table;
    let mut sql = Sql::new();
    sql.line("SELECT CASE");
    sql.indented(|sql| {
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

fn expected_after(view: &View) -> String {
    let key = column("k", view.key.column);
    let mut sql = Sql::new();
    sql.line("SELECT pg_catalog.count(*) AS expected");
    sql.line(format!("FROM {} AS k", view.shape.table));
    sql.line(format!("WHERE {key} > ($1::{}[])[1]", view.key.ty.sql));
    sql.finish()
}
