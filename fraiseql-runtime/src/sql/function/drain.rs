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
//! - What is left after [`BATCH_TIME`], and more documents than a batch can have.
//!
//! # Locks
//!
//! PostgreSQL looks for deadlocks after a transaction has waited for `deadlock_timeout`, a second by
//! default, and ends the one that looks. The function waits for a lock for less than that, and for hardly any time
//! once it has run for [`BATCH_TIME`]. So it gives way, and another transaction is not ended because of it.

use crate::schema::{Key, Table};
use crate::sql::function::change::change_table;
use crate::sql::function::definition::FunctionText;
use crate::sql::function::settings;
use crate::sql::key_column::key_order;
use crate::sql::queue::WHOLE;
use crate::sql::shape;
use crate::sql::text::{Sql, literal};

/// After this time a batch begins nothing more, and its locks wait no longer.
const BATCH_TIME: &str = "interval '300 ms'";
/// How long a lock is waited for: less than PostgreSQL's `deadlock_timeout`.
const WAIT: &str = "250ms";
/// How long a lock is waited for that could not be had before.
const NO_WAIT: &str = "1ms";
/// The documents of one call of a sync function.
pub(crate) const MAX_PART: usize = 500;
/// After so many failures in one batch, parts are not halved any more.
const MAX_FAILURES: usize = 64;
/// The documents of one path that are found. If there are more, the view is synced as a whole.
const MAX_FOUND: usize = 1_000_000;
/// The size of changes after which no more are claimed. One is always claimed.
const MAX_BYTES: usize = 128 * 1024;
/// How many rows with documents that were left for later are claimed at once, of those that never failed.
const MAX_LEFT: usize = 2;
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
pub(super) struct DrainedView {
    pub(super) table: Table,
    pub(super) key: &'static Key,
    /// The function that syncs its documents, quoted and with its schema.
    pub(super) sync: String,
}

/// What the function is composed of.
#[derive(Clone, Debug)]
pub(super) struct Drain<'a> {
    pub(super) model: i64,
    pub(super) schema: &'static str,
    /// The function that finds documents, quoted and with its schema.
    pub(super) dependents: String,
    /// The views in the order of their tables, in which all transactions lock documents.
    pub(super) views: &'a [DrainedView],
    /// For each path of the function that finds documents: the base table that it begins with, and the
    /// position of its view.
    pub(super) paths: &'a [(Table, usize)],
}

impl Drain<'_> {
    /// The text of the function, without its name.
    pub(super) fn text<'t>(&self) -> FunctionText<'t> {
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

    /// Locks the changes of this batch, and summarizes them.
    fn claim(&self, sql: &mut Sql) {
        for name in PLANNER {
            sql.line(format!(
                "fn$.{name} := pg_catalog.current_setting('enable_{name}');"
            ));
        }
        by_index(sql);
        sql.line("-- Transactions that were open when later ones were drained, then all others in their order,");
        sql.line("-- then what was left for later. A whole view is left to the caller.");
        let due = "c.retry_at <= pg_catalog.statement_timestamp()";
        let failed = "c.operation = 'SYNC' AND c.error IS NOT NULL";
        let first = "c.xid, c.id";
        for (with, name, condition, order, limit) in [
            (
                "WITH ",
                "late",
                "c.retry_at IS NULL AND c.xid = ANY ($3)",
                first,
                "$4".to_owned(),
            ),
            (
                "",
                "next",
                "c.retry_at IS NULL AND (c.xid, c.id) >= ($1, $2)",
                first,
                "$4".to_owned(),
            ),
            (
                "",
                "remaining",
                &format!("{due} AND NOT ({WHOLE}) AND NOT ({failed})"),
                "c.retry_at",
                MAX_LEFT.to_string(),
            ),
            (
                "",
                "failed",
                &format!("{due} AND NOT ({WHOLE}) AND {failed}"),
                "c.retry_at",
                MAX_FAILURES.to_string(),
            ),
        ] {
            sql.block(format!("{with}{name} AS MATERIALIZED ("), "),", |sql| {
                sql.line("SELECT c.ctid AS place, c.*");
                sql.line(format!("FROM {} AS c", self.table()));
                sql.line(format!("WHERE c.model = {} AND {condition}", self.number()));
                sql.line(format!("ORDER BY {order}"));
                sql.line(format!("LIMIT {limit}"));
                sql.line("FOR UPDATE SKIP LOCKED");
            });
        }
        chosen(sql);
        sql.line("SELECT");
        let position = format!("pg_catalog.array_position({}, c.\"table\")", self.tables());
        let failed = |value: &str| {
            format!(
                "coalesce((SELECT pg_catalog.array_agg({value} ORDER BY c.retry_at) FROM failed AS c), '{{}}')"
            )
        };
        sql.block_list([
            "coalesce(pg_catalog.array_agg(c.place), '{}')".to_owned(),
            "pg_catalog.min(c.changed_at)".to_owned(),
            "(SELECT pg_catalog.jsonb_object_agg(v.\"table\", v.\"columns\") FROM of_tables AS v)"
                .to_owned(),
            "pg_catalog.array_agg(DISTINCT c.\"table\") \
             FILTER (WHERE c.operation <> 'SYNC' AND c.old IS NULL AND c.new IS NULL)"
                .to_owned(),
            format!("pg_catalog.array_agg({position}) FILTER (WHERE c.operation = 'SYNC')"),
            "pg_catalog.array_agg(c.new) FILTER (WHERE c.operation = 'SYNC')".to_owned(),
            failed("c.place"),
            failed(&position),
        ]);
        sql.line("INTO fn$.claimed, fn$.since, fn$.images, fn$.whole, fn$.owners, fn$.lists,");
        sql.line("  fn$.failed, fn$.failed_owners");
        sql.line("FROM chosen AS c;");
        sql.block("fn$.has_failed := coalesce((", "), false);", |sql| {
            sql.line("SELECT true");
            sql.line(format!("FROM {} AS c", self.table()));
            sql.line(format!(
                "WHERE c.model = {} AND c.retry_at IS NOT NULL AND c.attempts > 0",
                self.number()
            ));
            sql.line("ORDER BY c.retry_at");
            sql.line("LIMIT 1");
        });
        as_before(sql);
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

    /// The documents of one view, or of one row that has failed before.
    fn unit(&self, sql: &mut Sql) {
        let views = self.views.len();
        sql.block(format!("IF unit <= {views} THEN"), "ELSE", |sql| {
            sql.line(
                "fn$.position := unit; fn$.attempts := 0; fn$.reason := NULL; fn$.patient := true;",
            );
            sql.line("fn$.origin := fn$.origins; fn$.changed := fn$.since;");
            sql.line("CONTINUE WHEN fn$.position = ANY (fn$.too_many);");
            sql.line("CONTINUE WHEN coalesce(fn$.position <> ALL (fn$.owners), true);");
            self.keys_in_order(sql);
        });
        sql.indented(|sql| {
            sql.line("-- What has failed is synced by itself, and what was locked is not waited for again.");
            sql.line(format!("EXIT WHEN pg_catalog.clock_timestamp() > fn$.started + {BATCH_TIME};"));
            sql.line(format!("fn$.position := fn$.failed_owners[unit - {views}]; fn$.patient := false;"));
            sql.line("SELECT c.attempts, c.error, c.old, c.changed_at,");
            sql.line("  ARRAY(SELECT pg_catalog.jsonb_array_elements_text(c.new -> 'key'))");
            sql.line("INTO fn$.attempts, fn$.reason, fn$.origin, fn$.changed, fn$.sorted");
            sql.line(format!("FROM {} AS c WHERE c.ctid = fn$.failed[unit - {views}];", self.table()));
            sql.line(format!("fn$.claimed := fn$.claimed || fn$.failed[unit - {views}];"));
            sql.line("CONTINUE WHEN fn$.position IS NULL;");
        });
        sql.line("END IF;");
        sql.line(format!("fn$.name := ({})[fn$.position];", self.tables()));
        sql.line(format!(
            "fn$.first := ARRAY(SELECT pg_catalog.generate_series(1, pg_catalog.cardinality(fn$.sorted), {MAX_PART}));"
        ));
        sql.line("fn$.last := ARRAY(");
        sql.line(format!(
            "  SELECT LEAST(f + {}, pg_catalog.cardinality(fn$.sorted)) FROM pg_catalog.unnest(fn$.first) AS f);",
            MAX_PART - 1
        ));
        sql.block("WHILE fn$.first <> '{}' LOOP", "END LOOP;", |sql| {
            self.part(sql)
        });
    }

    /// The keys of the view, each once, in the order in which documents are locked.
    fn keys_in_order(&self, sql: &mut Sql) {
        sql.block("CASE fn$.position", "END CASE;", |sql| {
            for (index, view) in self.views.iter().enumerate() {
                let ty = view.key.ty.sql;
                let order = key_order("k.\"key\"", view.key);
                sql.line(format!("WHEN {} THEN", index + 1));
                sql.block("  fn$.sorted := ARRAY(", "  );", |sql| {
                    sql.line("SELECT k.\"key\"::text");
                    sql.block("FROM (", ") AS k", |sql| {
                        sql.line(format!("SELECT DISTINCT e.value::{ty} AS \"key\""));
                        sql.line("FROM ROWS FROM (pg_catalog.unnest(fn$.owners), pg_catalog.unnest(fn$.lists)) AS l (owner, list)");
                        sql.line(
                            "CROSS JOIN LATERAL pg_catalog.jsonb_array_elements_text(l.list -> 'key') AS e (value)",
                        );
                        sql.line("WHERE l.owner = fn$.position");
                    });
                    sql.line(format!("ORDER BY {order}"));
                });
            }
        });
    }

    /// Syncs one part of the documents, or leaves it.
    fn part(&self, sql: &mut Sql) {
        sql.line(format!(
            "fn$.is_late := pg_catalog.clock_timestamp() > fn$.started + {BATCH_TIME};"
        ));
        sql.block("IF fn$.is_late AND fn$.begun THEN", "END IF;", |sql| {
            sql.line(format!(
                "INSERT INTO {} (model, \"table\", operation, old, new, changed_at, attempts, retry_at, error)",
                self.table()
            ));
            sql.line(format!("SELECT {}, fn$.name, 'SYNC', fn$.origin,", self.number()));
            sql.line("  pg_catalog.jsonb_build_object('key', fn$.sorted[r.first:r.last]),");
            sql.line("  fn$.changed, fn$.attempts, pg_catalog.clock_timestamp(), fn$.reason");
            sql.line("FROM ROWS FROM (pg_catalog.unnest(fn$.first), pg_catalog.unnest(fn$.last)) AS r (first, last);");
            sql.line("EXIT;");
        });
        sql.line("fn$.begun := true;");
        sql.line("fn$.low := fn$.first[1]; fn$.high := fn$.last[1];");
        sql.line("fn$.first := fn$.first[2:]; fn$.last := fn$.last[2:];");
        sql.line("\"view\" := fn$.position - 1; \"keys\" := fn$.sorted[fn$.low:fn$.high];");
        sql.line("changes := NULL; dead := NULL; \"error\" := NULL;");
        sql.line("fn$.start := pg_catalog.clock_timestamp();");
        sql.block("BEGIN", "END;", |sql| {
            sql.line(format!(
                "PERFORM pg_catalog.set_config('lock_timeout', \
                 CASE WHEN fn$.patient AND NOT fn$.is_late THEN '{WAIT}' ELSE '{NO_WAIT}' END, true);"
            ));
            sql.block("CASE fn$.position", "END CASE;", |sql| {
                for (index, view) in self.views.iter().enumerate() {
                    sql.line(format!("WHEN {} THEN", index + 1));
                    sql.indented(|sql| {
                        sql.line("SELECT s.inserted, s.updated, s.unchanged, s.deleted, s.bytes");
                        sql.line("INTO inserted, updated, unchanged, deleted, bytes");
                        sql.line(format!(
                            "FROM {}(\"keys\"::{}[], 'busy') AS s;",
                            view.sync, view.key.ty.sql
                        ));
                    });
                }
            });
            sql.line("EXCEPTION WHEN OTHERS THEN");
            sql.line("  fn$.state := SQLSTATE; \"error\" := SQLSTATE || ': ' || SQLERRM;");
        });
        sql.line("seconds := EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - fn$.start);");
        sql.block("IF \"error\" IS NULL THEN", "END IF;", |sql| {
            self.written(sql);
            sql.line("RETURN NEXT;");
            sql.line("CONTINUE;");
        });
        sql.line(NOTHING_WRITTEN);
        self.halve(sql);
        self.postpone(sql);
        sql.line("RETURN NEXT;");
    }

    /// Documents that are written are no failures any more.
    fn written(&self, sql: &mut Sql) {
        sql.block("IF fn$.has_failed THEN", "END IF;", |sql| {
            by_index(sql);
            sql.block(
                format!("DELETE FROM {} WHERE ctid = ANY (ARRAY(", self.table()),
                "));",
                |sql| {
                    sql.line("SELECT c.ctid");
                    self.failures(sql);
                    sql.line("  AND c.new #>> '{key,0}' = ANY (\"keys\")");
                    sql.line("ORDER BY c.retry_at");
                    sql.line("FOR UPDATE SKIP LOCKED");
                },
            );
            as_before(sql);
        });
    }

    /// The rows of single documents of the view that have failed.
    fn failures(&self, sql: &mut Sql) {
        sql.line(format!("FROM {} AS c", self.table()));
        sql.line(format!(
            "WHERE c.model = {} AND c.retry_at IS NOT NULL AND c.attempts > 0",
            self.number()
        ));
        sql.line("  AND c.operation = 'SYNC' AND c.\"table\" = fn$.name");
        sql.line("  AND pg_catalog.jsonb_array_length(c.new -> 'key') = 1");
    }

    /// Syncs the halves of a part that has failed, if its documents may be the reason.
    fn halve(&self, sql: &mut Sql) {
        sql.line("fn$.is_lock := fn$.state IN ('40001', '40P01', '55P03');");
        sql.line("fn$.patient := fn$.patient AND NOT fn$.is_lock;");
        sql.line("fn$.failures := fn$.failures + 1;");
        sql.line(format!(
            "IF fn$.low < fn$.high AND fn$.failures <= {MAX_FAILURES}"
        ));
        sql.line("  AND (fn$.is_lock OR pg_catalog.left(fn$.state, 2) IN ('22', '23', '53', '54')");
        sql.block(
            "    OR fn$.state IN ('0A000', '21000', 'P0001')) THEN",
            "END IF;",
            |sql| {
                sql.line("fn$.middle := (fn$.low + fn$.high) / 2;");
                sql.line("fn$.first := ARRAY[fn$.low, fn$.middle + 1] || fn$.first;");
                sql.line("fn$.last := ARRAY[fn$.middle, fn$.high] || fn$.last;");
                sql.line("CONTINUE;");
            },
        );
    }

    /// Writes a row for a part that has failed.
    fn postpone(&self, sql: &mut Sql) {
        let columns =
            "(model, \"table\", operation, old, new, changed_at, attempts, retry_at, error)";
        let keys = "pg_catalog.jsonb_build_object('key', \"keys\")";
        sql.block("IF fn$.is_lock THEN", "ELSE", |sql| {
            sql.line("-- No attempt. Who holds a lock for long is asked less and less often.");
            sql.line(format!("INSERT INTO {} {columns}", self.table()));
            sql.line(format!(
                "VALUES ({}, fn$.name, 'SYNC', fn$.origin, {keys}, fn$.changed, fn$.attempts,",
                self.number()
            ));
            sql.line("  pg_catalog.clock_timestamp() + LEAST(GREATEST(");
            sql.line("    (pg_catalog.clock_timestamp() - fn$.changed) / 10, interval '50 ms'), interval '5 s'), \"error\");");
        });
        sql.indented(|sql| {
            by_index(sql);
            sql.block("WITH former AS (", ")", |sql| {
                sql.line(format!("DELETE FROM {} AS c", self.table()));
                sql.block("WHERE fn$.low = fn$.high AND c.ctid = ANY (ARRAY(", "))", |sql| {
                    sql.line("SELECT c.ctid");
                    self.failures(sql);
                    sql.line("  AND c.new #>> '{key,0}' = \"keys\"[1]");
                    sql.line("ORDER BY c.retry_at");
                    sql.line("FOR UPDATE SKIP LOCKED");
                });
                sql.line("RETURNING c.old, c.attempts, c.changed_at");
            });
            sql.line(format!("INSERT INTO {} {columns}", self.table()));
            sql.line(format!("SELECT {}, fn$.name, 'SYNC', f.origin, {keys}, f.changed_at, f.attempts,", self.number()));
            sql.line("  CASE WHEN f.attempts >= $5 THEN 'infinity' ELSE pg_catalog.clock_timestamp()");
            sql.line("    + LEAST(interval '1 s' * (2 ^ LEAST(f.attempts - 1, 20)), interval '10 min')");
            sql.line("    * (0.75 + pg_catalog.random() / 2) END, \"error\"");
            sql.block("FROM (", ") AS f", |sql| {
                sql.line("SELECT");
                sql.block_list([
                    "GREATEST(pg_catalog.max(c.attempts), fn$.attempts) + 1 AS attempts".to_owned(),
                    "LEAST(pg_catalog.min(c.changed_at), fn$.changed) AS changed_at".to_owned(),
                    format!(
                        "(SELECT pg_catalog.jsonb_build_object('xid', pg_catalog.jsonb_agg(o.xid)) FROM (\
                         SELECT DISTINCT x.xid, x.xid::xid8 AS number FROM (\
                         SELECT fn$.origin AS old UNION ALL SELECT f.old FROM former AS f) AS f \
                         CROSS JOIN LATERAL pg_catalog.jsonb_array_elements_text(f.old -> 'xid') AS x (xid) \
                         ORDER BY number DESC LIMIT {MAX_ORIGINS}) AS o) AS origin"
                    ),
                ]);
                sql.line("FROM former AS c");
            });
            sql.line("RETURNING retry_at = 'infinity' INTO dead;");
            as_before(sql);
            sql.line("fn$.has_failed := true;");
        });
        sql.line("END IF;");
    }
}

/// No document of a part was written.
const NOTHING_WRITTEN: &str =
    "inserted := 0; updated := 0; unchanged := 0; deleted := 0; bytes := 0;";

/// The settings of the planner that are off while the table of changes is searched.
const PLANNER: [&str; 3] = ["seqscan", "bitmapscan", "sort"];

/// Lets the planner use the index that has the order. The table grows and shrinks, and plans stay: one that was made for
/// an empty table would read all of a large one.
fn by_index(sql: &mut Sql) {
    let settings =
        PLANNER.map(|name| format!("pg_catalog.set_config('enable_{name}', 'off', true)"));
    sql.line(format!("PERFORM {};", settings.join(", ")));
}

/// Ends [`by_index`].
fn as_before(sql: &mut Sql) {
    let settings =
        PLANNER.map(|name| format!("pg_catalog.set_config('enable_{name}', fn$.{name}, true)"));
    sql.line(format!("PERFORM {};", settings.join(", ")));
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

/// The changes of this batch, and the values in them.
fn chosen(sql: &mut Sql) {
    sql.block("counted AS (", "),", |sql| {
        sql.line("SELECT c.*, pg_catalog.sum(");
        sql.line("    coalesce(pg_catalog.pg_column_size(c.old), 0) + coalesce(pg_catalog.pg_column_size(c.new), 0))");
        sql.line("  OVER (ORDER BY c.xid, c.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before");
        sql.line("FROM (TABLE late UNION ALL TABLE next) AS c");
    });
    sql.block("chosen AS (", "),", |sql| {
        let columns = "c.place, c.\"table\", c.operation, c.old, c.new, c.changed_at";
        sql.line(format!("SELECT {columns}"));
        sql.line("FROM counted AS c");
        sql.line(format!("WHERE c.before IS NULL OR c.before < {MAX_BYTES}"));
        sql.line(format!("UNION ALL SELECT {columns} FROM remaining AS c"));
    });
    sql.block("of_columns AS (", "),", |sql| {
        sql.line("SELECT c.\"table\", i.name, pg_catalog.jsonb_agg(DISTINCT v.value) AS list");
        sql.line("FROM chosen AS c");
        sql.line("CROSS JOIN LATERAL (VALUES (c.old), (c.new)) AS s (image)");
        sql.line("CROSS JOIN LATERAL pg_catalog.jsonb_each(s.image) AS i (name, list)");
        sql.line("CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(i.list) AS v (value)");
        sql.line("WHERE c.operation <> 'SYNC'");
        sql.line("GROUP BY c.\"table\", i.name");
    });
    sql.block("of_tables AS (", ")", |sql| {
        sql.line("SELECT v.\"table\", pg_catalog.jsonb_object_agg(v.name, v.list) AS \"columns\"");
        sql.line("FROM of_columns AS v");
        sql.line("GROUP BY v.\"table\"");
    });
}
