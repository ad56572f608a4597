//! `fraiseql_sync_post_..`: the protocol of a sync inside of a transaction, for one view.
//!
//! It has the settings that documents need, and calls the functions that lock rows and write documents.

use crate::schema::View;
use crate::sql::function::definition::{FunctionDdl, FunctionText};
use crate::sql::function::documents::OUTPUTS;
use crate::sql::function::{EmbeddedRows, rows, settings};
use crate::sql::session::Session;
use crate::sql::text::Sql;
use crate::sql::write::advisory::{IN_ORDER, OPEN, advisory_key};

/// Composes the function, which calls `lock` and `write`.
pub(super) fn compose(
    view: &View,
    schema: &'static str,
    lock: &FunctionDdl,
    write: &FunctionDdl,
) -> FunctionDdl {
    let session = Session::of([view.shape]);
    let parameters = rows::parameters(view.key.sql_type());
    let parameters = parameters.each_ref().map(|(name, ty)| (*name, &**ty));
    let mut sql = Sql::new();
    sql.line("#variable_conflict use_column");
    sql.block("BEGIN", "END", |sql| {
        settings::complete_path(&session, sql);
        sql.line("-- A worker embeds no changes of its own: nobody has to wait for it.");
        let busy = EmbeddedRows::Busy.as_str();
        sql.block(format!("IF $2 <> '{busy}' THEN"), "END IF;", |sql| {
            announce(sql, [(OPEN, view)]);
        });
        announce(sql, [(IN_ORDER, view)]);
        sql.line("-- First the rows that the documents embed, then the documents.");
        sql.line(format!("PERFORM {}($1, $2);", lock.qualified()));
        let names = OUTPUTS.map(|(name, _)| name);
        let values = names.map(|name| format!("w.{name}"));
        sql.line(format!("SELECT {}", values.join(", ")));
        sql.line(format!("INTO {}", names.join(", ")));
        sql.line(format!("FROM {}($1) AS w;", write.qualified()));
    });
    FunctionText {
        stem: &format!("sync_{}", view.entity),
        schema,
        parameters: &parameters,
        returns: String::new(),
        outputs: &OUTPUTS,
        definer: false,
        settings: settings::clauses(&session),
        body: sql.finish(),
    }
    .hashed()
}

/// Announces the transaction, for documents of views: see [`advisory`](crate::sql::write::advisory).
pub(super) fn announce<'v>(sql: &mut Sql, announced: impl IntoIterator<Item = (i32, &'v View)>) {
    let locks = announced.into_iter();
    perform(sql, locks.map(|(class, view)| shared_lock(class, view)));
}

/// Calls functions whose result is not needed, in one statement.
pub(super) fn perform(sql: &mut Sql, calls: impl Iterator<Item = String>) {
    let calls: Vec<String> = calls.collect();
    if !calls.is_empty() {
        sql.line(format!("PERFORM {};", calls.join(",\n  ")));
    }
}

/// The call that announces the transaction.
pub(super) fn shared_lock(class: i32, view: &View) -> String {
    format!(
        "pg_catalog.pg_advisory_xact_lock_shared({})",
        advisory_key(class, view)
    )
}
