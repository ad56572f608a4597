//! The parts of a batch: each is synced by one call, and halved or put off if that fails.

use crate::sql::function::EmbeddedRows;
use crate::sql::function::drain::claim::{as_before, by_index};
use crate::sql::function::drain::{Drain, MAX_FAILURES, MAX_ORIGINS, WAIT};
use crate::sql::sync::MAX_BATCH;
use crate::sql::text::Sql;

/// After this time a batch begins nothing more, and its locks wait no longer.
const BATCH_TIME: &str = "interval '300 ms'";
/// How long a lock is waited for that could not be had before.
const NO_WAIT: &str = "1ms";

/// No document of a part was written.
pub(super) const NOTHING_WRITTEN: &str =
    "inserted := 0; updated := 0; unchanged := 0; deleted := 0; bytes := 0;";

impl Drain<'_> {
    /// The documents of one view, or of one row that has failed before.
    pub(super) fn unit(&self, sql: &mut Sql) {
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
            "fn$.first := ARRAY(SELECT pg_catalog.generate_series(1, pg_catalog.cardinality(fn$.sorted), {MAX_BATCH}));"
        ));
        sql.line("fn$.last := ARRAY(");
        sql.line(format!(
            "  SELECT LEAST(f + {}, pg_catalog.cardinality(fn$.sorted)) FROM pg_catalog.unnest(fn$.first) AS f);",
            MAX_BATCH - 1
        ));
        sql.block("WHILE fn$.first <> '{}' LOOP", "END LOOP;", |sql| {
            self.part(sql);
        });
    }

    /// The keys of the view, each once, in the order in which documents are locked.
    fn keys_in_order(&self, sql: &mut Sql) {
        sql.block("CASE fn$.position", "END CASE;", |sql| {
            for (index, view) in self.views.iter().enumerate() {
                let ty = view.key.sql_type();
                let order = view.key.order_of("k.\"key\"");
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
                 CASE WHEN fn$.patient AND NOT fn$.is_late AND NOT fn$.holds THEN '{WAIT}' ELSE '{NO_WAIT}' END, true);"
            ));
            sql.block("CASE fn$.position", "END CASE;", |sql| {
                for (index, view) in self.views.iter().enumerate() {
                    sql.line(format!("WHEN {} THEN", index + 1));
                    sql.indented(|sql| {
                        sql.line("SELECT s.inserted, s.updated, s.unchanged, s.deleted, s.bytes");
                        sql.line("INTO inserted, updated, unchanged, deleted, bytes");
                        sql.line(format!(
                            "FROM {}(\"keys\"::{}[], '{}') AS s;",
                            view.sync,
                            view.key.sql_type(),
                            EmbeddedRows::Busy.as_str()
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
            sql.line("fn$.holds := true;");
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
