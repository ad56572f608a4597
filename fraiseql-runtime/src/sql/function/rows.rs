//! `fraiseql_lock_post_..`: locks the rows that documents embed.
//!
//! Which rows, and why, is described in [`lock`](crate::sql::lock). The second parameter says which of them:
//!
//! | `rows` | locked |
//! |---|---|
//! | `all` | every embedded row, and root rows without a document |
//! | `busy` | those of them that another transaction is about to change |
//!
//! `busy` is enough for documents whose changes are committed: a transaction that begins to change an embedded row from
//! now on finds them. One that has begun before may have looked for them too early. It holds a lock on the row, or
//! has held it: its id is in `xmax`.
//!
//! [`flush`](super::flush) does without this function if it has locked the rows that documents begin to embed, see
//! [`embedded`](super::embedded): then root rows without a document are enough, which is `root`.

use crate::schema::{Columns, Table, View};
use crate::sql::function::definition::{FunctionDdl, FunctionText};
use crate::sql::lock::rows_to_lock;
use crate::sql::row_key::{columns_of, tuple_of};
use crate::sql::text::{Sql, column};

/// The rows that the functions of a view lock: see the documentation of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmbeddedRows {
    All,
    Busy,
    Root,
}

impl EmbeddedRows {
    /// The value of the parameter.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Busy => "busy",
            Self::Root => "root",
        }
    }
}

/// The parameters of both functions of a view.
pub(super) fn parameters(ty: &str) -> [(&'static str, String); 2] {
    [("keys", format!("{ty}[]")), ("rows", "text".to_owned())]
}

/// Composes the function. It runs with the settings of its caller.
pub(super) fn compose(view: &View, schema: &'static str) -> FunctionDdl {
    let parameters = parameters(view.key.sql_type());
    let parameters = parameters.each_ref().map(|(name, ty)| (*name, &**ty));
    FunctionText {
        stem: &format!("lock_{}", view.entity),
        schema,
        parameters: &parameters,
        returns: "RETURNS void".to_owned(),
        outputs: &[],
        definer: false,
        settings: Vec::new(),
        body: body(view),
    }
    .hashed()
}

fn body(view: &View) -> String {
    let mut sql = Sql::new();
    sql.line("#variable_conflict use_column");
    sql.block("BEGIN", "END", |sql| {
        let busy = EmbeddedRows::Busy.as_str();
        let if_busy = format!("($2 <> '{busy}' OR locked.xmax <> 0)");
        for (key, queries) in rows_to_lock(view) {
            lock(sql, key, &queries, Some(&if_busy));
        }
    });
    sql.finish()
}

/// Locks the root rows of those documents that do not exist. `keys` is an array of keys; `missing` is a variable for those without a
/// document.
pub(super) fn lock_root_rows(sql: &mut Sql, view: &View, keys: &str, missing: &str) {
    // Usually there are none, and this is one look into an index for each.
    sql.block(format!("{missing} := ARRAY("), ");", |sql| {
        sql.line(format!(
            "SELECT t.k FROM pg_catalog.unnest({keys}) AS t (k)"
        ));
        sql.line(format!(
            "WHERE NOT EXISTS (SELECT FROM {} AS v WHERE {})",
            view.table,
            view.stored_key("v").is("t.k")
        ));
    });
    sql.block(format!("IF {missing} <> '{{}}' THEN"), "END IF;", |sql| {
        let keys = match view.key.single() {
            Some(_) => format!("SELECT pg_catalog.unnest({missing})"),
            None => format!(
                "SELECT {} FROM pg_catalog.unnest({missing}) AS t (k)",
                view.key.list_of("t.k")
            ),
        };
        lock(sql, (view.shape.table, view.key.columns), [&keys], None);
    });
}

/// Locks the rows of a table whose key is among those of some queries, with a column for each of its.
pub(super) fn lock<'q>(
    sql: &mut Sql,
    (table, key): (Table, Columns),
    queries: impl IntoIterator<Item = &'q String>,
    condition: Option<&str>,
) {
    sql.line("PERFORM");
    sql.line(format!("FROM {table} AS locked"));
    // An array is searched in an index, however large the planner takes the queries for.
    let (open, close) = match key.single() {
        Some(name) => (format!("{} = ANY (ARRAY(", column("locked", name)), "))"),
        None => (format!("{} IN (", tuple_of("locked", key)), ")"),
    };
    sql.block(format!("WHERE {open}"), close, |sql| {
        for (index, query) in queries.into_iter().enumerate() {
            if index > 0 {
                sql.line("UNION ALL");
            }
            sql.line(query);
        }
    });
    if let Some(condition) = condition {
        sql.line(format!("  AND {condition}"));
    }
    sql.line(format!("ORDER BY {}", columns_of("locked", key)));
    sql.line("FOR SHARE OF locked;");
}
