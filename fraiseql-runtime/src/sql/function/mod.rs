//! Functions in the database: the protocol of a sync inside of a transaction, in PL/pgSQL.
//!
//! A sync inside of a transaction takes several statements, each with a snapshot of its own: see
//! `sql::lock` and `sql::write`. Sent one by one, each of them is a round trip. A VOLATILE function
//! takes a new snapshot for each statement in it, too, so one call does the same work.
//!
//! | module | composes |
//! |---|---|
//! | `definition` | the definition of a function, with a name that contains the hash of its text |
//! | `settings` | what the documents depend on in the session, as settings of a function |
//! | `rows` | `fraiseql_lock_post_..`: locks the rows that documents embed |
//! | `documents` | `fraiseql_write_post_..`: locks, builds and writes the documents of one view |
//! | `sync` | `fraiseql_sync_post_..`: both, with the settings that the documents need |
//! | `dependents` | `fraiseql_dependents_..`: the documents that depend on changes, by `fraiseql_find_..` |
//! | `embedded` | `fraiseql_embedded_..`: locks the rows that documents begin to embed by changes |
//! | `flush` | `fraiseql_flush_..`: all of that for the documents of a read model |
//! | `drain` | `fraiseql_drain_..`: one batch of the worker |
//! | `at_commit` | `fraiseql_at_commit_..`: the flush of a transaction that does not call it |
//! | `change` | statements about the change table |
//! | `model` | the functions of a read model |
//!
//! # Names
//!
//! The name of a function ends with a hash of its text. Two releases of an application that run side by side
//! have a function each, and what is called is always what the caller expects; the functions of the
//! older release are left over when it is gone.
//!
//! # Variables
//!
//! A base table may have a column of any name, and the SQL of users may mention it. So in every statement
//! parameters are written `$1`, and variables are qualified by the label of their block, `fn$.pending`:
//! no alias in these statements has a `$`. All else means a column.

pub(crate) mod at_commit;
pub(crate) mod change;
mod definition;
mod dependents;
mod documents;
mod drain;
mod embedded;
pub(crate) mod flush;
pub(crate) mod model;
mod rows;
mod settings;
mod sync;

pub use self::definition::FunctionDdl;
pub(crate) use self::definition::FunctionText;
pub(crate) use self::rows::EmbeddedRows;
use crate::schema::View;
use crate::sql::text::literal;

/// The functions of one view.
#[derive(Debug)]
pub struct ViewFunctions {
    /// Locks the rows that the documents of some keys embed: see `rows`.
    pub lock: FunctionDdl,
    /// Locks, builds and writes the documents of some keys.
    pub write: FunctionDdl,
    /// Calls both, with the settings that the documents need, for at most 500 distinct keys. Its second parameter is that
    /// of [`lock`](Self::lock). It returns how many documents it has inserted, updated, found equal and
    /// deleted, and their size in bytes.
    pub sync: FunctionDdl,
    /// Calls `sync`. The parameters are those of the function.
    pub call: String,
    /// An expression: whether this role can call `sync` here. Both functions need READ COMMITTED, or the errors of
    /// SERIALIZABLE.
    pub(crate) can_be_called: String,
}

/// Composes the functions of a view, whose shape has the number `number`.
pub(crate) fn compose(view: &View, number: i64) -> ViewFunctions {
    let schema = view.table.schema;
    let lock = rows::compose(view, schema);
    let write = documents::compose(view, number, schema);
    let sync = sync::compose(view, schema, &lock, &write);
    let call = format!(
        "SELECT * FROM {}($1::{}[], $2::text)",
        sync.qualified(),
        view.key.sql_type()
    );
    ViewFunctions {
        can_be_called: can_be_called([&lock, &write, &sync]),
        call,
        lock,
        write,
        sync,
    }
}

impl ViewFunctions {
    /// The functions, each after those that it calls.
    pub(crate) fn all(&self) -> [&FunctionDdl; 3] {
        [&self.lock, &self.write, &self.sync]
    }
}

/// An expression: whether this role can call these functions in this transaction.
fn can_be_called<'a>(functions: impl IntoIterator<Item = &'a FunctionDdl>) -> String {
    let mut conditions =
        vec!["pg_catalog.current_setting('transaction_isolation') <> 'repeatable read'".to_owned()];
    conditions.extend(functions.into_iter().map(|function| {
        format!(
            "coalesce(pg_catalog.has_function_privilege(pg_catalog.to_regprocedure({}), 'EXECUTE'), false)",
            literal(&function.signature())
        )
    }));
    conditions.join("\n  AND ")
}
