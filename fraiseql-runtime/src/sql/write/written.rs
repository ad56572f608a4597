//! The CTEs that insert, update and delete documents, each with its guard: no document is replaced
//! that may be newer than the snapshot of this statement.

use crate::sql::text::{Sql, ident};
use crate::sql::write::conditions::{HELD, is_locked};
use crate::sql::write::protocol::WriteProtocol;
use crate::sql::write::write_statement::WriteStatement;

impl WriteStatement<'_> {
    /// `written`: inserts and updates the changed documents, in key order.
    ///
    /// The condition of DO UPDATE is evaluated after the wait for the row lock, on the newest
    /// version of the row, while EXCLUDED was built before. A document that does not match the
    /// guard is not returned, and so is reported as in conflict.
    pub(super) fn written(&self, sql: &mut Sql) {
        sql.block("written AS (", "),", |sql| {
            self.upsert(sql, &self.guard(), |sql| {
                sql.line("FROM built");
                sql.line(match self.protocol {
                    // A wait for the row lock would only end in a conflict.
                    WriteProtocol::Guarded => "WHERE changed AND NOT held",
                    WriteProtocol::Locked => "WHERE changed",
                });
                sql.line(format!("ORDER BY {}", self.view.key.order_of("\"key\"")));
            });
            sql.line(format!(
                "RETURNING {} AS \"key\", v.version",
                self.key.value()
            ));
        });
    }

    /// Inserts the built rows that `from` selects, and updates those whose documents match `guard`.
    pub(in crate::sql) fn upsert(&self, sql: &mut Sql, guard: &str, from: impl FnOnce(&mut Sql)) {
        let key = self.view.key_list();
        let content: Vec<String> = self.columns.iter().map(|name| ident(name)).collect();
        let content = content.join(", ");
        let built: Vec<String> = self.labels.iter().map(|label| ident(label)).collect();
        let built = built.join(", ");
        sql.line(format!(
            "INSERT INTO {} AS v ({key}, {content}, version, synced_xid, updated_at, shape)",
            self.view.table
        ));
        sql.line(format!(
            "SELECT {}, {built}, 1, pg_catalog.pg_current_xact_id(), pg_catalog.now(), {}",
            self.view.key.list_of("\"key\""),
            self.shape
        ));
        from(sql);
        sql.line(format!("ON CONFLICT ({key}) DO UPDATE SET"));
        let mut sets: Vec<String> = self
            .columns
            .iter()
            .map(|name| format!("{0} = EXCLUDED.{0}", ident(name)))
            .collect();
        sets.push("version = v.version + 1".to_owned());
        sets.push("synced_xid = EXCLUDED.synced_xid".to_owned());
        sets.push("updated_at = EXCLUDED.updated_at".to_owned());
        sets.push("shape = EXCLUDED.shape".to_owned());
        sql.block_list(sets);
        sql.line(format!("WHERE {guard}"));
    }

    /// `orphans`: the documents without a root row. `deleted`: deletes them.
    pub(super) fn deleted(&self, sql: &mut Sql, session_ok: Option<&str>) {
        let key = self.key.value();
        sql.block("orphans AS MATERIALIZED (", "),", |sql| {
            let held = match self.protocol {
                WriteProtocol::Guarded => format!(", {HELD} AS held"),
                WriteProtocol::Locked => String::new(),
            };
            sql.line(format!("SELECT {key} AS \"key\"{held}"));
            sql.line(format!("FROM {} AS v", self.view.table));
            let mut conditions = vec![
                // If every key has a row there are no orphans, and the table is not read.
                "(SELECT found FROM counted) < (SELECT pg_catalog.cardinality(keys) FROM input)"
                    .to_owned(),
                self.key.is_in_input(),
                format!("NOT EXISTS (SELECT FROM built AS b WHERE b.\"key\" = {key})"),
            ];
            // A session that may not write has built nothing: every document would be an orphan.
            conditions.extend(session_ok.map(str::to_owned));
            sql.conditions("WHERE", &conditions);
        });
        sql.block("deleted AS (", ")", |sql| {
            sql.line(format!("DELETE FROM {} AS v", self.view.table));
            sql.line("USING orphans");
            let mut conditions = vec![self.key.is("orphans.\"key\""), self.guard()];
            if self.protocol == WriteProtocol::Guarded {
                conditions.push("NOT orphans.held".to_owned());
            }
            sql.conditions("WHERE", &conditions);
            sql.line("RETURNING orphans.\"key\"");
        });
    }

    /// The condition that a stored document is not newer than the snapshot of this statement: the
    /// snapshot sees the transaction that wrote it, or this transaction has written or locked it.
    pub(super) fn guard(&self) -> String {
        let seen = "pg_catalog.pg_visible_in_snapshot(v.synced_xid, (SELECT pg_catalog.pg_current_snapshot()))";
        match self.protocol {
            WriteProtocol::Guarded => seen.to_owned(),
            WriteProtocol::Locked => format!(
                "({seen}\n    \
                   OR v.synced_xid = (SELECT pg_catalog.pg_current_xact_id())\n    \
                   OR {})",
                is_locked(&self.key.value())
            ),
        }
    }
}
