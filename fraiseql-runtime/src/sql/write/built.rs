//! The CTEs with the documents as they should be, compared with what is stored.

use crate::sql::differences::{differences, differences_of_excluded};
use crate::sql::document;
use crate::sql::row_key::RowKey;
use crate::sql::text::{Sql, column};
use crate::sql::write::conditions::HELD;
use crate::sql::write::protocol::WriteProtocol;
use crate::sql::write::write_statement::WriteStatement;

impl WriteStatement<'_> {
    /// `built`: the documents of all keys that have a root row. `changed` is whether a document
    /// must be written, `held` whether another transaction may be about to write it.
    pub(super) fn built(&self, sql: &mut Sql, session_ok: Option<&str>) {
        sql.block("built AS MATERIALIZED (", "),", |sql| {
            self.built_rows(sql, |root_key| {
                let mut conditions = vec![root_key.is_in_input()];
                conditions.extend(session_ok.map(str::to_owned));
                conditions
            });
        });
    }

    /// The query of `built`. `conditions` selects the root rows, given their key.
    pub(in crate::sql) fn built_rows(
        &self,
        sql: &mut Sql,
        conditions: impl FnOnce(&RowKey) -> Vec<String>,
    ) {
        sql.line("SELECT");
        let mut select = vec!["b.\"key\"".to_owned()];
        select.extend(self.labels.iter().map(|label| column("b", label)));
        let mut changed = vec![self.key.is_missing(), self.is_stale()];
        changed.extend(differences(self.view));
        select.push(format!("{} AS changed", changed.join(" OR ")));
        if self.protocol == WriteProtocol::Guarded {
            select.push(format!("coalesce({HELD}, false) AS held"));
        }
        sql.block_list(select);
        sql.block("FROM (", ") AS b", |sql| {
            self.documents(sql, conditions);
            // Each document is built once, though it is used in `data` and in `changed`.
            sql.line("OFFSET 0");
        });
        sql.line(format!(
            "LEFT JOIN {} AS v ON {}",
            self.view.table,
            self.key.is("b.\"key\"")
        ));
    }

    /// The query of documents that are not compared yet. `conditions` selects the root rows, given their key.
    pub(in crate::sql) fn documents(
        &self,
        sql: &mut Sql,
        conditions: impl FnOnce(&RowKey) -> Vec<String>,
    ) {
        document::write(sql, self.view, self.batch_size, |root| {
            conditions(&self.view.base_key(root))
        });
    }

    /// Whether a stored document, `v`, is not equal to the one that is to replace it.
    pub(in crate::sql) fn is_outdated(&self) -> String {
        let mut outdated = vec![self.is_stale()];
        outdated.extend(differences_of_excluded(self.view));
        format!("({})", outdated.join(" OR "))
    }

    /// A stale document is written even if it is equal, so that it has the new shape.
    fn is_stale(&self) -> String {
        format!("v.shape IS DISTINCT FROM {}", self.shape)
    }

    /// `counted`: totals of `built`.
    pub(super) fn counted(&self, sql: &mut Sql) {
        sql.block("counted AS MATERIALIZED (", "),", |sql| {
            sql.line("SELECT");
            sql.block_list([
                "pg_catalog.count(*) AS found".to_owned(),
                "pg_catalog.count(*) FILTER (WHERE changed) AS changed".to_owned(),
                "coalesce(pg_catalog.sum(pg_catalog.pg_column_size(data)), 0)::int8 AS bytes"
                    .to_owned(),
            ]);
            sql.line("FROM built");
        });
    }
}
