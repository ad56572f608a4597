//! The advisory locks by which syncs know of each other.

use crate::schema::View;
use crate::sql::text::{Sql, literal};

/// The class of the advisory locks of those who lock documents before they build them, "frai";
/// the object is the view table.
pub(crate) const IN_ORDER: i32 = i32::from_be_bytes(*b"frai");

/// The class of the advisory locks of transactions that have synced and may go on, "frao".
pub(crate) const OPEN: i32 = i32::from_be_bytes(*b"frao");

/// The key of such a lock.
pub(crate) fn advisory_key(class: i32, view: &View) -> String {
    format!(
        "{class}, {}::pg_catalog.regclass::oid::int4",
        literal(&view.table.to_string())
    )
}

/// Takes the lock for these views: from now on, until this transaction ends, other syncs wait
/// for the rows that they embed.
pub(crate) fn announce(views: &[&View]) -> String {
    let mut sql = Sql::new();
    sql.line("SELECT");
    sql.block_list(views.iter().map(|view| {
        let lock = advisory_key(OPEN, view);
        format!("pg_catalog.pg_advisory_xact_lock_shared({lock})::text")
    }));
    sql.finish()
}
