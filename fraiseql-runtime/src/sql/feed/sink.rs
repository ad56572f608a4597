//! The statements of a sink: its row in the table of readers, and what has changed since.
//!
//! One process at a time runs a sink: it holds its row for some time, which each step prolongs. A step of a process that has
//! lost it changes nothing.

use crate::sql::feed::{FeedSql, is_new};
use crate::sql::text::Sql;

/// The most documents that one look finds. If there are more, all documents are passed on again.
pub(crate) const MAX_SINK_KEYS: usize = 100_000;

/// The statements of the sinks of one schema. `$1` of each is the name of the sink, `$2` that of the process.
#[derive(Clone, Debug)]
pub(crate) struct SinkSql {
    /// Holds the row for `$3` seconds, if nobody else does.
    pub(crate) hold: String,
    /// A new version, for the documents that are read after it.
    pub(crate) version: String,
    /// Begins a pass over all documents: the position after it is `$3`, on the server `$4`.
    pub(crate) begin_pass: String,
    /// The pass is at `$3`.
    pub(crate) advance_pass: String,
    /// The pass has ended.
    pub(crate) end_pass: String,
    /// The position is `$3`.
    pub(crate) advance: String,
    /// Lets the row go.
    pub(crate) release: String,
    /// Deletes the row, of any process.
    pub(crate) forget: String,
}

impl SinkSql {
    pub(crate) fn compose(feed: &FeedSql) -> Self {
        let state = &feed.state;
        let update = |set: &str, returning: &str| {
            let mut sql = Sql::new();
            sql.line(format!("UPDATE {state} AS f"));
            sql.line(format!("SET {set}"));
            sql.line("WHERE f.name = $1 AND f.held_by = $2");
            if !returning.is_empty() {
                sql.line(format!("RETURNING {returning}"));
            }
            sql.finish()
        };
        Self {
            hold: hold(state),
            version: update("version = f.version + 1", "f.version"),
            begin_pass: update(
                "position = $3, server = $4, pass = '', version = f.version + 1, pass_version = f.version + 1",
                "",
            ),
            advance_pass: update("pass = $3", ""),
            end_pass: update("pass = NULL, pass_version = NULL", ""),
            advance: update("position = $3", ""),
            release: update("held_by = NULL", ""),
            forget: format!("DELETE FROM {state} AS f WHERE f.name = $1"),
        }
    }
}

/// The columns of [`SinkSql::hold`].
pub(crate) mod sink_row {
    pub(crate) const POSITION: usize = 0;
    pub(crate) const SERVER: usize = 1;
    pub(crate) const PASS: usize = 2;
    pub(crate) const PASS_VERSION: usize = 3;
}

fn hold(state: &str) -> String {
    let mut sql = Sql::new();
    sql.line(format!(
        "INSERT INTO {state} AS f (name, held_by, held_until)"
    ));
    sql.line("VALUES ($1, $2, pg_catalog.clock_timestamp() + $3::float8 * interval '1 s')");
    sql.line("ON CONFLICT (name) DO UPDATE");
    sql.line("SET held_by = EXCLUDED.held_by, held_until = EXCLUDED.held_until");
    sql.line("WHERE f.held_by IS NULL OR f.held_by = EXCLUDED.held_by");
    sql.line("  OR f.held_until < pg_catalog.clock_timestamp()");
    sql.line("RETURNING f.position, f.server, f.pass, f.pass_version");
    sql.finish()
}

impl FeedSql {
    /// Which documents have changed since a snapshot, each once. The columns are those of [`look`](Self::look), but the
    /// changes are a JSON array of `[table, key]`; a null key stands for the whole view.
    pub(crate) fn sink_look(&self, since: (u64, &[u64])) -> String {
        let mut changes = Sql::new();
        changes.block("(", ")", |sql| {
            sql.line(
                "SELECT pg_catalog.json_agg(pg_catalog.json_build_array(x.\"table\", x.key))::text",
            );
            sql.block("FROM (", ") AS x", |sql| {
                sql.line("SELECT DISTINCT c.\"table\", k.key");
                sql.line(format!("FROM {} AS c", self.changes));
                sql.line("LEFT JOIN LATERAL pg_catalog.unnest(c.keys) AS k (key) ON true");
                sql.line(format!("WHERE {}", is_new("c", since)));
                sql.line(format!("LIMIT {}", MAX_SINK_KEYS + 1));
            });
        });
        self.looking(&changes.finish())
    }
}
