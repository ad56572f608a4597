//! The advisory locks by which syncs announce themselves to each other.
//!
//! All are shared locks of a transaction: they never wait for each other, and they are visible
//! in `pg_locks` until the transaction ends. The object of [`IN_ORDER`] and [`OPEN`] is the view
//! table, that of [`PEERS`] the number of a full sync.

use crate::schema::View;
use crate::sql::text::{Sql, literal};

/// The class of the locks of transactions that lock documents before they build them: "frai".
pub(crate) const IN_ORDER: i32 = i32::from_be_bytes(*b"frai");

/// The class of the locks of transactions that have synced and are still open: "frao".
pub(crate) const OPEN: i32 = i32::from_be_bytes(*b"frao");

/// The class of the locks of transactions that are part of one full sync: "frap".
pub(crate) const PEERS: i32 = i32::from_be_bytes(*b"frap");

/// The arguments of a lock function: the class and the view table.
pub(crate) fn advisory_key(class: i32, view: &View) -> String {
    format!(
        "{class}, {}::pg_catalog.regclass::oid::int4",
        literal(&view.table.to_string())
    )
}

/// Announces this transaction for these views: until it ends, other syncs wait for the rows that
/// they embed.
pub(crate) fn announce(views: &[&View]) -> String {
    let mut sql = Sql::new();
    sql.line("SELECT");
    sql.block_list(views.iter().map(|view| {
        let lock = advisory_key(OPEN, view);
        format!("pg_catalog.pg_advisory_xact_lock_shared({lock})::text")
    }));
    sql.finish()
}

/// Waits for `$2` seconds, then returns the virtual ids of the transactions that have synced
/// documents of the view and are still open: all of them, or those of `$1` unless it is null.
pub(crate) fn open_writers(view: &View) -> String {
    let mut sql = Sql::new();
    sql.block("SELECT ARRAY(", ") AS open", |sql| {
        sql.line("SELECT l.virtualtransaction");
        sql.line("FROM pg_catalog.pg_locks AS l");
        sql.line(format!(
            "WHERE l.locktype = 'advisory' AND l.classid = {OPEN} AND l.objid = {}::pg_catalog.regclass",
            literal(&view.table.to_string())
        ));
        sql.line("  AND l.granted AND l.mode = 'ShareLock'");
        sql.line("  AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()");
        // Other databases may have a table with the same identifier.
        sql.line(
            "  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d \
             WHERE d.datname = pg_catalog.current_database())",
        );
        sql.line("  AND ($1::text[] IS NULL OR l.virtualtransaction = ANY ($1::text[]))");
        // Refers to the sub-select below, so that `pg_locks` is read after it has waited.
        sql.line("  AND waited.\"end\" IS NOT NULL");
    });
    sql.line("FROM (SELECT pg_catalog.pg_sleep($2::float8)::text AS \"end\" OFFSET 0) AS waited");
    sql.finish()
}
