//! The triggers that call the trigger functions.

use crate::schema::TableName;
use crate::sql::function::FunctionDdl;
use crate::sql::hash::fnv1a;
use crate::sql::text::{Sql, ident};

/// The names of the transition tables.
pub(super) const OLD_ROWS: &str = "fraiseql_old";
pub(super) const NEW_ROWS: &str = "fraiseql_new";

/// What a trigger is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Insert,
    Update,
    Delete,
    Truncate,
}

impl Event {
    pub(crate) const ALL: [Self; 4] = [Self::Insert, Self::Update, Self::Delete, Self::Truncate];

    /// As in `TG_OP`, and in the change table.
    pub(crate) const fn operation(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Truncate => "TRUNCATE",
        }
    }

    /// The bits of `pg_trigger.tgtype` of a statement trigger that runs after the statement.
    pub(crate) const fn catalog_type(self) -> i16 {
        match self {
            Self::Insert => 1 << 2,
            Self::Delete => 1 << 3,
            Self::Update => 1 << 4,
            Self::Truncate => 1 << 5,
        }
    }

    /// The transition tables, before and after.
    pub(crate) const fn transition_tables(self) -> (Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Insert => (None, Some(NEW_ROWS)),
            Self::Update => (Some(OLD_ROWS), Some(NEW_ROWS)),
            Self::Delete => (Some(OLD_ROWS), None),
            Self::Truncate => (None, None),
        }
    }
}

/// The name of a trigger: `fraiseql_insert_<model>`. A relation can have triggers of several base tables of one read
/// model: a partition of one can be another.
pub(crate) fn trigger_name(event: Event, suffix: &str, of_another: Option<&str>) -> String {
    let event = event.operation().to_lowercase();
    match of_another {
        None => format!("fraiseql_{event}_{suffix}"),
        Some(table) => format!(
            "fraiseql_{event}_{:08x}_{suffix}",
            fnv1a(table) & 0xffff_ffff
        ),
    }
}

/// Creates a trigger, or replaces it.
pub(crate) fn create_trigger(
    name: &str,
    event: Event,
    relation: &TableName,
    function: &FunctionDdl,
) -> String {
    let mut sql = Sql::new();
    sql.line(format!("CREATE OR REPLACE TRIGGER {}", ident(name)));
    sql.line(format!("AFTER {} ON {relation}", event.operation()));
    let (old, new) = event.transition_tables();
    let tables: Vec<String> = [("OLD", old), ("NEW", new)]
        .into_iter()
        .filter_map(|(image, table)| Some(format!("{image} TABLE AS {}", table?)))
        .collect();
    if !tables.is_empty() {
        sql.line(format!("REFERENCING {}", tables.join(" ")));
    }
    sql.line("FOR EACH STATEMENT");
    sql.line(format!("EXECUTE FUNCTION {}()", function.qualified()));
    sql.finish()
}
