//! `fraiseql_write_post_..`: locks, builds and writes the documents of one view, whose embedded rows are locked.
//!
//! It is the protocol of a sync inside of a transaction, as [`write`](mod@crate::sql::write) describes it. What is
//! rarely needed is in branches of its own: equal documents, documents in conflict, keys without a row.

use crate::error::sqlstate::CONTENDED;
use crate::schema::View;
use crate::sql::delete::{delete_orphans, placeholders};
use crate::sql::document::BatchSize;
use crate::sql::function::definition::{FunctionDdl, FunctionText};
use crate::sql::row_key::RowKey;
use crate::sql::sync::MAX_FEW_KEYS;
use crate::sql::text::Sql;
use crate::sql::write::equal::others;
use crate::sql::write::protocol::WriteProtocol;
use crate::sql::write::write_statement::WriteStatement;

/// How often documents in conflict are built again: see `sync::protocol`.
const MAX_ROUNDS: u32 = 5;

/// The columns of the row that the function returns: documents counted as in a report of a sync, and their size in
/// bytes.
pub(super) const OUTPUTS: [(&str, &str); 5] = [
    ("inserted", "int8"),
    ("updated", "int8"),
    ("unchanged", "int8"),
    ("deleted", "int8"),
    ("bytes", "int8"),
];

/// Composes the function. It runs with the settings of its caller.
pub(super) fn compose(view: &View, number: i64, schema: &'static str) -> FunctionDdl {
    let keys = format!("{}[]", view.key.sql_type());
    let body = Body {
        view,
        number,
        key: view.stored_key("v"),
        ty: view.key.sql_type(),
    };
    FunctionText {
        stem: &format!("write_{}", view.entity),
        schema,
        parameters: &[("keys", &keys)],
        returns: String::new(),
        outputs: &OUTPUTS,
        definer: false,
        settings: Vec::new(),
        body: body.compose(),
    }
    .hashed()
}

struct Body<'a> {
    view: &'a View,
    /// The number of the view's shape.
    number: i64,
    /// The key of a stored document, `v`.
    key: RowKey,
    /// The type of a key.
    ty: &'a str,
}

impl Body<'_> {
    fn compose(&self) -> String {
        let ty = self.ty;
        let mut sql = Sql::new();
        sql.line("#variable_conflict use_column");
        sql.line("<<fn$>>");
        sql.block("DECLARE", "BEGIN", |sql| {
            sql.line(format!(
                "pending {ty}[] := $1; -- the keys of the documents to build"
            ));
            sql.line(format!(
                "locked {ty}[]; -- documents that existed when they were locked"
            ));
            sql.line(format!("built {ty}[]; -- keys with a root row"));
            sql.line(format!(
                "equal {ty}[]; -- documents that are as they should be"
            ));
            sql.line(format!("created {ty}[]; -- documents that did not exist"));
            sql.line(format!("replaced {ty}[]; -- documents that were updated"));
            sql.line(format!("gone {ty}[]; -- documents that were deleted"));
            sql.line("size int8;");
            sql.line("round int4 := 0;");
        });
        sql.indented(|sql| {
            sql.line("inserted := 0; updated := 0; unchanged := 0; deleted := 0; bytes := 0;");
            sql.block("LOOP", "END LOOP;", |sql| self.round(sql));
        });
        sql.line("END");
        sql.finish()
    }

    /// Locks, builds and writes the pending documents. Those in conflict are pending afterwards.
    fn round(&self, sql: &mut Sql) {
        self.lock_documents(sql);
        sql.line("-- A statement of its own: its snapshot is newer than the locks.");
        sql.block(
            format!("IF pg_catalog.cardinality(fn$.pending) <= {MAX_FEW_KEYS} THEN"),
            "ELSE",
            |sql| self.write(sql, BatchSize::Few),
        );
        sql.indented(|sql| self.write(sql, BatchSize::Many));
        sql.line("END IF;");
        sql.line("inserted := inserted + pg_catalog.cardinality(fn$.created);");
        sql.line("updated := updated + pg_catalog.cardinality(fn$.replaced);");
        sql.line("bytes := bytes + fn$.size;");
        sql.block(
            "IF pg_catalog.cardinality(fn$.built) < pg_catalog.cardinality(fn$.pending) THEN",
            "END IF;",
            |sql| self.without_rows(sql),
        );
        sql.line(
            "EXIT WHEN pg_catalog.cardinality(fn$.created) + pg_catalog.cardinality(fn$.replaced)",
        );
        sql.line("  >= pg_catalog.cardinality(fn$.built);");
        sql.line("-- The others were not written. They are equal, if they were locked.");
        sql.block("fn$.pending := ARRAY(", ");", |sql| {
            sql.line("SELECT pg_catalog.unnest(fn$.built)");
            sql.line("EXCEPT SELECT pg_catalog.unnest(fn$.created || fn$.replaced)");
        });
        sql.block("fn$.equal := ARRAY(", ");", |sql| {
            sql.line("SELECT pg_catalog.unnest(fn$.pending)");
            sql.line("INTERSECT SELECT pg_catalog.unnest(fn$.locked)");
        });
        sql.block("IF fn$.equal <> '{}' THEN", "END IF;", |sql| {
            self.equal(sql);
        });
        sql.line("-- Or else they were inserted by another transaction since the locks: they can be locked now.");
        sql.line(
            "EXIT WHEN pg_catalog.cardinality(fn$.equal) = pg_catalog.cardinality(fn$.pending);",
        );
        sql.block("fn$.pending := ARRAY(", ");", |sql| {
            sql.line("SELECT pg_catalog.unnest(fn$.pending)");
            sql.line("EXCEPT SELECT pg_catalog.unnest(fn$.equal)");
        });
        sql.line("fn$.round := fn$.round + 1;");
        sql.block(
            format!("IF fn$.round > {MAX_ROUNDS} THEN"),
            "END IF;",
            |sql| {
                sql.line("RAISE 'other transactions keep inserting and deleting these documents'");
                sql.line(format!("  USING ERRCODE = '{CONTENDED}';"));
            },
        );
    }

    fn lock_documents(&self, sql: &mut Sql) {
        let key = &self.key;
        sql.block("fn$.locked := ARRAY(", ");", |sql| {
            sql.line(format!("SELECT {}", key.value()));
            sql.line(format!("FROM {} AS v", self.view.table));
            sql.line(format!("WHERE {}", key.is_in(&self.keys("fn$.pending"))));
            sql.line(format!("ORDER BY {}", key.order()));
            sql.line("FOR UPDATE OF v");
        });
    }

    /// An array whose length is hidden from the planner, so that one plan serves all calls.
    fn keys(&self, array: &str) -> String {
        format!("(SELECT {array})::{}[]", self.ty)
    }

    /// Builds the pending documents, and writes those that differ.
    ///
    /// A few are compared where they are replaced: that starts sooner than a join, which takes less for many.
    fn write(&self, sql: &mut Sql, batch_size: BatchSize) {
        let statement =
            WriteStatement::new(self.view, self.number, batch_size, WriteProtocol::Locked);
        let conditions = |root_key: &RowKey| vec![root_key.is_in(&self.keys("fn$.pending"))];
        let is_locked = self.is_locked(&self.key.value(), batch_size);
        let (guard, changed) = match batch_size {
            BatchSize::Few => (
                format!("{is_locked}\n  AND {}", statement.is_outdated()),
                "",
            ),
            BatchSize::Many => (is_locked, "WHERE changed"),
        };
        sql.block(
            "WITH built AS MATERIALIZED (",
            "),",
            |sql| match batch_size {
                BatchSize::Few => statement.documents(sql, conditions),
                BatchSize::Many => statement.built_rows(sql, conditions),
            },
        );
        sql.block("written AS (", ")", |sql| {
            statement.upsert(sql, &guard, |sql| {
                sql.line(format!("FROM built {changed}").trim_end());
                sql.line(format!("ORDER BY {}", self.view.key.order_of("\"key\"")));
            });
            sql.line(format!(
                "RETURNING {} AS \"key\", v.version",
                self.key.value()
            ));
        });
        sql.line("SELECT");
        sql.block_list([
            "coalesce(pg_catalog.array_agg(b.\"key\"), '{}')".to_owned(),
            "coalesce(pg_catalog.sum(pg_catalog.pg_column_size(b.\"data\")), 0)".to_owned(),
            "ARRAY(SELECT w.\"key\" FROM written AS w WHERE w.version = 1)".to_owned(),
            "ARRAY(SELECT w.\"key\" FROM written AS w WHERE w.version > 1)".to_owned(),
        ]);
        sql.line("INTO fn$.built, fn$.size, fn$.created, fn$.replaced");
        sql.line("FROM built AS b;");
    }

    /// Whether this transaction has locked the document of `key`. A long array is searched by hash.
    fn is_locked(&self, key: &str, batch_size: BatchSize) -> String {
        match batch_size {
            BatchSize::Few => format!("{key} = ANY (fn$.locked)"),
            BatchSize::Many => format!("{key} IN (SELECT pg_catalog.unnest(fn$.locked))"),
        }
    }

    /// Deletes documents without a root row, and keeps others from inserting documents that do not exist: they may still
    /// see a row that this transaction has deleted.
    fn without_rows(&self, sql: &mut Sql) {
        let ty = self.ty;
        let missing = format!(
            "ARRAY(SELECT pg_catalog.unnest(fn$.pending) EXCEPT SELECT pg_catalog.unnest(fn$.built))::{ty}[]"
        );
        sql.line("-- Keys without a root row: their documents are deleted.");
        sql.block("WITH gone AS (", ")", |sql| {
            sql.line(delete_orphans(self.view, &missing));
        });
        sql.line("SELECT coalesce(pg_catalog.array_agg(g.\"key\"), '{}')");
        sql.line("INTO fn$.gone FROM gone AS g;");
        sql.line("deleted := deleted + pg_catalog.cardinality(fn$.gone);");
        sql.line("-- And those that do not exist must not be inserted by a transaction that still sees the row.");
        let absent = format!(
            "ARRAY(SELECT pg_catalog.unnest(fn$.pending) EXCEPT SELECT pg_catalog.unnest(fn$.built || fn$.gone))::{ty}[]"
        );
        sql.line(format!("fn$.gone := {absent};"));
        sql.block("IF fn$.gone <> '{}' THEN", "END IF;", |sql| {
            sql.line(format!("{};", placeholders(self.view, "fn$.gone")));
            sql.block("WITH gone AS (", ")", |sql| {
                sql.line(delete_orphans(self.view, "fn$.gone"));
            });
            sql.line("SELECT pg_catalog.count(*) INTO fn$.size FROM gone;");
        });
    }

    /// Makes the skip of equal documents count: see [`equal`](crate::sql::write::equal).
    fn equal(&self, sql: &mut Sql) {
        sql.line(
            "-- Another transaction may be about to replace an equal document by an older version.",
        );
        sql.line("unchanged := unchanged + pg_catalog.cardinality(fn$.equal);");
        let mut ctes = Sql::new();
        others(&mut ctes, self.view, None);
        let ctes = ctes.finish();
        sql.line(format!("WITH {}", ctes.trim_end_matches(',')));
        sql.line(format!(
            "UPDATE {} AS v SET synced_xid = pg_catalog.pg_current_xact_id()",
            self.view.table
        ));
        sql.line(format!("WHERE {}", self.key.is_in(&self.keys("fn$.equal"))));
        sql.line("  AND EXISTS (SELECT FROM others);");
    }
}
