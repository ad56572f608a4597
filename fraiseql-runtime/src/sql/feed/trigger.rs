//! `fraiseql_feed_post_..`: the trigger function of one view table, and its triggers.
//!
//! It runs in the transaction of whoever writes documents, with the privileges of its owner and its own `search_path`.

use crate::schema::{TableName, View};
use crate::sql::capture::{Event, create_trigger};
use crate::sql::feed::{CHANNEL, FeedSql};
use crate::sql::function::{FunctionDdl, FunctionText};
use crate::sql::hash::fnv1a;
use crate::sql::text::{Sql, column, literal};

/// The most documents that a change names. One of more stands for the whole view.
const MAX_KEYS: u32 = 10_000;

/// The triggers of one view table.
#[derive(Debug)]
pub(crate) struct FeedTriggers {
    pub(crate) view: &'static View,
    /// The function that they call.
    pub(crate) function: FunctionDdl,
    /// The end of their names, and of that of the function: the feeds of read models in several schemas have triggers
    /// of their own on a view table that they share.
    pub(crate) suffix: String,
}

impl FeedTriggers {
    /// The name of the trigger for an event.
    pub(crate) fn name(&self, event: Event) -> String {
        format!(
            "fraiseql_feed_{}_{}",
            event.operation().to_lowercase(),
            self.suffix
        )
    }

    /// Creates the trigger for an event, or replaces it.
    pub(crate) fn create(&self, event: Event) -> String {
        let relation = TableName::from(self.view.table);
        create_trigger(&self.name(event), event, &relation, &self.function)
    }
}

/// Composes the triggers of a view table, which write to the tables of `feed`.
pub(crate) fn feed_triggers(view: &'static View, feed: &FeedSql) -> FeedTriggers {
    let suffix = format!("{:016x}", fnv1a(feed.schema));
    let stem = match view.table.schema == feed.schema {
        true => format!("feed_{}", view.table.name),
        false => format!("feed_{}_{:016x}", view.table.name, fnv1a(view.table.schema)),
    };
    let function = FunctionText {
        stem: &stem,
        schema: feed.schema,
        parameters: &[],
        returns: "RETURNS trigger".to_owned(),
        outputs: &[],
        definer: true,
        settings: vec!["search_path = pg_catalog, pg_temp".to_owned()],
        body: body(view, feed),
    };
    FeedTriggers {
        view,
        function: function.named(&suffix),
        suffix,
    }
}

fn body(view: &View, feed: &FeedSql) -> String {
    let mut sql = Sql::new();
    sql.line(format!(
        "-- Notes which documents of {} change.",
        view.table
    ));
    sql.block("BEGIN", "END", |sql| {
        for (event, word) in Event::ALL
            .into_iter()
            .zip(["IF", "ELSIF", "ELSIF", "ELSIF"])
        {
            sql.line(format!("{word} TG_OP = '{}' THEN", event.operation()));
            sql.indented(|sql| match event.transition_tables() {
                (None, None) => {
                    let insert = insert(feed);
                    sql.line(format!("{insert} VALUES ({}, NULL, NULL);", table(view)));
                }
                (Some(rows), None) | (None, Some(rows)) => {
                    note(sql, view, feed, &format!("FROM {rows} AS x"));
                }
                // Of a document whose key or tenant was changed by hand, both are noted.
                (Some(old), Some(new)) => note_both(sql, view, feed, old, new),
            });
        }
        sql.line("END IF;");
        // A transaction that does not see what was committed after its beginning may not see who sleeps.
        sql.line("IF FOUND AND (");
        sql.indented(|sql| {
            sql.line("current_setting('transaction_isolation') <> 'read committed'");
            sql.line(format!(
                "OR EXISTS (SELECT FROM {} AS f WHERE f.sleeps_until > clock_timestamp())",
                feed.state
            ));
        });
        sql.line(") THEN");
        sql.indented(|sql| {
            sql.line(format!(
                "PERFORM pg_notify({}, {});",
                literal(CHANNEL),
                literal(feed.schema)
            ));
        });
        sql.line("END IF;");
        sql.line("RETURN NULL;");
    });
    sql.finish()
}

fn table(view: &View) -> String {
    literal(&view.table.to_string())
}

fn insert(feed: &FeedSql) -> String {
    format!("INSERT INTO {} (\"table\", keys, tenants)", feed.changes)
}

/// Inserts a change of the documents in `from`, whose rows are `x`, if there are any.
fn note(sql: &mut Sql, view: &View, feed: &FeedSql, from: &str) {
    let key = format!("{}::text", view.stored_key("x").value());
    let tenant = view
        .tenant
        .map(|tenant| format!("{}::text", column("x", tenant.column)));
    aggregate(sql, view, feed, &key, tenant.as_deref(), from);
}

fn note_both(sql: &mut Sql, view: &View, feed: &FeedSql, old: &str, new: &str) {
    let key = view.stored_key("x").value();
    let tenant = view
        .tenant
        .map(|tenant| format!(", {}::text", column("x", tenant.column)))
        .unwrap_or_default();
    let of = |rows: &str| format!("SELECT {key}::text{tenant} FROM {rows} AS x");
    let columns = if view.tenant.is_some() {
        "key, tenant"
    } else {
        "key"
    };
    let from = format!("FROM ({} UNION {}) AS r ({columns})", of(old), of(new));
    let tenant = view.tenant.map(|_| "r.tenant");
    aggregate(sql, view, feed, "r.key", tenant, &from);
}

fn aggregate(
    sql: &mut Sql,
    view: &View,
    feed: &FeedSql,
    key: &str,
    tenant: Option<&str>,
    from: &str,
) {
    let at_most =
        |value: &str| format!("CASE WHEN count(*) <= {MAX_KEYS} THEN array_agg({value}) END");
    sql.line(insert(feed));
    sql.line(format!(
        "SELECT {}, {}, {}",
        table(view),
        at_most(key),
        tenant.map_or_else(|| "NULL::text[]".to_owned(), at_most)
    ));
    sql.line(from);
    sql.line("HAVING count(*) > 0;");
}
