//! Conditions on stored documents, which guard them against being replaced by an older version.

/// The condition that another transaction has locked, changed or deleted the document `v` since
/// it was written, or has tried to: `xmax` keeps the id of a transaction that was rolled back.
///
/// The column `xmax` is read from the row as it is now, and not as it was when the snapshot was
/// taken. If the writer of the row locked it before, its own id is in both `xmin` and `xmax`.
pub(super) const HELD: &str = "v.xmax <> 0 AND v.xmax <> v.xmin";

/// The condition that this transaction has locked the document of `key`.
///
/// PostgreSQL hashes the sub-select. It would search an array once for each row.
pub(super) fn is_locked(key: &str) -> String {
    format!("{key} IN (SELECT pg_catalog.unnest(locked) FROM input)")
}
