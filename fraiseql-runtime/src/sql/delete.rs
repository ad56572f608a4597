//! The statements that delete documents.

use crate::schema::View;
use crate::sql::fragment::fragment;
use crate::sql::key_column::{in_parameter, key_array, key_order};
use crate::sql::text::{Sql, column, ident, literal};

/// Deletes the documents `$1`. They are locked in key order first, because DELETE has no ORDER BY.
pub(crate) fn delete(view: &View) -> String {
    let key = column("v", view.key_column());
    let mut sql = Sql::new();
    sql.line(format!("DELETE FROM {} AS v", view.table));
    sql.block("USING (", ") AS locked", |sql| {
        sql.line(format!("SELECT {key} AS \"key\""));
        sql.line(format!("FROM {} AS v", view.table));
        sql.line(format!("WHERE {}", in_parameter(&key, view, 1)));
        sql.line(format!("ORDER BY {}", key_order(&key, &view.key)));
        sql.line("FOR UPDATE OF v");
    });
    sql.line(format!("WHERE {key} = locked.\"key\""));
    sql.finish()
}

/// Deletes the documents of `keys`, a parameter or a literal, that have no root row.
pub(crate) fn delete_orphans(view: &View, keys: &str) -> String {
    let keys = key_array(view, keys);
    let key = column("v", view.key_column());
    let is_root = format!("{} = {key}", column("root", view.key.column));
    let mut sql = Sql::new();
    sql.line(format!("DELETE FROM {} AS v", view.table));
    sql.line(format!("WHERE {key} = ANY ({keys})"));
    sql.indented(|sql| {
        sql.block("AND NOT EXISTS (", ")", |sql| {
            sql.line("SELECT");
            let Some(filter) = view.shape.filter else {
                sql.line(format!("FROM {} AS root", view.shape.table));
                sql.line(format!("WHERE {is_root}"));
                return;
            };
            // A row that the filter excludes counts as missing. `OFFSET 0` keeps the filter from other
            // rows, for which it may fail.
            sql.block("FROM (", ") AS root", |sql| {
                sql.line("SELECT *");
                sql.line(format!("FROM {} AS root", view.shape.table));
                sql.line(format!("WHERE {is_root}"));
                sql.line("OFFSET 0");
            });
            sql.line(format!("WHERE ({})", fragment(filter, "root")));
        });
        // A document that was written after this snapshot is kept: its writer has seen a row.
        sql.line(
            "AND (pg_catalog.pg_visible_in_snapshot(v.synced_xid, \
             (SELECT pg_catalog.pg_current_snapshot()))",
        );
        sql.line("  OR v.synced_xid = (SELECT pg_catalog.pg_current_xact_id()))");
    });
    sql.line(format!("RETURNING {key} AS \"key\""));
    sql.finish()
}

/// Keeps other transactions from inserting the documents `keys`, an array literal, until this one
/// ends, and deletes the orphans among those that were inserted before.
///
/// It inserts a row for each key and deletes it again: an insert of the same key waits for the
/// end of this transaction, because the unique index has an entry of an open transaction. The keys
/// are a literal, because a message with parameters holds only one statement: both statements are
/// one message, so no client that stops in between leaves the rows behind.
pub(crate) fn keep_out(view: &View, keys: &str) -> String {
    let literal = literal(keys);
    let mut sql = Sql::new();
    sql.line(format!("{};", placeholders(view, &literal)));
    sql.line(delete_orphans(view, &literal));
    sql.finish()
}

/// Inserts a row for each of `keys`, a literal or a variable, that has no document.
pub(crate) fn placeholders(view: &View, keys: &str) -> String {
    let keys = key_array(view, keys);
    let key = ident(view.key_column());
    let mut sql = Sql::new();
    sql.line(format!(
        "INSERT INTO {} ({key}, data, version, synced_xid, updated_at)",
        view.table
    ));
    sql.line("SELECT k, 'null', 1, pg_catalog.pg_current_xact_id(), pg_catalog.now()");
    sql.line(format!("FROM pg_catalog.unnest({keys}) AS k"));
    sql.line(format!("ORDER BY {}", key_order("k", &view.key)));
    // A document that was inserted in the meantime is an orphan, or its row is there by now.
    sql.line("ON CONFLICT DO NOTHING");
    sql.finish()
}
