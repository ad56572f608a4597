//! The table of changes as a queue: what the worker and its callers read and write there, besides
//! the function that drains it.
//!
//! # Order, and what can still come
//!
//! Changes are drained in the order of (xid, id). A transaction with a low xid may commit after later ones
//! were drained. A worker that looked for its changes from the beginning each time would read, each time, all
//! index entries of rows that were deleted and cannot be vacuumed, because some transaction is open. So it
//! keeps a position before which nothing is pending, and the transactions before it that were open when it
//! passed them: [`QueueSql::probe`] says which, by its own snapshot. Nothing else can appear there, because a
//! change carries the xid of the transaction that writes it.
//!
//! Rows that the worker writes itself, of documents that are left for later, have a `retry_at`. They are few,
//! and an index of their own leads to them.

use std::sync::Arc;

use crate::sql::function::change::change_table;
use crate::sql::text::{Sql, literal};

/// The condition that a row `c` stands for all documents of a view.
pub(crate) const WHOLE: &str = "c.operation = 'SYNC' AND c.new IS NULL";

/// The statements of one read model. `$1` of each is its number, but for `drain`.
#[derive(Debug)]
pub(crate) struct QueueSql {
    /// The model.
    pub(crate) model: i64,
    /// Drains a batch: from the position `$1`, `$2` on, and of the transactions `$3`, at most `$4` changes.
    /// After `$5` attempts, a document is a dead letter.
    pub(crate) drain: Arc<str>,
    /// The change table, quoted and with its schema.
    table: String,
    /// Leases, for `$2` seconds, the whole views of one table that are due. Returns its name, the keys of the
    /// rows, and their attempts.
    pub(crate) lease: Arc<str>,
    /// Leases the rows `$2`, `$3` for another `$4` seconds.
    pub(crate) renew: Arc<str>,
    /// Deletes the rows `$2`, `$3`.
    pub(crate) finish: Arc<str>,
    /// Notes the error `$4` in the rows `$2`, `$3`, which are dead letters after `$5` attempts.
    pub(crate) fail: Arc<str>,
    /// Notes the error `$5` in the first change from the position `$2`, `$3` on, or of the transactions `$4`,
    /// which is a dead letter after `$6` attempts.
    pub(crate) set_aside: Arc<str>,
    /// Writes documents `$3` of the view table `$2`. Returns the transaction.
    pub(crate) write: Arc<str>,
    /// The numbers of rows, and the age of the oldest.
    pub(crate) numbers: Arc<str>,
    /// Dead letters by view and error; of each at most `$2` keys.
    pub(crate) dead_letters: Arc<str>,
    /// Makes the dead letters of the view table `$2`, the keys `$3` and the error `$4` due; null is any.
    pub(crate) retry: Arc<str>,
    /// Deletes the same.
    pub(crate) discard: Arc<str>,
    /// What is left of the transaction `$2`. On a replica, which may not have the changes yet, also a row that says
    /// so.
    pub(crate) left_of: Arc<str>,
}

impl QueueSql {
    /// Composes the statements. `drain` is the function that drains a batch, quoted and with its schema.
    pub(crate) fn compose(model: i64, schema: &str, drain: &str) -> Self {
        let table = change_table(schema);
        Self {
            model,
            drain: format!("SELECT * FROM {drain}($1::text::xid8, $2, $3::text[]::xid8[], $4, $5)")
                .into(),
            lease: lease(&table).into(),
            renew: of_rows(&format!(
                "UPDATE {table} AS c SET retry_at = pg_catalog.clock_timestamp() + $4::float8 * interval '1 s'"
            )),
            finish: of_rows(&format!("DELETE FROM {table} AS c")),
            fail: of_rows(&format!("UPDATE {table} AS c SET {}", failed("$4", "$5"))),
            set_aside: set_aside(&table).into(),
            write: write(&table).into(),
            numbers: numbers(&table).into(),
            dead_letters: dead_letters(&table).into(),
            retry: of_dead_letters(&format!(
                "UPDATE {table} AS c SET retry_at = pg_catalog.clock_timestamp(), attempts = 0"
            )),
            discard: of_dead_letters(&format!("DELETE FROM {table} AS c")),
            left_of: left_of(&table).into(),
            table,
        }
    }

    /// What is pending from the position `xid`, `id` on, and of the transactions `late`.
    ///
    /// The values are in the text: a message without parameters is planned each time, as the table grows and shrinks
    /// faster than its statistics; it is one round trip; and nothing of it is prepared, which a pooler might look for
    /// on another connection of the server.
    pub(crate) fn probe(&self, xid: u64, id: i64, late: &[u64]) -> String {
        let late: Vec<String> = late.iter().map(ToString::to_string).collect();
        let late = format!("'{{{}}}'", late.join(","));
        probe(&self.table, self.model, (xid, id), &late)
    }
}

/// The columns of [`QueueSql::probe`].
pub(crate) mod probe_row {
    /// The position of the first change that is pending.
    pub(crate) const XID: usize = 0;
    pub(crate) const ID: usize = 1;
    /// Those of the given transactions that have pending changes.
    pub(crate) const LATE: usize = 2;
    /// The snapshot of the statement.
    pub(crate) const SNAPSHOT: usize = 3;
    /// Whether documents that were left for later are due.
    pub(crate) const DUE: usize = 4;
    /// Whether a whole view is due.
    pub(crate) const WHOLE: usize = 5;
    /// The age of the oldest change that is not a dead letter, in seconds, as far as it is read.
    pub(crate) const AGE: usize = 6;
    /// Whether something waits for its time that has not failed.
    pub(crate) const WAITING: usize = 7;
}

fn probe(table: &str, model: i64, (xid, id): (u64, i64), late: &str) -> String {
    let model = format!("'{model}'::int8");
    let mut sql = Sql::new();
    sql.block("WITH first AS MATERIALIZED (", ")", |sql| {
        sql.line("SELECT c.xid, c.id, c.changed_at");
        sql.line(format!("FROM {table} AS c"));
        sql.line(format!(
            "WHERE c.model = {model} AND c.retry_at IS NULL AND (c.xid, c.id) >= ('{xid}'::xid8, '{id}'::int8)"
        ));
        sql.line("ORDER BY c.xid, c.id");
        sql.line("LIMIT 1");
    });
    let exists = |condition: &str| {
        format!("EXISTS (SELECT FROM {table} AS c WHERE c.model = {model} AND {condition})")
    };
    let due = "c.retry_at <= pg_catalog.statement_timestamp()";
    sql.line("SELECT");
    sql.block_list([
        "(SELECT f.xid::text FROM first AS f) AS xid".to_owned(),
        "(SELECT f.id FROM first AS f) AS id".to_owned(),
        format!(
            "ARRAY(SELECT x.xid FROM pg_catalog.unnest({late}::text[]) AS x (xid) WHERE {}) AS late",
            exists("c.xid = x.xid::xid8 AND c.retry_at IS NULL")
        ),
        "pg_catalog.pg_current_snapshot()::text AS snapshot".to_owned(),
        format!(
            "{} AS due",
            exists(&format!("{due} AND NOT ({WHOLE})"))
        ),
        format!(
            "{} AS whole",
            exists(&format!("{due} AND {WHOLE}"))
        ),
        format!(
            "EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - LEAST(\
             (SELECT f.changed_at FROM first AS f), \
             (SELECT c.changed_at FROM {table} AS c WHERE c.model = {model} AND {due} ORDER BY c.retry_at LIMIT 1)\
             ))::float8 AS age"
        ),
        format!(
            "{} AS waiting",
            exists("c.retry_at < 'infinity' AND c.attempts = 0")
        ),
    ]);
    sql.finish()
}

/// The rows stay as they are until the lease has expired, and another worker takes them then.
fn lease(table: &str) -> String {
    let mut sql = Sql::new();
    sql.block("WITH first AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT c.\"table\"");
        sql.line(format!("FROM {table} AS c"));
        sql.line("WHERE c.model = $1 AND c.retry_at <= pg_catalog.statement_timestamp()");
        sql.line(format!("  AND {WHOLE}"));
        sql.line("ORDER BY c.retry_at");
        sql.line("LIMIT 1");
        sql.line("FOR UPDATE SKIP LOCKED");
    });
    sql.block("rows AS MATERIALIZED (", "),", |sql| {
        sql.line("SELECT c.ctid AS place");
        sql.line(format!("FROM {table} AS c"));
        sql.line("JOIN first AS f ON f.\"table\" = c.\"table\"");
        sql.line("WHERE c.model = $1 AND c.retry_at <= pg_catalog.statement_timestamp()");
        sql.line(format!("  AND {WHOLE}"));
        sql.line("FOR UPDATE OF c SKIP LOCKED");
    });
    sql.block("leased AS (", ")", |sql| {
        sql.line(format!("UPDATE {table} AS c"));
        sql.line("SET retry_at = pg_catalog.clock_timestamp() + $2::float8 * interval '1 s'");
        sql.line("FROM rows AS r");
        sql.line("WHERE c.ctid = r.place");
        sql.line("RETURNING c.\"table\", c.xid, c.id");
    });
    sql.line("SELECT pg_catalog.min(l.\"table\"), pg_catalog.array_agg(l.xid::text), pg_catalog.array_agg(l.id)");
    sql.line("FROM leased AS l");
    sql.line("HAVING pg_catalog.count(*) > 0");
    sql.finish()
}

/// Adds the rows `$2`, `$3` to a command on `c`.
fn of_rows(command: &str) -> Arc<str> {
    let mut sql = Sql::new();
    sql.line(command);
    sql.line("WHERE c.model = $1 AND (c.xid, c.id) IN (");
    sql.line("  SELECT r.xid::xid8, r.id FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::int8[])) AS r (xid, id))");
    sql.finish().into()
}

/// One attempt more, after which a row is tried again later, or is a dead letter.
fn failed(error: &str, most: &str) -> String {
    format!(
        "attempts = c.attempts + 1, error = {error}, \
         retry_at = CASE WHEN c.attempts + 1 >= {most} THEN 'infinity' ELSE pg_catalog.clock_timestamp() \
         + LEAST(interval '1 s' * (2 ^ LEAST(c.attempts, 20)), interval '10 min') END"
    )
}

fn set_aside(table: &str) -> String {
    let mut sql = Sql::new();
    sql.line(format!("UPDATE {table} AS c"));
    sql.line(format!("SET {}", failed("$5", "$6")));
    sql.block("WHERE c.ctid = ANY (ARRAY(", "))", |sql| {
        sql.line("SELECT c.ctid");
        sql.line(format!("FROM {table} AS c"));
        sql.line("WHERE c.model = $1 AND c.retry_at IS NULL");
        sql.line("  AND ((c.xid, c.id) >= ($2::text::xid8, $3::int8) OR c.xid = ANY ($4::text[]::xid8[]))");
        sql.line("ORDER BY c.xid, c.id");
        sql.line("LIMIT 1");
        sql.line("FOR UPDATE SKIP LOCKED");
    });
    sql.finish()
}

fn write(table: &str) -> String {
    let mut sql = Sql::new();
    sql.line(format!(
        "INSERT INTO {table} (model, \"table\", operation, new)"
    ));
    sql.line("VALUES ($1, $2, 'SYNC', pg_catalog.jsonb_build_object('key', $3::text[]))");
    sql.line("RETURNING xid::text");
    sql.finish()
}

fn numbers(table: &str) -> String {
    let mut sql = Sql::new();
    sql.line("SELECT");
    sql.block_list([
        "pg_catalog.count(*) FILTER (WHERE c.retry_at IS NULL OR c.retry_at < 'infinity') AS pending".to_owned(),
        "pg_catalog.count(*) FILTER (WHERE c.retry_at < 'infinity' AND c.attempts > 0) AS failing".to_owned(),
        "pg_catalog.count(*) FILTER (WHERE c.retry_at = 'infinity') AS dead".to_owned(),
        "EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - pg_catalog.min(c.changed_at) \
         FILTER (WHERE c.retry_at IS NULL OR c.retry_at < 'infinity'))::float8 AS oldest"
            .to_owned(),
        format!(
            "(SELECT s.n_tup_del FROM pg_catalog.pg_stat_all_tables AS s \
             WHERE s.relid = {}::pg_catalog.regclass) AS deleted",
            literal(table)
        ),
    ]);
    sql.line(format!("FROM {table} AS c"));
    sql.line("WHERE c.model = $1");
    sql.finish()
}

fn dead_letters(table: &str) -> String {
    let mut sql = Sql::new();
    sql.line("SELECT c.\"table\", c.error, pg_catalog.count(*) AS rows,");
    sql.line("  pg_catalog.sum(coalesce(pg_catalog.jsonb_array_length(c.new -> 'key'), 0))::int8 AS documents,");
    sql.line("  (pg_catalog.array_agg(c.new #>> '{key,0}' ORDER BY c.xid, c.id)");
    sql.line("    FILTER (WHERE c.new IS NOT NULL))[1:$2] AS \"keys\",");
    sql.line("  pg_catalog.max(c.attempts) AS attempts,");
    sql.line("  EXTRACT(EPOCH FROM pg_catalog.min(c.changed_at))::float8 AS first,");
    sql.line("  EXTRACT(EPOCH FROM pg_catalog.max(c.changed_at))::float8 AS last");
    sql.line(format!("FROM {table} AS c"));
    sql.line("WHERE c.model = $1 AND c.retry_at = 'infinity'");
    sql.line("GROUP BY c.\"table\", c.error");
    sql.line("ORDER BY rows DESC, c.\"table\", c.error");
    sql.finish()
}

/// Adds the dead letters of the view table `$2`, the keys `$3` and the error `$4` to a command on `c`.
fn of_dead_letters(command: &str) -> Arc<str> {
    let mut sql = Sql::new();
    sql.line(command);
    sql.line("WHERE c.model = $1 AND c.retry_at = 'infinity'");
    sql.line("  AND ($2::text IS NULL OR c.\"table\" = $2)");
    sql.line("  AND ($3::text[] IS NULL OR pg_catalog.jsonb_exists_any(c.new -> 'key', $3))");
    sql.line("  AND ($4::text IS NULL OR c.error = $4)");
    sql.finish().into()
}

/// The operation of a row of [`QueueSql::left_of`] that says that the server is a replica.
pub(crate) const ON_REPLICA: &str = "REPLICA";

fn left_of(table: &str) -> String {
    let mut sql = Sql::new();
    sql.line(format!(
        "SELECT ''::text, '{ON_REPLICA}'::text, NULL::text, NULL::text, true WHERE pg_catalog.pg_is_in_recovery()"
    ));
    sql.line("UNION ALL");
    sql.line(
        "SELECT c.\"table\", c.operation, c.new #>> '{key,0}', c.error, c.retry_at = 'infinity'",
    );
    sql.line(format!("FROM {table} AS c"));
    sql.line("WHERE c.model = $1 AND c.xid = $2::text::xid8 AND c.retry_at IS NULL");
    sql.line("UNION ALL");
    sql.line(
        "SELECT c.\"table\", c.operation, c.new #>> '{key,0}', c.error, c.retry_at = 'infinity'",
    );
    sql.line(format!("FROM {table} AS c"));
    sql.line("WHERE c.model = $1 AND c.retry_at IS NOT NULL");
    sql.line("  AND (c.xid = $2::text::xid8 OR pg_catalog.jsonb_exists(c.old -> 'xid', $2::text))");
    sql.line("LIMIT 10");
    sql.finish()
}
