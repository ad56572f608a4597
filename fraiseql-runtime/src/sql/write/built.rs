//! The documents as they should be, beside what is stored, if the session is fit to build them.

use crate::sql::document;
use crate::sql::text::{Sql, column};
use crate::sql::write::advisory::{OPEN, advisory_key};
use crate::sql::write::equal::HELD;
use crate::sql::write::{Form, Write, any_of_keys, differences};

impl Write<'_> {
    /// What the session must be like.
    pub(super) fn session(&self) -> Vec<&'static str> {
        let mut conditions = Vec::new();
        if self.form == Form::Guarded {
            // Any other has a snapshot that is older than the lock.
            conditions
                .push("pg_catalog.current_setting('transaction_isolation') LIKE 'read %committed'");
        }
        conditions.extend(self.needs.conditions());
        conditions
    }

    /// Whether somebody has the lock that says so: it is taken, and given back at once.
    pub(super) fn open(&self) -> String {
        let lock = advisory_key(OPEN, self.view);
        format!(
            "CASE\n      \
               WHEN pg_catalog.cardinality(friends) > 0 THEN false\n      \
               WHEN pg_catalog.pg_try_advisory_lock({lock}) THEN NOT pg_catalog.pg_advisory_unlock({lock})\n      \
               ELSE true\n    \
             END"
        )
    }

    /// The documents as they should be, each with whether it is stored otherwise.
    pub(super) fn built(&self, sql: &mut Sql, session_ok: Option<&str>) {
        sql.block("built AS MATERIALIZED (", "),", |sql| {
            sql.line("SELECT");
            let mut select = vec!["b.\"key\"".to_owned()];
            select.extend(self.columns.iter().map(|name| column("b", name)));
            let mut differs = vec![
                format!("{} IS NULL", self.key),
                // Written anew though it may be equal, so that its shape is known.
                format!("v.shape IS DISTINCT FROM {}", self.shape),
            ];
            differs.extend(differences(self.view));
            select.push(format!("{} AS changed", differs.join(" OR ")));
            if self.form == Form::Guarded {
                select.push(format!("coalesce({HELD}, false) AS held"));
            }
            sql.block_list(select);
            sql.block("FROM (", ") AS b", |sql| {
                document::write(sql, self.view, self.lookup, |root| {
                    let mut conditions =
                        vec![any_of_keys(&column(root, self.view.key.column), self.view)];
                    conditions.extend(session_ok.map(str::to_owned));
                    conditions
                });
                // A fence: each document is built once, though it is used twice.
                sql.line("OFFSET 0");
            });
            sql.line(format!(
                "LEFT JOIN {} AS v ON {} = b.\"key\"",
                self.view.table, self.key
            ));
        });
    }
}
