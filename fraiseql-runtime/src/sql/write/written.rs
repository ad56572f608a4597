//! What is inserted, updated and deleted, and the guard of each: no document is replaced that
//! may be newer than this one's picture.

use crate::sql::sync::in_order;
use crate::sql::text::{Sql, ident};
use crate::sql::write::equal::HELD;
use crate::sql::write::{Form, Write, any_of_keys};

impl Write<'_> {
    /// The documents that differ, or are not there yet.
    pub(super) fn written(&self, sql: &mut Sql) {
        let key = ident(self.view.key.column);
        sql.block("written AS (", "),", |sql| {
            let content: Vec<String> = self.columns.iter().map(|name| ident(name)).collect();
            let content = content.join(", ");
            sql.line(format!(
                "INSERT INTO {} AS v ({key}, {content}, version, synced_xid, updated_at, shape)",
                self.view.table
            ));
            sql.line(format!(
                "SELECT \"key\", {content}, 1, pg_catalog.pg_current_xact_id(), pg_catalog.now(), {}",
                self.shape
            ));
            sql.line("FROM built");
            sql.line(match self.form {
                Form::Guarded => "WHERE changed AND NOT held",
                Form::Locked => "WHERE changed",
            });
            sql.line(format!("ORDER BY {}", in_order("\"key\"", &self.view.key)));
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
            sql.line(format!("WHERE {}", self.guard()));
            sql.line(format!("RETURNING {} AS \"key\", v.version", self.key));
        });
    }

    /// The documents whose row is gone.
    pub(super) fn deleted(&self, sql: &mut Sql, session_ok: Option<&str>) {
        let key = &self.key;
        sql.block("orphans AS MATERIALIZED (", "),", |sql| {
            let held = match self.form {
                Form::Guarded => format!(", {HELD} AS held"),
                Form::Locked => String::new(),
            };
            sql.line(format!("SELECT {key} AS \"key\"{held}"));
            sql.line(format!("FROM {} AS v", self.view.table));
            let mut conditions = vec![
                // Where every key has a row, there is nothing to look for.
                "(SELECT found FROM counted) < (SELECT pg_catalog.cardinality(keys) FROM input)"
                    .to_owned(),
                any_of_keys(key, self.view),
                format!("NOT EXISTS (SELECT FROM built AS b WHERE b.\"key\" = {key})"),
            ];
            conditions.extend(session_ok.map(str::to_owned));
            sql.conditions("WHERE", &conditions);
        });
        sql.block("deleted AS (", ")", |sql| {
            sql.line(format!("DELETE FROM {} AS v", self.view.table));
            sql.line("USING orphans");
            let mut conditions = vec![format!("{key} = orphans.\"key\""), self.guard()];
            if self.form == Form::Guarded {
                conditions.push("NOT orphans.held".to_owned());
            }
            sql.conditions("WHERE", &conditions);
            sql.line("RETURNING orphans.\"key\"");
        });
    }

    /// True for a stored document that is no newer than this statement's snapshot: one whose
    /// writer the snapshot sees, or that this transaction has written or locked before.
    fn guard(&self) -> String {
        let seen = "pg_catalog.pg_visible_in_snapshot(v.synced_xid, (SELECT pg_catalog.pg_current_snapshot()))";
        match self.form {
            Form::Guarded => seen.to_owned(),
            Form::Locked => format!(
                "({seen}\n    \
                   OR v.synced_xid = (SELECT pg_catalog.pg_current_xact_id())\n    \
                   OR {})",
                is_locked(&self.key)
            ),
        }
    }
}

/// `key` is one of the keys that were locked. A sub-select is hashed, an array is not.
pub(crate) fn is_locked(key: &str) -> String {
    format!("{key} IN (SELECT pg_catalog.unnest(locked) FROM input)")
}
