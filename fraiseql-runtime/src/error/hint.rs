//! The message of a database error, and what to do about it where the error tells.
//!
//! Servers write messages in many languages: only names are looked for in one, never words.

use std::fmt;

use crate::error::Operation;
use crate::schema::TableName;

/// The operation, the message of the database, and what to do.
pub(super) fn message(
    operation: &Operation,
    table: Option<&TableName>,
    source: &sqlx::Error,
) -> String {
    let doing = Doing(operation, table);
    let cause = match source {
        // sqlx adds a line number, which is one of PostgreSQL's own source.
        sqlx::Error::Database(error) => {
            format!("error returned from database: {}", error.message())
        }
        other => other.to_string(),
    };
    match hint(operation, table, source) {
        Some(hint) => format!("{doing}: {cause}; {hint}"),
        None => format!("{doing}: {cause}"),
    }
}

/// An operation with its table.
struct Doing<'a>(&'a Operation, Option<&'a TableName>);

impl fmt::Display for Doing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .write(f, self.1.map(|table| table as &dyn fmt::Display))
    }
}

const MIGRATE: &str = "run ReadModel::migrate";
const CHECK: &str = "run ReadModel::check to see what does not fit";
const EITHER: &str =
    "run ReadModel::check to see what is missing; ReadModel::migrate creates view tables";

fn hint(
    operation: &Operation,
    table: Option<&TableName>,
    source: &sqlx::Error,
) -> Option<&'static str> {
    let error = match source {
        sqlx::Error::PoolTimedOut => {
            return Some("if this task holds a transaction, pass `&mut tx`");
        }
        sqlx::Error::Database(error) => error,
        _ => return None,
    };
    // Who migrates or checks needs no advice to do so.
    if matches!(
        operation,
        Operation::Migrate | Operation::PlanMigration | Operation::Create(_) | Operation::Check
    ) {
        return None;
    }
    let TableName { schema, name } = table?;
    let message = error.message();
    // Here the table is the base table; its statement reads the view table, too.
    let of_base = *operation == Operation::ReadKeys;
    match &*error.code()? {
        // undefined_table
        "42P01" => Some(
            match (names(message, &format!("{schema}.{name}")), of_base) {
                (true, false) => MIGRATE,
                (false, true) => EITHER,
                _ => CHECK,
            },
        ),
        // undefined_column. The view table is always `v`, and nothing else is.
        "42703" if !of_base && (names(message, name) || names(message, "v.")) => Some(MIGRATE),
        // And what a column of another type leads to: undefined_function, datatype_mismatch.
        "42703" | "42883" | "42804" | "3F000" => Some(CHECK),
        _ => None,
    }
}

/// Whether a message has a name, and not only as a part of a longer one.
fn names(message: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let ends_open = name.ends_with('.');
    message.match_indices(name).any(|(at, _)| {
        let before = message[..at].chars().next_back();
        let after = message[at + name.len()..].chars().next();
        !before.is_some_and(is_word) && (ends_open || !after.is_some_and(is_word))
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_name_is_a_whole_one_in_any_language() {
        let german = "Relation \u{bb}public.tv_post\u{ab} existiert nicht";
        assert!(names(german, "public.tv_post"));
        assert!(!names(
            "relation \"public.tv_posts\" is not",
            "public.tv_post"
        ));
        assert!(!names(
            "relation \"my_public.tv_post\" is not",
            "public.tv_post"
        ));
        assert!(names("column v.title does not exist", "v."));
        assert!(!names("column rev.title does not exist", "v."));
    }
}
