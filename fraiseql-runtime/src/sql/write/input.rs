//! The first CTEs: the parameters, and whether the session may write.

use crate::sql::text::Sql;
use crate::sql::write::advisory::{OPEN, PEERS, advisory_key};
use crate::sql::write::protocol::WriteProtocol;
use crate::sql::write::result_row::writer::{ACTIVE, COMMITTED};
use crate::sql::write::write_statement::WriteStatement;

impl WriteStatement<'_> {
    /// `input`: the parameters. The other CTEs read them from here, so that the planner does not
    /// see the length of the arrays, and one plan serves all executions.
    pub(super) fn input(&self, sql: &mut Sql) {
        let ty = self.view.key.sql_type();
        sql.block("WITH input AS MATERIALIZED (", "),", |sql| {
            let keys = format!("$1::{ty}[] AS keys");
            match self.protocol {
                WriteProtocol::Guarded => {
                    // The lock is taken here. Its function is strict: without a number it does nothing.
                    let lock =
                        format!("pg_catalog.pg_advisory_xact_lock_shared({PEERS}, $2::int4)");
                    let peers =
                        format!("CASE WHEN {lock}::text IS NOT NULL THEN $2::int4 END AS peers");
                    sql.line("SELECT");
                    sql.block_list([keys, peers, "$3::bool AS ask".to_owned()]);
                }
                WriteProtocol::Locked => {
                    sql.line(format!("SELECT {keys}, $2::{ty}[] AS locked"));
                }
            }
        });
    }

    /// `session`: whether this session can write the documents. Returns the condition that other
    /// CTEs test, or `None` if every session can.
    ///
    /// If the condition is false, `built` and `orphans` are empty, so nothing is written.
    pub(super) fn session(&self, sql: &mut Sql) -> Option<&'static str> {
        let conditions = self.session_conditions();
        if conditions.is_empty() {
            return None;
        }
        let ok = conditions.join(" AND ");
        sql.block("session AS MATERIALIZED (", "),", |sql| {
            match self.protocol {
                WriteProtocol::Locked => sql.line(format!("SELECT {ok} AS ok")),
                WriteProtocol::Guarded => {
                    sql.line("SELECT s.ok AND s.writer IS NULL AS ok, s.writer");
                    sql.block("FROM (", ") AS s", |sql| {
                        sql.line("SELECT");
                        sql.block_list([
                            format!("{ok} AS ok"),
                            format!("{} AS writer", self.writer(Some("ask"))),
                        ]);
                        sql.line("FROM input");
                        // `writer` takes a lock: it is evaluated once, though it is used twice.
                        sql.line("OFFSET 0");
                    });
                }
            }
        });
        Some("(SELECT ok FROM session)")
    }

    /// What must be true of the session.
    pub(super) fn session_conditions(&self) -> Vec<String> {
        let mut conditions = Vec::new();
        if self.protocol == WriteProtocol::Guarded {
            // In other isolation levels the snapshot may be that of an earlier statement, and so
            // older than the lock on the view table that this statement takes.
            conditions.push(
                "pg_catalog.current_setting('transaction_isolation') LIKE 'read %committed'"
                    .to_owned(),
            );
        }
        conditions.extend(self.session.conditions());
        conditions
    }

    /// Whether a transaction that has synced documents of this view was open when the snapshot of
    /// this statement was taken: null, or one of [`ACTIVE`] and [`COMMITTED`].
    ///
    /// Such a transaction holds the lock `OPEN` in shared mode. While it does, an exclusive lock
    /// cannot be had; one that can is released at once. But the lock is asked for after the
    /// snapshot was taken, and a transaction that has committed in between no longer holds it,
    /// while its changes are not in the snapshot. Nothing is left of its lock, so every transaction
    /// counts that was in progress at the snapshot and has committed since. The order of the two
    /// questions matters: a transaction releases its locks after it has become visible as
    /// committed, so the status of one that did not hold the lock is final.
    ///
    /// `ask` is a condition. Not asked by a full sync, which does not take the place of the sync that follows a change,
    /// and not by a statement that follows one of this view that found no lock: whoever has
    /// announced itself since looks for its documents after the announcement, and so finds those
    /// of this batch.
    pub(super) fn writer(&self, ask: Option<&str>) -> String {
        let lock = advisory_key(OPEN, self.view);
        let unasked = ask.map_or_else(String::new, |ask| format!("\n  WHEN NOT {ask} THEN NULL"));
        format!(
            "CASE{unasked}\n  \
               WHEN NOT pg_catalog.pg_try_advisory_lock({lock}) THEN '{ACTIVE}'\n  \
               WHEN NOT pg_catalog.pg_advisory_unlock({lock}) THEN NULL\n  \
               WHEN EXISTS (\n    \
                 SELECT FROM pg_catalog.pg_snapshot_xip(pg_catalog.pg_current_snapshot()) AS x\n    \
                 WHERE pg_catalog.pg_xact_status(x) = 'committed'\n  \
               ) THEN '{COMMITTED}'\n\
             END"
        )
    }
}
