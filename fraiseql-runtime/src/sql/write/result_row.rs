//! Columns of the row that a write statement returns.

use crate::sql::text::Sql;
use crate::sql::write::conditions::is_locked;
use crate::sql::write::protocol::WriteProtocol;
use crate::sql::write::write_statement::WriteStatement;

/// Whether the settings of the session are those that the documents need. If not, or unless
/// [`WRITER`] is null, nothing was written.
pub(crate) const SESSION_OK: usize = 0;
/// The number of root rows.
pub(crate) const FOUND: usize = 1;
/// The number of root rows whose document is missing, or differs from what is stored.
pub(crate) const CHANGED: usize = 2;
/// The keys of the documents that were deleted.
pub(crate) const DELETED: usize = 3;
/// The keys of the documents that were inserted.
pub(crate) const INSERTED: usize = 4;
/// The keys of documents that were not written because another transaction has written or locked
/// them after the snapshot was taken. They must be locked and built again. Null if there are none.
pub(crate) const CONFLICTED: usize = 5;
/// The keys of documents without a root row. Those that are not in [`DELETED`] are in conflict, too.
pub(crate) const ORPHANS: usize = 6;
/// The size of all documents of the batch, in bytes.
pub(crate) const BYTES: usize = 7;
/// The number of documents that were inserted or updated.
pub(crate) const WRITTEN: usize = 8;
/// Guarded statement: the keys of equal documents, which were skipped, but which another
/// transaction may be about to replace by an older version. Null if there are none.
pub(crate) const UNCONFIRMED: usize = 9;
/// Guarded statement: the virtual ids of those transactions, as in `pg_locks`. Null if nothing is
/// unconfirmed.
pub(crate) const CONFLICTING_VXIDS: usize = 10;
/// Guarded statement: its snapshot. Null if nothing is unconfirmed.
pub(crate) const SNAPSHOT: usize = 11;
/// Guarded statement: one of the values in [`writer`] if a transaction that has synced was open when
/// the snapshot was taken, or may have been. If so, nothing was written.
pub(crate) const WRITER: usize = 12;
/// Locked statement: the keys that have neither a root row nor a document. Null if there are none.
pub(crate) const ABSENT: usize = 9;

/// The values of [`WRITER`].
pub(crate) mod writer {
    /// It still is.
    pub(crate) const ACTIVE: &str = "active";
    /// It is not, but transactions that were in progress have committed since, and it may have been
    /// one of them.
    pub(crate) const COMMITTED: &str = "committed";
}

impl WriteStatement<'_> {
    /// The last part of the statement, which returns the row.
    pub(super) fn result_row(&self, sql: &mut Sql, session_ok: Option<&str>) {
        let mut conflicted = "SELECT \"key\" FROM built WHERE changed".to_owned();
        let mut some_conflict =
            "(SELECT changed FROM counted) > (SELECT pg_catalog.count(*) FROM written)".to_owned();
        if self.protocol == WriteProtocol::Locked {
            // An equal document that was inserted after the locks were taken, and so is not locked.
            let unlocked = format!(
                "SELECT \"key\" FROM built WHERE NOT changed AND NOT {}",
                is_locked("\"key\"")
            );
            some_conflict.push_str(&format!("\n    OR EXISTS ({unlocked})"));
            conflicted = format!("({conflicted} UNION ALL {unlocked})");
        }
        sql.line("SELECT");
        // In the order of the constants above. The CASE expressions skip the set operations if
        // there is nothing to report, which is the common case.
        let mut select = vec![
            format!("{} AS session_ok", session_ok.unwrap_or("true")),
            "(SELECT found FROM counted) AS found".to_owned(),
            "(SELECT changed FROM counted) AS changed".to_owned(),
            "ARRAY(SELECT \"key\" FROM deleted) AS deleted".to_owned(),
            "ARRAY(SELECT \"key\" FROM written WHERE version = 1) AS inserted".to_owned(),
            format!(
                "CASE WHEN {some_conflict} THEN\n    \
                   ARRAY({conflicted} EXCEPT SELECT \"key\" FROM written)\n  \
                 END AS blocked"
            ),
            "ARRAY(SELECT \"key\" FROM orphans) AS orphans".to_owned(),
            "(SELECT bytes FROM counted) AS bytes".to_owned(),
            "(SELECT pg_catalog.count(*) FROM written) AS written".to_owned(),
        ];
        match self.protocol {
            WriteProtocol::Guarded => select.extend([
                "(SELECT keys FROM unsure) AS unsure".to_owned(),
                "CASE WHEN (SELECT keys FROM unsure) <> '{}' THEN\n    \
                   ARRAY(SELECT virtualtransaction FROM others)\n  \
                 END AS others"
                    .to_owned(),
                "CASE WHEN (SELECT keys FROM unsure) <> '{}' THEN\n    \
                   (SELECT pg_catalog.pg_current_snapshot())::text\n  \
                 END AS snapshot"
                    .to_owned(),
                "(SELECT writer FROM session) AS writer".to_owned(),
            ]),
            WriteProtocol::Locked => select.push(
                "CASE WHEN (SELECT found FROM counted) < (SELECT pg_catalog.cardinality(keys) FROM input) THEN\n    \
                   ARRAY(\n      \
                     SELECT pg_catalog.unnest(keys) FROM input\n      \
                     EXCEPT SELECT \"key\" FROM built\n      \
                     EXCEPT SELECT \"key\" FROM orphans\n    \
                   )\n  \
                 END AS missing"
                    .to_owned(),
            ),
        }
        sql.block_list(select);
    }
}
