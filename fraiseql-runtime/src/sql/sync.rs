//! The statements of a sync.
//!
//! `$1` is always the array of keys, each once.

use crate::schema::{IndexOn, Key, Promoted, Source, View};
use crate::sql::document;
use crate::sql::document::Lookup;
use crate::sql::lock;
use crate::sql::session::{SessionNeeds, session_needs};
use crate::sql::text::{Sql, column, fragment, ident, literal};
use crate::sql::write;
use crate::sql::write::{Form, advisory, equal};

/// The statements of a sync.
#[derive(Debug)]
pub struct SyncSql {
    /// Builds the documents of `$1`, writes those that differ, deletes those whose row is
    /// gone, where nobody else has written them since. `$2` are the backends whose writing
    /// does not matter. Answers with one row; see [`answer`](crate::sql::write::answer).
    pub write: String,
    /// The same for at most [`FEW`] keys.
    pub write_few: String,
    /// The same where this transaction has locked the documents `$2`.
    pub write_locked: String,
    /// The same for at most [`FEW`] keys.
    pub write_locked_few: String,
    /// Says to other syncs that this transaction may have changed rows that they embed.
    pub announce: String,
    /// Waits for `$2` seconds, then says whether one of the transactions `$1` is still writing
    /// documents.
    pub still_writing: String,
    /// Which of the documents `$1` others have written or locked since the snapshot `$2`.
    pub overwritten: String,
    /// Locks the rows that the documents of `$1` are made from and that no other sync would
    /// know of, table by table, in key order: the rows they embed by foreign key or through a
    /// join table, and the root rows that have no document yet. Then the documents; answers
    /// with the array of those that exist, and the isolation level.
    pub lock: String,
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

/// Up to so many keys, looking rows up one by one is faster than joining.
pub const FEW: usize = 40;

pub(crate) fn compose(view: &View, number: i64) -> SyncSql {
    let needs = session_needs(view);
    SyncSql {
        write: write::compose(view, number, Lookup::Many, Form::Guarded),
        write_few: write::compose(view, number, Lookup::Few, Form::Guarded),
        write_locked: write::compose(view, number, Lookup::Many, Form::Locked),
        write_locked_few: write::compose(view, number, Lookup::Few, Form::Locked),
        announce: advisory::announce(&[view]),
        still_writing: equal::still_writing(view),
        overwritten: equal::overwritten(view),
        lock: lock::all(view),
        lock_documents: lock::documents(view),
        clear_unique: clear_unique(view),
        delete_orphans: delete_orphans(view, &keys_in(view, "$1")),
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

/// Keys in an order that is the same in every session and in Rust.
pub(crate) fn in_order(key: &str, ty: &Key) -> String {
    if ty.ty.sql == "text" {
        format!("{key} COLLATE \"C\"")
    } else {
        key.to_owned()
    }
}

/// `key` is one of the keys in a parameter, whose length the planner shall not see: it would plan
/// each call anew, for its length, and that takes longer than to lock a few rows.
pub(crate) fn any(key: &str, view: &View, parameter: u8) -> String {
    format!(
        "{key} = ANY ((SELECT ${parameter}::{0}[])::{0}[])",
        view.key.ty.sql
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

/// The array of keys that a parameter or a literal is.
fn keys_in(view: &View, value: &str) -> String {
    format!("{value}::{}[]", view.key.ty.sql)
}

fn delete_orphans(view: &View, keys: &str) -> String {
    let key = column("v", view.key.column);
    let mut conditions = vec![format!("{} = {key}", column("root", view.key.column))];
    if let Some(filter) = view.shape.filter {
        conditions.push(format!("({})", fragment(filter, "root")));
    }
    let mut sql = Sql::new();
    sql.line(format!("DELETE FROM {} AS v", view.table));
    sql.line(format!("WHERE {key} = ANY ({keys})"));
    sql.indented(|sql| {
        sql.block("AND NOT EXISTS (", ")", |sql| {
            sql.line("SELECT");
            sql.line(format!("FROM {} AS root", view.shape.table));
            sql.conditions("WHERE", &conditions);
        });
        // One that was written since is of somebody who has seen its row.
        sql.line(
            "AND (pg_catalog.pg_visible_in_snapshot(v.synced_xid, \
             (SELECT pg_catalog.pg_current_snapshot()))",
        );
        sql.line("  OR v.synced_xid = (SELECT pg_catalog.pg_current_xact_id()))");
    });
    sql.line(format!("RETURNING {key}"));
    sql.finish()
}

/// Statements that make whoever is about to insert one of the documents `keys` wait until this
/// transaction ends, and delete those that were inserted before. The keys are a literal, so that
/// it is one message: nobody can stop between the two.
pub(crate) fn keep_out(view: &View, keys: &str) -> String {
    let keys = keys_in(view, &literal(keys));
    let key = ident(view.key.column);
    let mut sql = Sql::new();
    sql.line(format!(
        "INSERT INTO {} ({key}, data, version, synced_xid, updated_at)",
        view.table
    ));
    sql.line("SELECT k, 'null', 1, pg_catalog.pg_current_xact_id(), pg_catalog.now()");
    sql.line(format!("FROM pg_catalog.unnest({keys}) AS k"));
    sql.line(format!("ORDER BY {}", in_order("k", &view.key)));
    sql.line("ON CONFLICT DO NOTHING;");
    sql.line(delete_orphans(view, &keys));
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
