//! `fraiseql_lock_post_..`: locks the rows that documents embed.
//!
//! Which rows, and why, is described in [`lock`](crate::sql::lock). The second parameter says which of them:
//!
//! | `rows` | locked |
//! |---|---|
//! | `all` | every embedded row |
//! | `own` | rows that are reached through a row that this transaction has written |
//! | `busy` | rows that another transaction is about to change |
//!
//! `own` is enough for the documents of a transaction's own changes. A transaction that changes an embedded row looks
//! for the documents that embed it. It finds them if the rows in between are committed, and then syncs them. So
//! only rows behind a link that is not committed have to be kept from changing, and the only links that are not
//! committed, and that this transaction sees, are its own. Their `xmin` is not older than the transaction.
//!
//! `busy` is enough for documents whose changes are committed: a transaction that begins to change an embedded row from
//! now on finds them. One that has begun before may have looked for them too early. It holds a lock on the row, or
//! has held it: its id is in `xmax`.

use crate::schema::View;
use crate::sql::function::definition::{FunctionDdl, FunctionText};
use crate::sql::function::settings;
use crate::sql::lock::rows_to_lock;
use crate::sql::session::Session;
use crate::sql::text::{Sql, column};

/// The rows that the functions of a view lock: see the documentation of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmbeddedRows {
    All,
    Own,
}

impl EmbeddedRows {
    /// The value of the parameter.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Own => "own",
        }
    }
}

/// The parameters of both functions of a view.
pub(super) fn parameters(ty: &str) -> [(&'static str, String); 2] {
    [("keys", format!("{ty}[]")), ("rows", "text".to_owned())]
}

/// Composes the function.
pub(super) fn compose(view: &View, schema: &'static str) -> FunctionDdl {
    let session = Session::of([view.shape]);
    let parameters = parameters(view.key.ty.sql);
    let parameters = parameters.each_ref().map(|(name, ty)| (*name, &**ty));
    FunctionText {
        stem: &format!("lock_{}", view.entity),
        schema,
        parameters: &parameters,
        returns: "RETURNS void".to_owned(),
        outputs: &[],
        definer: false,
        settings: settings::clauses(&session),
        body: body(view, &session),
    }
    .hashed()
}

fn body(view: &View, session: &Session) -> String {
    let mut sql = Sql::new();
    sql.line("#variable_conflict use_column");
    sql.block("BEGIN", "END", |sql| {
        settings::set_path(session, sql);
        for ((table, key), queries) in rows_to_lock(view) {
            let key = column("locked", key);
            sql.line("PERFORM");
            sql.line(format!("FROM {table} AS locked"));
            sql.block(format!("WHERE {key} IN ("), ")", |sql| {
                for (index, query) in queries.into_iter().enumerate() {
                    if index > 0 {
                        sql.line("UNION ALL");
                    }
                    sql.line(&query.sql);
                    if !query.links.is_empty() {
                        let own: Vec<String> = query
                            .links
                            .iter()
                            .map(|link| format!("pg_catalog.age({link}.xmin) <= 0"))
                            .collect();
                        sql.line(format!("  AND ($2 <> 'own' OR {})", own.join(" OR ")));
                    }
                }
            });
            sql.line("  AND ($2 <> 'busy' OR locked.xmax <> 0)");
            sql.line(format!("ORDER BY {key}"));
            sql.line("FOR SHARE OF locked;");
        }
    });
    sql.finish()
}
