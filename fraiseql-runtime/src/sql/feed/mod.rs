//! The feed of documents: triggers of view tables that write which documents have changed, and the statements of
//! those who read it.
//!
//! | module | composes |
//! |---|---|
//! | `trigger` | `fraiseql_feed_post_..`: writes a change of documents for each statement, and its triggers |
//! | `sink` | what a sink sends, which keeps a copy of documents elsewhere |
//! | `tables` | the tables that the feed is kept in |
//!
//! # Changes of documents
//!
//! A statement that writes to a view table, whoever sends it, writes one row with the keys of its documents, and
//! their tenants if the view has one. A row with null instead of keys stands for all documents of the view: they were
//! truncated, or there are too many.
//!
//! # Which changes a reader has seen
//!
//! A reader keeps the snapshot of the statement that read last. What that snapshot does not see is new: the changes of
//! transactions from its end on, and of those that were open. So no change is missed or read twice, in whatever order
//! transactions commit, and a transaction that is open for long delays nobody. There is no sequence whose lower numbers
//! commit later.
//!
//! # Who is woken
//!
//! A reader with nothing to do notes that it sleeps. Writers send a notification only while one does: NOTIFY takes a lock
//! that all notifying transactions of the database share.

mod sink;
mod tables;
mod trigger;

use std::fmt::Write as _;
use std::time::Duration;

pub(crate) use self::sink::{MAX_SINK_KEYS, SinkSql, sink_row};
pub(crate) use self::tables::{CHANGES, STATE, create_changes, create_changes_index, create_state};
use self::trigger::feed_triggers;
pub(crate) use self::trigger::{FeedTrigger, FeedTriggers};
use crate::schema::View;
use crate::sql::text::{Sql, ident, literal};

/// How long changes are kept, unless a feed says otherwise.
pub(crate) const KEPT: Duration = Duration::from_secs(600);

/// How long changes are kept for a sink that does not run.
const SINK_KEEPS: &str = "7 days";

/// The channel of notifications. The payload is the schema of the tables.
pub(crate) const CHANNEL: &str = "fraiseql_feed";

/// The most rows that a look reads. If there are more, everything counts as changed.
pub(crate) const MAX_ROWS: usize = 2_000;

/// The feed of a read model.
#[derive(Debug)]
pub(crate) struct ModelFeed {
    pub(crate) sql: FeedSql,
    /// Those of each view table.
    pub(crate) triggers: Vec<FeedTriggers>,
}

impl ModelFeed {
    /// Composes the feed of these views, in a schema.
    pub(crate) fn compose(
        views: impl Iterator<Item = &'static View>,
        schema: &'static str,
    ) -> Self {
        let sql = FeedSql::compose(schema);
        Self {
            triggers: views.map(|view| feed_triggers(view, &sql)).collect(),
            sql,
        }
    }
}

/// The statements of the readers of one schema.
#[derive(Clone, Debug)]
pub(crate) struct FeedSql {
    pub(crate) schema: &'static str,
    /// The tables, quoted and with their schema.
    pub(crate) changes: String,
    pub(crate) state: String,
    /// Notes that the reader `$1` sleeps for `$2` seconds.
    pub(crate) sleep: String,
    /// Notes that the reader `$1` is awake or gone.
    pub(crate) wake: String,
    /// Deletes the changes that are older than `$1` seconds, at the latest after twice that time.
    pub(crate) prune: String,
}

impl FeedSql {
    pub(crate) fn compose(schema: &'static str) -> Self {
        let changes = format!("{}.{}", ident(schema), ident(CHANGES));
        let state = format!("{}.{}", ident(schema), ident(STATE));
        Self {
            schema,
            sleep: sleep(&state),
            wake: format!("DELETE FROM {state} AS f WHERE f.name = $1"),
            prune: prune(&changes, &state),
            changes,
            state,
        }
    }

    /// What has changed since a look: since the snapshot `(end, open)`. Without one, where a reader begins.
    ///
    /// The values are in the text, as in [`QueueSql::probe`](crate::sql::queue::QueueSql::probe): a message without
    /// parameters is one round trip, is planned for the table as it is now, and prepares nothing.
    pub(crate) fn look(&self, since: Option<(u64, &[u64])>) -> String {
        let Some(since) = since else {
            return self.looking("NULL::text");
        };
        let mut changes = Sql::new();
        changes.block("(", ")", |sql| {
            sql.line(
                "SELECT pg_catalog.json_agg(pg_catalog.json_build_array(x.\"table\", x.keys, x.tenants))::text",
            );
            sql.block("FROM (", ") AS x", |sql| {
                sql.line("SELECT c.\"table\", c.keys, c.tenants");
                sql.line(format!("FROM {} AS c", self.changes));
                sql.line(format!("WHERE {}", is_new("c", since)));
                sql.line(format!("LIMIT {}", MAX_ROWS + 1));
            });
        });
        self.looking(&changes.finish())
    }

    /// The statement of a look.
    fn looking(&self, changes: &str) -> String {
        let mut sql = Sql::new();
        sql.line("SELECT");
        sql.block_list([
            "pg_catalog.pg_current_snapshot()::text AS snapshot".to_owned(),
            "pg_catalog.pg_postmaster_start_time()::text AS server".to_owned(),
            format!(
                "(SELECT f.pruned::text FROM {} AS f WHERE f.name = '') AS pruned",
                self.state
            ),
            format!("{changes} AS changes"),
        ]);
        sql.finish()
    }

    /// Sends a notification, as writers do.
    pub(crate) fn notification(&self) -> String {
        format!(
            "SELECT pg_catalog.pg_notify({}, {})",
            literal(CHANNEL),
            literal(self.schema)
        )
    }
}

/// The id of a transaction that begins now, and that is greater than those of all before.
pub(crate) const LATER_TRANSACTION: &str = "SELECT pg_catalog.pg_current_xact_id()::text";

/// The columns of [`FeedSql::look`].
pub(crate) mod look_row {
    /// The snapshot of the statement.
    pub(crate) const SNAPSHOT: usize = 0;
    /// When the server was started, which tells it from another one.
    pub(crate) const SERVER: usize = 1;
    /// The changes of transactions before this one may be deleted. Null if none was.
    pub(crate) const PRUNED: usize = 2;
    /// A JSON array of `[table, keys, tenants]`. Null if nothing has changed.
    pub(crate) const CHANGES: usize = 3;
}

/// The condition that a change was not seen by a snapshot.
fn is_new(row: &str, (end, open): (u64, &[u64])) -> String {
    let mut list = String::new();
    for (index, xid) in open.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(list, "{comma}{xid}");
    }
    format!("{row}.xid >= '{end}'::xid8 OR {row}.xid = ANY ('{{{list}}}'::xid8[])")
}

fn sleep(state: &str) -> String {
    let mut sql = Sql::new();
    sql.line(format!("INSERT INTO {state} AS f (name, sleeps_until)"));
    sql.line("VALUES ($1, pg_catalog.clock_timestamp() + $2::float8 * interval '1 s')");
    sql.line("ON CONFLICT (name) DO UPDATE SET sleeps_until = EXCLUDED.sleeps_until");
    sql.finish()
}

/// Readers that were killed while they slept are deleted with the changes.
fn prune(changes: &str, state: &str) -> String {
    let mut sql = Sql::new();
    sql.block("WITH gone AS (", "),", |sql| {
        sql.line(format!("DELETE FROM {state} AS f"));
        sql.line("WHERE f.sleeps_until < pg_catalog.clock_timestamp() - interval '1 h'");
    });
    sql.block("due AS (", ")", |sql| {
        sql.line(format!("INSERT INTO {state} AS f (name, mark, marked_at)"));
        sql.line(
            "VALUES ('', pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()), pg_catalog.clock_timestamp())",
        );
        sql.line("ON CONFLICT (name) DO UPDATE");
        sql.line("SET mark = EXCLUDED.mark, marked_at = EXCLUDED.marked_at, pruned = LEAST(f.mark, (");
    sql.line("  SELECT pg_catalog.pg_snapshot_xmin(s.position::pg_catalog.pg_snapshot)");
    sql.line(format!("  FROM {state} AS s"));
    sql.line(format!(
        "  WHERE s.position IS NOT NULL AND s.held_until > pg_catalog.clock_timestamp() - interval '{SINK_KEEPS}'"
    ));
    sql.line("  ORDER BY 1");
    sql.line("  LIMIT 1");
    sql.line("))");
        sql.line(
            "WHERE f.marked_at < pg_catalog.clock_timestamp() - $1::float8 * interval '1 s'",
        );
        sql.line("RETURNING f.pruned");
    });
    sql.line(format!("DELETE FROM {changes} AS c"));
    sql.line("USING due AS d");
    sql.line("WHERE c.xid < d.pruned");
    sql.finish()
}

/// A time in seconds, as a parameter.
pub(crate) fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
