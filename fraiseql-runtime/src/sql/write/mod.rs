//! The statement that builds, compares, writes and deletes the documents of a batch.
//!
//! It has two forms. The *guarded* one is a transaction of its own, or may be: its picture of
//! the base tables is as old as its snapshot, and other syncs run at the same time. So it only
//! replaces a document whose writer its snapshot sees, and leaves the others to the second form.
//! The *locked* one runs in a transaction that has locked the documents before: its snapshot is
//! newer than the locks, so no other sync can have seen more.
//!
//! # Equal documents
//!
//! An equal document is not written. But that it was looked at must count: else another sync
//! with an older snapshot, still about to write, would replace it by an older picture, with
//! nobody left to notice. So whoever skips a document asks, after its snapshot, whether anybody
//! else is about to write:
//!
//! - A guarded statement holds the view table's lock in mode ROW EXCLUSIVE from before its
//!   snapshot, as every statement does, until its commit. Those who hold it are in `pg_locks`.
//! - Whoever has locked documents first has left its mark in the row (`HELD`). It says so by
//!   an advisory lock (`IN_ORDER`), and is not waited for.
//!
//! Where there is nobody, the skip is final. Where there is somebody, the guarded form answers
//! with the documents it is unsure of; they are locked and looked at again. The locked form
//! *touches* the document: it writes `synced_xid` alone, which the guard of the other will see.
//!
//! # Transactions that are not over
//!
//! A transaction that has synced inside of itself may have changed a row that a document of this
//! batch has come to embed since then: it did not know of that document, and its change is not
//! visible here. So while one of those has not ended (`OPEN`), the guarded statement writes
//! nothing, and the batch is run as inside a transaction: it waits for the rows that it embeds.
//! A full sync does not: it is not in the place of the sync that follows a change.
//!
//! # Rooms
//!
//! The statement's parts in their order: `built` has the documents, `equal` what is skipped and
//! the two questions that follow, `written` what is inserted, updated and deleted, [`answer`]
//! what is said of it. `advisory` are the locks by which syncs know of each other.

pub(crate) mod advisory;
pub mod answer;
mod built;
pub(crate) mod equal;
mod written;

use crate::schema::{Data, View};
use crate::sql::document::Lookup;
use crate::sql::session::{SessionNeeds, session_needs};
use crate::sql::shape;
use crate::sql::text::{Sql, column};

/// A form of the statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `$2` are the backends that do the same full sync, if it is one: they write other documents.
    Guarded,
    /// `$2` are the keys whose documents this transaction has locked.
    Locked,
}

pub(crate) fn compose(view: &View, number: i64, lookup: Lookup, form: Form) -> String {
    let write = Write {
        view,
        shape: shape::literal(number),
        needs: session_needs(view),
        lookup,
        form,
        key: column("v", view.key.column),
        columns: content_columns(view),
    };
    let mut sql = Sql::new();
    write.statement(&mut sql);
    sql.finish()
}

struct Write<'a> {
    view: &'a View,
    /// The number of the documents' shape.
    shape: String,
    needs: SessionNeeds,
    lookup: Lookup,
    form: Form,
    /// The key of a stored document.
    key: String,
    columns: Vec<&'static str>,
}

/// The columns that come from the document query: promoted ones, then `data`.
fn content_columns(view: &View) -> Vec<&'static str> {
    view.shape
        .fields
        .iter()
        .filter_map(|field| field.promoted.map(|promoted| promoted.column))
        .chain(["data"])
        .collect()
}

/// What is stored, as `v`, differs from what was built, as `b`: a condition for each column.
pub(crate) fn differences(view: &View) -> Vec<String> {
    content_columns(view)
        .into_iter()
        .map(|name| {
            let cast = if name == "data" && view.data == Data::Json {
                "::text"
            } else {
                ""
            };
            format!(
                "{}{cast} IS DISTINCT FROM {}{cast}",
                column("v", name),
                column("b", name)
            )
        })
        .collect()
}

/// `key` is one of `$1`, whose length the planner shall not see: it would plan each call anew,
/// for its length, and that costs more than a small batch takes to run. Hidden, one plan serves
/// them all.
pub(crate) fn any_of_keys(key: &str, view: &View) -> String {
    format!(
        "{key} = ANY ((SELECT keys FROM input)::{}[])",
        view.key.ty.sql
    )
}

impl Write<'_> {
    fn statement(&self, sql: &mut Sql) {
        let ty = self.view.key.ty.sql;
        sql.block("WITH input AS MATERIALIZED (", "),", |sql| {
            let second = match self.form {
                Form::Guarded => "$2::int4[] AS friends".to_owned(),
                Form::Locked => format!("$2::{ty}[] AS locked"),
            };
            sql.line(format!("SELECT $1::{ty}[] AS keys, {second}"));
        });
        let session = self.session();
        if !session.is_empty() {
            sql.block("session AS MATERIALIZED (", "),", |sql| match self.form {
                Form::Locked => sql.line(format!("SELECT {} AS ok", session.join(" AND "))),
                Form::Guarded => {
                    sql.line("SELECT s.ok AND NOT s.open AS ok, s.open");
                    sql.block("FROM (", ") AS s", |sql| {
                        sql.line("SELECT");
                        sql.block_list([
                            format!("{} AS ok", session.join(" AND ")),
                            format!("{} AS open", self.open()),
                        ]);
                        sql.line("FROM input");
                        sql.line("OFFSET 0");
                    });
                }
            });
        }
        let session_ok = (!session.is_empty()).then_some("(SELECT ok FROM session)");
        self.built(sql, session_ok);
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
        self.equal(sql);
        self.written(sql);
        self.deleted(sql, session_ok);
        self.answer(sql, session_ok);
    }
}
