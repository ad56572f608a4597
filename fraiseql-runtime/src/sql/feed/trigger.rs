//! `fraiseql_feed_post_..`: the trigger function of one view table, and its triggers.
//!
//! It runs in the transaction of whoever writes documents, with the privileges of its owner and its own `search_path`.
//!
//! Statement triggers note the keys of the rows as they are afterwards. A document whose key or tenant was changed, which no
//! sync does to a key, was one of another key or tenant before: a row trigger, which runs for such rows only, notes that.

use crate::schema::View;
use crate::sql::capture::Event;
use crate::sql::feed::{CHANNEL, FeedSql};
use crate::sql::function::{FunctionDdl, FunctionText};
use crate::sql::hash::fnv1a;
use crate::sql::text::{Sql, column, ident, literal};

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

/// One of the triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FeedTrigger {
    /// For each statement.
    Statement(Event),
    /// For each row whose key or tenant an UPDATE changes.
    Moved,
}

impl FeedTrigger {
    pub(crate) const ALL: [Self; 5] = [
        Self::Statement(Event::Insert),
        Self::Statement(Event::Update),
        Self::Statement(Event::Delete),
        Self::Statement(Event::Truncate),
        Self::Moved,
    ];

    /// The bits of `pg_trigger.tgtype`.
    pub(crate) const fn catalog_type(self) -> i16 {
        match self {
            Self::Statement(event) => event.catalog_type(),
            Self::Moved => Event::Update.catalog_type() | 1,
        }
    }

    /// The transition tables, before and after. An UPDATE needs only the rows after it.
    pub(crate) const fn transition_tables(self) -> (Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Statement(Event::Update) => (None, Event::Update.transition_tables().1),
            Self::Statement(event) => event.transition_tables(),
            Self::Moved => (None, None),
        }
    }
}

impl FeedTriggers {
    /// The name of a trigger.
    pub(crate) fn name(&self, trigger: FeedTrigger) -> String {
        let what = match trigger {
            FeedTrigger::Statement(event) => event.operation().to_lowercase(),
            FeedTrigger::Moved => "moved".to_owned(),
        };
        format!("fraiseql_feed_{what}_{}", self.suffix)
    }

    /// Creates a trigger, or replaces it.
    pub(crate) fn create(&self, trigger: FeedTrigger) -> String {
        let view = self.view;
        let mut sql = Sql::new();
        sql.line(format!(
            "CREATE OR REPLACE TRIGGER {}",
            ident(&self.name(trigger))
        ));
        let event = match trigger {
            FeedTrigger::Statement(event) => event,
            FeedTrigger::Moved => Event::Update,
        };
        sql.line(format!("AFTER {} ON {}", event.operation(), view.table));
        match trigger.transition_tables() {
            (Some(rows), _) => sql.line(format!("REFERENCING OLD TABLE AS {rows}")),
            (None, Some(rows)) => sql.line(format!("REFERENCING NEW TABLE AS {rows}")),
            (None, None) => {}
        }
        match trigger {
            FeedTrigger::Statement(_) => sql.line("FOR EACH STATEMENT"),
            FeedTrigger::Moved => {
                sql.line("FOR EACH ROW");
                let of = |row: &str| format!("({})", columns(view, row).join(", "));
                sql.line(format!(
                    "WHEN ({} IS DISTINCT FROM {})",
                    of("OLD"),
                    of("NEW")
                ));
            }
        }
        sql.line(format!("EXECUTE FUNCTION {}()", self.function.qualified()));
        sql.finish()
    }
}

/// The columns of the key, and that of the tenant.
fn columns(view: &View, row: &str) -> Vec<String> {
    let key = view.key_columns();
    let tenant = view.tenant.map(|tenant| tenant.column);
    let tenant = tenant.filter(|tenant| !key.contains(tenant));
    let all = key.iter().copied().chain(tenant);
    all.map(|name| column(row, name)).collect()
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
        sql.line("IF TG_LEVEL = 'ROW' THEN");
        sql.indented(|sql| {
            let (key, tenant) = values(view, "OLD");
            let tenant = tenant.map_or_else(|| "NULL".to_owned(), |it| format!("ARRAY[{it}]"));
            sql.line(insert(feed));
            sql.line(format!("VALUES ({}, ARRAY[{key}], {tenant});", table(view)));
        });
        for event in Event::ALL {
            sql.line(format!("ELSIF TG_OP = '{}' THEN", event.operation()));
            sql.indented(|sql| {
                let (old, new) = FeedTrigger::Statement(event).transition_tables();
                match old.or(new) {
                    Some(rows) => note(sql, view, feed, rows),
                    None => {
                        sql.line(insert(feed));
                        sql.line(format!("VALUES ({}, NULL, NULL);", table(view)));
                    }
                }
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

/// The key and the tenant of a row, as texts.
fn values(view: &View, row: &str) -> (String, Option<String>) {
    let key = format!("{}::text", view.stored_key(row).value());
    let tenant = view.tenant;
    let tenant = tenant.map(|tenant| format!("{}::text", column(row, tenant.column)));
    (key, tenant)
}

/// Inserts a change of the documents in a transition table, if there are any.
fn note(sql: &mut Sql, view: &View, feed: &FeedSql, rows: &str) {
    let (key, tenant) = values(view, "x");
    let at_most =
        |value: String| format!("CASE WHEN count(*) <= {MAX_KEYS} THEN array_agg({value}) END");
    sql.line(insert(feed));
    sql.line(format!(
        "SELECT {}, {}, {}",
        table(view),
        at_most(key),
        tenant.map_or_else(|| "NULL::text[]".to_owned(), at_most)
    ));
    sql.line(format!("FROM {rows} AS x"));
    sql.line("HAVING count(*) > 0;");
}
