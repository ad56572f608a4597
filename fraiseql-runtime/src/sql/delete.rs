//! The statements that delete documents.

use crate::schema::View;
use crate::sql::fragment::fragment;
use crate::sql::text::{Sql, literal};

/// Deletes the documents `$1`. They are locked in key order first, because DELETE has no ORDER BY.
pub(crate) fn delete(view: &View) -> String {
    let key = view.stored_key("v");
    let mut sql = Sql::new();
    sql.line(format!("DELETE FROM {} AS v", view.table));
    sql.block("USING (", ") AS locked", |sql| {
        sql.line(format!("SELECT {} AS \"key\"", key.value()));
        sql.line(format!("FROM {} AS v", view.table));
        sql.line(format!("WHERE {}", key.is_in_parameter(1)));
        sql.line(format!("ORDER BY {}", key.order()));
        sql.line("FOR UPDATE OF v");
    });
    sql.line(format!("WHERE {}", key.is("locked.\"key\"")));
    sql.finish()
}

/// Deletes the documents of `keys`, a parameter or a literal, that have no root row.
pub(crate) fn delete_orphans(view: &View, keys: &str) -> String {
    let keys = view.key.array(keys);
    let key = view.stored_key("v");
    let is_root = view.base_key("root").is_same(&key);
    let mut sql = Sql::new();
    sql.line(format!("DELETE FROM {} AS v", view.table));
    sql.line(format!("WHERE {}", key.is_in(&keys)));
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
    sql.line(format!("RETURNING {} AS \"key\"", key.value()));
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
    let keys = view.key.array(keys);
    let mut sql = Sql::new();
    sql.line(format!(
        "INSERT INTO {} ({}, data, version, synced_xid, updated_at)",
        view.table,
        view.key_list()
    ));
    sql.line(format!(
        "SELECT {}, 'null', 1, pg_catalog.pg_current_xact_id(), pg_catalog.now()",
        view.key.list_of("k")
    ));
    sql.line(format!("FROM pg_catalog.unnest({keys}) AS k"));
    sql.line(format!("ORDER BY {}", view.key.order_of("k")));
    // A document that was inserted in the meantime is an orphan, or its row is there by now.
    sql.line("ON CONFLICT DO NOTHING");
    sql.finish()
}
