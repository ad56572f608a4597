//! Documents that are equal and skipped: who else may be about to replace them, and what makes
//! it count that they were looked at.

use crate::schema::View;
use crate::sql::text::{Sql, column, literal};
use crate::sql::write::advisory::IN_ORDER;
use crate::sql::write::written::is_locked;
use crate::sql::write::{Form, Write};

/// Whether another transaction has locked, changed or deleted the document since it was written;
/// or may have, because the mark of one that has rolled back stays, too. A document that was
/// locked to be written has the mark of its own writer.
pub(super) const HELD: &str = "v.xmax <> 0 AND v.xmax <> v.xmin";

impl Write<'_> {
    /// What is skipped, and what is to be done so that it counts.
    pub(super) fn equal(&self, sql: &mut Sql) {
        sql.block("equal AS MATERIALIZED (", "),", |sql| {
            sql.line("SELECT pg_catalog.array_agg(\"key\") AS keys");
            sql.line("FROM built");
            sql.line("WHERE NOT changed");
        });
        others(
            sql,
            self.view,
            match self.form {
                Form::Guarded => {
                    Some("NOT coalesce(l.pid = ANY ((SELECT friends FROM input)::int4[]), false)")
                }
                Form::Locked => None,
            },
        );
        match self.form {
            // Rows are looked at only after the locks were: whoever wrote before is seen there,
            // whoever writes later here.
            Form::Guarded => sql.block("unsure AS MATERIALIZED (", "),", |sql| {
                sql.line("SELECT CASE");
                sql.indented(|sql| {
                    sql.line("WHEN keys IS NULL THEN NULL");
                    sql.line("WHEN EXISTS (SELECT FROM others) THEN keys");
                    sql.block("ELSE ARRAY(", ")", |sql| {
                        sql.line(format!("SELECT {}", self.key));
                        sql.line(format!("FROM {} AS v", self.view.table));
                        sql.line(format!("WHERE {} = ANY (equal.keys) AND {HELD}", self.key));
                    });
                });
                sql.line("END AS keys");
                sql.line("FROM equal");
            }),
            Form::Locked => touched(sql, self.view, "),"),
        }
    }
}

/// Makes it count that the `keys` of `equal` were skipped, where that matters.
pub(crate) fn touched(sql: &mut Sql, view: &View, end: &str) {
    let key = column("v", view.key.column);
    sql.block("touched AS (", end, |sql| {
        sql.line(format!(
            "UPDATE {} AS v SET synced_xid = pg_catalog.pg_current_xact_id()",
            view.table
        ));
        sql.block(
            format!("WHERE {key} = ANY (("),
            format!(")::{}[])", view.key.ty.sql),
            |sql| {
                sql.line(
                    "SELECT CASE WHEN keys IS NULL THEN NULL \
                     WHEN EXISTS (SELECT FROM others) THEN keys END",
                );
                sql.line("FROM equal");
            },
        );
        sql.line(format!("  AND {}", is_locked(&key)));
    });
}

/// The transactions of others that write the view table, and have not locked first.
pub(crate) fn others(sql: &mut Sql, view: &View, also: Option<&str>) {
    let table = format!("{}::pg_catalog.regclass", literal(&view.table.to_string()));
    sql.block("locks AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT *");
        sql.line("FROM pg_catalog.pg_locks AS l");
        sql.line("WHERE l.granted");
        sql.indented(|sql| {
            sql.line(format!(
                "AND (l.relation = {table} AND l.mode = 'RowExclusiveLock'"
            ));
            sql.line(format!(
                "  OR l.locktype = 'advisory' AND l.classid = {IN_ORDER} AND l.objid = {table})"
            ));
            sql.line("AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()");
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
            if let Some(also) = also {
                sql.line(format!("AND {also}"));
            }
        });
    });
}

/// Waits for `$2` seconds, then says whether one of the transactions `$1` is still about to
/// write.
pub(crate) fn still_writing(view: &View) -> String {
    let mut sql = Sql::new();
    sql.block("SELECT EXISTS (", ") AS writing", |sql| {
        sql.line("SELECT FROM pg_catalog.pg_locks AS l");
        sql.line(format!(
            "WHERE l.relation = {}::pg_catalog.regclass AND l.mode = 'RowExclusiveLock'",
            literal(&view.table.to_string())
        ));
        sql.line("  AND l.virtualtransaction = ANY ($1::text[])");
        sql.line("  AND waited.\"end\" IS NOT NULL");
    });
    sql.line("FROM (SELECT pg_catalog.pg_sleep($2::float8)::text AS \"end\" OFFSET 0) AS waited");
    sql.finish()
}

/// Which of the documents `$1` were written or locked after the snapshot `$2`, or are gone.
pub(crate) fn overwritten(view: &View) -> String {
    let key = column("v", view.key.column);
    let mut sql = Sql::new();
    sql.block("SELECT ARRAY(", ") AS overwritten", |sql| {
        sql.line("SELECT k.\"key\"");
        sql.line(format!(
            "FROM pg_catalog.unnest($1::{}[]) AS k (\"key\")",
            view.key.ty.sql
        ));
        sql.line(format!(
            "LEFT JOIN {} AS v ON {key} = k.\"key\"",
            view.table
        ));
        sql.line(format!("WHERE {key} IS NULL"));
        sql.line(format!("  OR {HELD}"));
        sql.line(
            "  OR NOT pg_catalog.pg_visible_in_snapshot(v.synced_xid, $2::pg_catalog.pg_snapshot)",
        );
    });
    sql.finish()
}
