//! The CTEs of equal documents, which are skipped: which transactions may be about to replace them,
//! and how the skip is made to count.
//!
//! `pg_locks` and `xmax` show the present state, not that of the snapshot. The order in which
//! they are read matters: see [`WriteStatement::equal`].

use crate::schema::View;
use crate::sql::text::{Sql, elements, literal};
use crate::sql::write::advisory::{IN_ORDER, PEERS};
use crate::sql::write::conditions::{HELD, is_locked};
use crate::sql::write::protocol::WriteProtocol;
use crate::sql::write::write_statement::WriteStatement;

impl WriteStatement<'_> {
    /// `equal`: the keys of all equal documents. `locks` and `others`: the transactions that may
    /// be about to write documents. Then `unsure` in the guarded statement, and `touched` in the
    /// locked one.
    pub(super) fn equal(&self, sql: &mut Sql) {
        sql.block("equal AS MATERIALIZED (", "),", |sql| {
            sql.line("SELECT pg_catalog.array_agg(\"key\") AS keys");
            sql.line("FROM built");
            sql.line("WHERE NOT changed");
        });
        match self.protocol {
            WriteProtocol::Guarded => {
                // Transactions of the same full sync write other documents.
                let peers =
                    format!("l.classid = {PEERS} AND l.objid = (SELECT peers FROM input)::oid");
                others(sql, self.view, Some(&peers));
                self.unsure(sql);
            }
            WriteProtocol::Locked => {
                others(sql, self.view, None);
                touched(sql, self.view, "),");
            }
        }
    }

    /// `unsure`: the equal documents that another transaction may still replace; null if no
    /// document is equal.
    ///
    /// The CASE reads `pg_locks` first and the rows second. A writer that has finished before the
    /// locks were read has left its mark in the row by then; one that writes later still holds
    /// its lock. In the opposite order, one that finished in between would be missed.
    fn unsure(&self, sql: &mut Sql) {
        sql.block("unsure AS MATERIALIZED (", "),", |sql| {
            sql.line("SELECT CASE");
            sql.indented(|sql| {
                sql.line("WHEN keys IS NULL THEN NULL");
                sql.line("WHEN EXISTS (SELECT FROM others) THEN keys");
                sql.block("ELSE ARRAY(", ")", |sql| {
                    sql.line(format!("SELECT {}", self.key.value()));
                    sql.line(format!("FROM {} AS v", self.view.table));
                    let equal = self.key.is_in("equal.keys");
                    sql.line(format!("WHERE {equal} AND {HELD}"));
                });
            });
            sql.line("END AS keys");
            sql.line("FROM equal");
        });
    }
}

/// `touched`: writes `synced_xid`, and nothing else, of the equal documents that another
/// transaction may be about to replace. The guard of that transaction then sees that the document
/// was synced by a newer snapshot.
///
/// Without others nothing is written: an equal document costs no new row version. `end` closes
/// the CTE.
pub(crate) fn touched(sql: &mut Sql, view: &View, end: &str) {
    let key = view.stored_key("v");
    sql.block("touched AS (", end, |sql| {
        sql.line(format!(
            "UPDATE {} AS v SET synced_xid = pg_catalog.pg_current_xact_id()",
            view.table
        ));
        let keys = view.key.array(
            "(\n    SELECT CASE WHEN keys IS NULL THEN NULL \
             WHEN EXISTS (SELECT FROM others) THEN keys END\n    FROM equal\n  )",
        );
        sql.line(format!("WHERE {}", key.is_in(&keys)));
        // A document that was inserted after the locks may be newer than this snapshot.
        sql.line(format!("  AND {}", is_locked(&key.value())));
    });
}

/// `locks` and `others`: the transactions of other backends that write the view table and did not
/// lock documents first. Nor do they hold an advisory lock that meets the condition `unless`.
///
/// A statement that writes a table locks it in mode ROW EXCLUSIVE before its snapshot, and until
/// its transaction ends. Transactions that lock documents first also hold the advisory lock
/// `IN_ORDER`: they cannot have read the base tables before they got the locks on the documents,
/// so they never write an older version.
pub(crate) fn others(sql: &mut Sql, view: &View, unless: Option<&str>) {
    let table = format!("{}::pg_catalog.regclass", literal(&view.table.to_string()));
    // One scan of `pg_locks` for both kinds of locks: a transaction might end between two.
    sql.block("locks AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT *");
        sql.line("FROM pg_catalog.pg_locks AS l");
        sql.line("WHERE l.granted");
        sql.indented(|sql| {
            sql.line(format!(
                "AND (l.relation = {table} AND l.mode = 'RowExclusiveLock'"
            ));
            let in_order = format!(
                "  OR l.locktype = 'advisory' AND l.classid = {IN_ORDER} AND l.objid = {table}"
            );
            match unless {
                None => sql.line(format!("{in_order})")),
                Some(unless) => {
                    sql.line(in_order);
                    sql.line(format!("  OR l.locktype = 'advisory' AND {unless})"));
                }
            }
            sql.line("AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()");
            // Other databases may have a table with the same identifier.
            sql.line(
                "AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d \
                 WHERE d.datname = pg_catalog.current_database())",
            );
        });
    });
    sql.block("others AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT l.virtualtransaction");
        sql.line("FROM locks AS l");
        sql.line("WHERE l.locktype = 'relation'");
        sql.indented(|sql| {
            sql.block("AND NOT EXISTS (", ")", |sql| {
                sql.line("SELECT FROM locks AS o");
                sql.line(
                    "WHERE o.locktype = 'advisory' AND o.virtualtransaction = l.virtualtransaction",
                );
            });
        });
    });
}

/// Waits for `$2` seconds, then returns whether one of the transactions `$1` still writes the
/// view table.
pub(crate) fn still_writing(view: &View) -> String {
    let mut sql = Sql::new();
    sql.block("SELECT EXISTS (", ") AS writing", |sql| {
        sql.line("SELECT FROM pg_catalog.pg_locks AS l");
        sql.line(format!(
            "WHERE l.relation = {}::pg_catalog.regclass AND l.mode = 'RowExclusiveLock'",
            literal(&view.table.to_string())
        ));
        sql.line("  AND l.virtualtransaction = ANY ($1::text[])");
        // Refers to the sub-select below, so that `pg_locks` is read after it has waited.
        sql.line("  AND waited.\"end\" IS NOT NULL");
    });
    sql.line("FROM (SELECT pg_catalog.pg_sleep($2::float8)::text AS \"end\" OFFSET 0) AS waited");
    sql.finish()
}

/// Which of the documents `$1` were written or locked after the snapshot `$2`, or are gone.
pub(crate) fn overwritten(view: &View) -> String {
    let key = view.stored_key("v");
    let mut sql = Sql::new();
    sql.block("SELECT ARRAY(", ") AS overwritten", |sql| {
        sql.line("SELECT k.\"key\"");
        sql.line(format!(
            "FROM {} AS k (\"key\")",
            elements(1, view.key.sql_type())
        ));
        sql.line(format!(
            "LEFT JOIN {} AS v ON {}",
            view.table,
            key.is("k.\"key\"")
        ));
        sql.line(format!("WHERE {}", key.is_missing()));
        sql.line(format!("  OR {HELD}"));
        sql.line(
            "  OR NOT pg_catalog.pg_visible_in_snapshot(v.synced_xid, $2::pg_catalog.pg_snapshot)",
        );
    });
    sql.finish()
}
