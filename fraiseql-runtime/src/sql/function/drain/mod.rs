//! `fraiseql_drain_..`: one batch of the worker, in one call and one transaction.
//!
//! It claims changes, in order of (xid, id), and skips those that another worker has claimed; finds the
//! documents that depend on them, each once; syncs them view by view, in the order of view tables; and
//! deletes the changes. If its transaction ends in any other way than by a commit, nothing has happened.
//!
//! A statement of the function has a snapshot that is newer than the claim. So the documents are built from
//! rows that include the claimed changes, and a change that is committed later has a row of its own.
//!
//! # What is left for later
//!
//! All that the function leaves is a row with the operation `SYNC`, whose `new` has the keys of documents, and
//! whose `old` has the transactions that it stems from. It has a `retry_at`, by which it is found: see
//! [`queue`](crate::sql::queue).
//!
//! - Documents that cannot be written. A part of a batch that fails is halved until one document is left, in
//!   the same call, so that all others are written by it. That document is tried again later, each time after
//!   twice as long, and is a dead letter after `$5` attempts. If another change leads to it, the
//!   two become one row; if it is written by then, the row is deleted.
//! - Documents that another transaction has locked. This is no attempt.
//! - What is left after 300 milliseconds, and more documents than a batch can have.
//!
//! # Locks
//!
//! PostgreSQL looks for deadlocks after a transaction has waited for `deadlock_timeout`, a second by
//! default, and ends the one that looks. The function waits for a lock for less than that, and for hardly any time
//! once it has run for 300 milliseconds. So it gives way when it is in a circle of waits.
//!
//! That alone is not enough: another transaction in the circle may have waited for long when the function
//! closes it, and may look just then. So the function waits only until a part is written. After that it holds
//! documents that others may wait for, and what is locked is left for later.

mod claim;
mod part;

use self::part::NOTHING_WRITTEN;
use crate::schema::{Key, Table};
use crate::sql::function::change::change_table;
use crate::sql::function::definition::FunctionText;
use crate::sql::function::settings;
use crate::sql::shape;
use crate::sql::text::{Sql, literal};

/// How long a lock is waited for: less than PostgreSQL's `deadlock_timeout`.
const WAIT: &str = "250ms";
/// After so many failures in one batch, parts are not halved any more.
const MAX_FAILURES: usize = 64;
/// The documents of one path that are found. If there are more, the view is synced as a whole.
const MAX_FOUND: usize = 1_000_000;
/// How many transactions a row names that it stems from. A document that always fails would otherwise
/// collect all.
const MAX_ORIGINS: usize = 1_000;

/// The parameters: the position before which nothing is pending, transactions before it that may have changes
/// nevertheless, the number of changes to claim, and after how many attempts a document is a dead letter.
const PARAMETERS: [(&str, &str); 5] = [
    ("from_xid", "xid8"),
    ("from_id", "int8"),
    ("late", "xid8[]"),
    ("most", "int4"),
    ("max_attempts", "int4"),
];

/// The columns of the rows that the function returns: one for each part of a batch, written or failed, with the
/// position of its view; the last one, without a view, has the number of changes.
const RETURNS: &str = "RETURNS TABLE (\"view\" int4, \"keys\" text[], \
     inserted int8, updated int8, unchanged int8, deleted int8, bytes int8, \
     \"error\" text, dead bool, changes int8, seconds float8)";

/// A view, as the function knows it.
#[derive(Clone, Debug)]
pub(in crate::sql::function) struct DrainedView {
    pub(in crate::sql::function) table: Table,
    pub(in crate::sql::function) key: &'static Key,
    /// The function that syncs its documents, quoted and with its schema.
    pub(in crate::sql::function) sync: String,
}

/// What the function is composed of.
#[derive(Clone, Debug)]
pub(in crate::sql::function) struct Drain<'a> {
    pub(in crate::sql::function) model: i64,
    pub(in crate::sql::function) schema: &'static str,
    /// The function that finds documents, quoted and with its schema.
    pub(in crate::sql::function) dependents: String,
    /// The views in the order of their tables, in which all transactions lock documents.
    pub(in crate::sql::function) views: &'a [DrainedView],
    /// For each path of the function that finds documents: the base table that it begins with, and the
    /// position of its view.
    pub(in crate::sql::function) paths: &'a [(Table, usize)],
}

impl Drain<'_> {
    /// The text of the function, without its name.
    pub(in crate::sql::function) fn text<'t>(&self) -> FunctionText<'t> {
        FunctionText {
            stem: "drain",
            schema: self.schema,
            parameters: &PARAMETERS,
            returns: RETURNS.to_owned(),
            outputs: &[],
            definer: false,
            settings: vec![
                settings::PINNED_PATH.to_owned(),
                // The planner expects a hundred values of each array, and would compile what reads a few.
                "jit = off".to_owned(),
                format!("lock_timeout = '{WAIT}'"),
            ],
            body: self.body(),
        }
    }

    fn body(&self) -> String {
        let mut sql = Sql::new();
        sql.line("#variable_conflict use_column");
        sql.line("<<fn$>>");
        sql.block("DECLARE", "BEGIN", declare);
        sql.indented(|sql| {
            self.claim(sql);
            sql.block(
                "IF fn$.claimed = '{}' AND fn$.failed = '{}' THEN",
                "END IF;",
                |sql| {
                    sql.line("RETURN;");
                },
            );
            self.origins(sql);
            self.find(sql);
            self.whole_views(sql);
            sql.block(
                format!(
                    "FOR unit IN 1 .. {} + pg_catalog.cardinality(fn$.failed) LOOP",
                    self.views.len()
                ),
                "END LOOP;",
                |sql| self.unit(sql),
            );
            sql.line("-- They are locked by this transaction, so each is where it was.");
            sql.line(format!(
                "DELETE FROM {} WHERE ctid = ANY (fn$.claimed);",
                self.table()
            ));
            sql.line("\"view\" := NULL; \"keys\" := NULL; \"error\" := NULL; dead := NULL;");
            sql.line(NOTHING_WRITTEN);
            sql.line("changes := pg_catalog.cardinality(fn$.claimed); seconds := NULL;");
            sql.line("RETURN NEXT;");
        });
        sql.line("END");
        sql.finish()
    }

    fn table(&self) -> String {
        change_table(self.schema)
    }

    /// The model, as a literal.
    fn number(&self) -> String {
        shape::literal(self.model)
    }

    /// The names of the view tables, by their positions from 1.
    fn tables(&self) -> String {
        let tables: Vec<String> = self
            .views
            .iter()
            .map(|view| literal(&view.table.to_string()))
            .collect();
        format!("ARRAY[{}]::text[]", tables.join(", "))
    }

    /// The transactions that the documents of this batch stem from.
    fn origins(&self, sql: &mut Sql) {
        sql.block("fn$.origins := (", ");", |sql| {
            sql.line(
                "SELECT pg_catalog.jsonb_build_object('xid', pg_catalog.jsonb_agg(o.xid::text))",
            );
            sql.block("FROM (", ") AS o", |sql| {
                sql.line("SELECT coalesce(x.xid::xid8, c.xid) AS xid");
                sql.line(format!("FROM {} AS c", self.table()));
                sql.line("LEFT JOIN LATERAL pg_catalog.jsonb_array_elements_text(");
                sql.line(
                    "  CASE c.operation WHEN 'SYNC' THEN c.old -> 'xid' END) AS x (xid) ON true",
                );
                sql.line("WHERE c.ctid = ANY (fn$.claimed)");
                sql.line("GROUP BY 1");
                sql.line("ORDER BY 1 DESC");
                sql.line(format!("LIMIT {MAX_ORIGINS}"));
            });
        });
    }

    /// Finds the documents that depend on the values of the changes.
    fn find(&self, sql: &mut Sql) {
        let positions: Vec<String> = self
            .paths
            .iter()
            .map(|(_, view)| (view + 1).to_string())
            .collect();
        let position = format!("(ARRAY[{}]::int4[])[d.path + 1]", positions.join(", "));
        sql.block("IF fn$.images IS NOT NULL THEN", "END IF;", |sql| {
            sql.line("SELECT");
            sql.block_list([
                format!("fn$.owners || pg_catalog.array_agg({position})"),
                "fn$.lists || pg_catalog.array_agg(\
                 pg_catalog.jsonb_build_object('key', d.\"keys\"))"
                    .to_owned(),
                format!("pg_catalog.array_agg({position}) FILTER (WHERE d.more)"),
            ]);
            sql.line("INTO fn$.owners, fn$.lists, fn$.too_many");
            sql.line(format!(
                "FROM {}(fn$.images, {MAX_FOUND}) AS d;",
                self.dependents
            ));
        });
    }

    /// Leaves views to be synced as a whole: those of tables that were changed as a whole, and those with
    /// more documents than can be listed.
    fn whole_views(&self, sql: &mut Sql) {
        let mut pairs: Vec<String> = self
            .paths
            .iter()
            .map(|(table, view)| format!("({}, {})", literal(&table.to_string()), view + 1))
            .collect();
        pairs.sort();
        pairs.dedup();
        sql.block(
            "IF fn$.whole IS NOT NULL OR fn$.too_many IS NOT NULL THEN",
            "END IF;",
            |sql| {
                sql.block("fn$.too_many := ARRAY(", ");", |sql| {
                    sql.line("SELECT w.\"view\"");
                    sql.line(format!("FROM (VALUES {}) AS w (\"table\", \"view\")", pairs.join(", ")));
                    sql.line("WHERE w.\"table\" = ANY (fn$.whole)");
                    sql.line("UNION SELECT pg_catalog.unnest(fn$.too_many)");
                    sql.line("ORDER BY 1");
                });
                sql.line(format!(
                    "INSERT INTO {} (model, \"table\", operation, old, changed_at, retry_at)",
                    self.table()
                ));
                sql.line(format!(
                    "SELECT {}, ({})[w.\"view\"], 'SYNC', fn$.origins, fn$.since, pg_catalog.clock_timestamp()",
                    self.number(),
                    self.tables()
                ));
                sql.line("FROM pg_catalog.unnest(fn$.too_many) AS w (\"view\");");
            },
        );
    }
}

fn declare(sql: &mut Sql) {
    for line in [
        "started timestamptz := pg_catalog.clock_timestamp();",
        "seqscan text;",
        "bitmapscan text;",
        "sort text;",
        "claimed tid[]; -- the rows that are deleted at the end",
        "since timestamptz; -- when the first of them was written",
        "images jsonb; -- the values of changed rows, by table and column",
        "whole text[]; -- tables that were changed as a whole",
        "origins jsonb; -- the transactions that wrote the changes",
        "owners int4[]; -- the views of lists of documents",
        "lists jsonb[]; -- lists of documents",
        "too_many int4[]; -- views that are synced as a whole",
        "failed tid[]; -- rows of documents that have failed before",
        "failed_owners int4[]; -- the views of those",
        "has_failed bool; -- whether there are such rows, claimed or not",
        "position int4; -- the view",
        "name text; -- its table",
        "sorted text[]; -- its documents, in their order",
        "attempts int4; -- how often they have failed",
        "reason text; -- why",
        "origin jsonb; -- the transactions that they stem from",
        "changed timestamptz; -- when the first of these wrote",
        "first int4[]; -- the parts that are not done: their first documents",
        "last int4[]; -- and their last",
        "low int4;",
        "middle int4;",
        "high int4;",
        "begun bool := false; -- whether a part was synced",
        "holds bool := false; -- whether documents of an earlier part are locked",
        "start timestamptz; -- when the part was begun",
        "is_late bool;",
        "patient bool; -- whether locks are waited for",
        "state text; -- why a part has failed",
        "is_lock bool;",
        "failures int4 := 0;",
    ] {
        sql.line(line);
    }
}
