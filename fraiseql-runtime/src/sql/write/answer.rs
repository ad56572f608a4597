//! Columns of the answer of a write.

use crate::sql::text::Sql;
use crate::sql::write::written::is_locked;
use crate::sql::write::{Form, Write};

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
/// The keys that another transaction has written after this snapshot or has locked, to be
/// built once more; null where there are none.
pub const BLOCKED: usize = 5;
/// The keys of documents without a row. Those that were not deleted are blocked, too.
pub const ORPHANS: usize = 6;
/// How many bytes all documents of the batch have.
pub const BYTES: usize = 7;
/// How many documents were inserted or updated.
pub const WRITTEN: usize = 8;
/// Of the guarded form: the keys of equal documents that others may be about to replace by
/// an older picture; null where there are none.
pub const UNSURE: usize = 9;
/// Of the guarded form: the transactions of those others, as `pg_locks` names them.
pub const OTHERS: usize = 10;
/// Of the guarded form, where there are others: its snapshot.
pub const SNAPSHOT: usize = 11;
/// Of the guarded form: whether a transaction that has synced is not over. Then nothing was
/// written.
pub const OPEN: usize = 12;
/// Of the locked form: the keys that have neither a row nor a document; null where there
/// are none.
pub const MISSING: usize = 9;

impl Write<'_> {
    /// The statement's last part: the answer, in the order of these columns.
    pub(super) fn answer(&self, sql: &mut Sql, session_ok: Option<&str>) {
        let mut blocked = "SELECT \"key\" FROM built WHERE changed".to_owned();
        let mut some_blocked =
            "(SELECT changed FROM counted) > (SELECT pg_catalog.count(*) FROM written)".to_owned();
        if self.form == Form::Locked {
            // One that came after the locks.
            let unlocked = format!(
                "SELECT \"key\" FROM built WHERE NOT changed AND NOT {}",
                is_locked("\"key\"")
            );
            some_blocked.push_str(&format!("\n    OR EXISTS ({unlocked})"));
            blocked = format!("({blocked} UNION ALL {unlocked})");
        }
        sql.line("SELECT");
        let mut select = vec![
            format!("{} AS session_ok", session_ok.unwrap_or("true")),
            "(SELECT found FROM counted) AS found".to_owned(),
            "(SELECT changed FROM counted) AS changed".to_owned(),
            "ARRAY(SELECT \"key\" FROM deleted) AS deleted".to_owned(),
            "ARRAY(SELECT \"key\" FROM written WHERE version = 1) AS inserted".to_owned(),
            format!(
                "CASE WHEN {some_blocked} THEN\n    \
                   ARRAY({blocked} EXCEPT SELECT \"key\" FROM written)\n  \
                 END AS blocked"
            ),
            "ARRAY(SELECT \"key\" FROM orphans) AS orphans".to_owned(),
            "(SELECT bytes FROM counted) AS bytes".to_owned(),
            "(SELECT pg_catalog.count(*) FROM written) AS written".to_owned(),
        ];
        match self.form {
            Form::Guarded => select.extend([
                "(SELECT keys FROM unsure) AS unsure".to_owned(),
                "CASE WHEN (SELECT keys FROM unsure) <> '{}' THEN\n    \
                   ARRAY(SELECT virtualtransaction FROM others)\n  \
                 END AS others"
                    .to_owned(),
                "CASE WHEN (SELECT keys FROM unsure) <> '{}' THEN\n    \
                   (SELECT pg_catalog.pg_current_snapshot())::text\n  \
                 END AS snapshot"
                    .to_owned(),
                "(SELECT open FROM session) AS open".to_owned(),
            ]),
            Form::Locked => select.push(
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
