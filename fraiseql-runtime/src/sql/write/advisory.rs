//! The advisory locks by which syncs announce themselves to each other.
//!
//! Both are shared locks of a transaction: they never wait for each other, and they are visible
//! in `pg_locks` until the transaction ends. The object of each is the view table.

use crate::schema::View;
use crate::sql::text::{Sql, literal};

/// The class of the locks of transactions that lock documents before they build them: "frai".
pub(crate) const IN_ORDER: i32 = i32::from_be_bytes(*b"frai");

/// The class of the locks of transactions that have synced and are still open: "frao".
pub(crate) const OPEN: i32 = i32::from_be_bytes(*b"frao");

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
