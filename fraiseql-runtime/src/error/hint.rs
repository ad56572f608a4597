//! The message of a database error, with advice.
//!
//! Servers write their messages in many languages. Only names of tables and columns are looked
//! for in a message, never words.

use std::fmt;

use crate::error::operation::Operation;
use crate::error::sqlstate::{
    DATATYPE_MISMATCH, DUPLICATE_PREPARED_STATEMENT, INVALID_SCHEMA_NAME,
    INVALID_SQL_STATEMENT_NAME, UNDEFINED_COLUMN, UNDEFINED_FUNCTION, UNDEFINED_TABLE,
};
use crate::schema::TableName;

/// The operation, the message of the database, and the advice if there is any.
pub(super) fn message(
    operation: &Operation,
    table: Option<&TableName>,
    source: &sqlx::Error,
) -> String {
    let attempt = Attempt { operation, table };
    let cause = match source {
        // The `Display` of sqlx adds a line number, which is a line of PostgreSQL's source code.
        sqlx::Error::Database(error) => {
            format!("error returned from database: {}", error.message())
        }
        other => other.to_string(),
    };
    match advice(operation, table, source) {
        Some(advice) => format!("{attempt}: {cause}; {advice}"),
        None => format!("{attempt}: {cause}"),
    }
}

/// An operation with its table.
struct Attempt<'a> {
    operation: &'a Operation,
    table: Option<&'a TableName>,
}

impl fmt::Display for Attempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.table.map(|table| table as &dyn fmt::Display);
        self.operation.write(f, table)
    }
}

/// sqlx prepares each statement once for each connection, so that neither can happen without a pooler.
const POOLER: &str = "a pooler sends this connection's statements to several sessions and does not \
    prepare them there: PgBouncer does so from 1.21 on, with `max_prepared_statements`; see \
    `fraiseql_runtime::guide::poolers`";
const MIGRATE: &str = "run ReadModel::migrate";
const CHECK: &str = "run ReadModel::check to see what does not fit";
const EITHER: &str =
    "run ReadModel::check to see what is missing; ReadModel::migrate creates view tables";

fn advice(
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
    let code = error.code()?;
    if matches!(
        &*code,
        DUPLICATE_PREPARED_STATEMENT | INVALID_SQL_STATEMENT_NAME
    ) {
        return Some(POOLER);
    }
    // A caller that migrates or checks needs no advice to do so.
    if matches!(
        operation,
        Operation::Migrate | Operation::PlanMigration | Operation::Create(_) | Operation::Check
    ) {
        return None;
    }
    let is_of_worker = matches!(
        operation,
        Operation::FindChanges | Operation::Drain | Operation::Changes | Operation::LeaveDocuments
    );
    if is_of_worker && matches!(&*code, UNDEFINED_TABLE | UNDEFINED_FUNCTION) {
        return Some(MIGRATE);
    }
    let TableName { schema, name } = table?;
    let message = error.message();
    // The table of this operation is the base table. Its statement reads the view table, too, so
    // either of the two can be the one that is missing.
    let is_base_table = *operation == Operation::ReadKeys;
    match &*code {
        UNDEFINED_TABLE => {
            let is_named = mentions(message, &format!("{schema}.{name}"));
            Some(match (is_named, is_base_table) {
                (true, false) => MIGRATE,
                (false, true) => EITHER,
                _ => CHECK,
            })
        }
        // The alias of the view table is `v` in every statement, and no other table has it.
        UNDEFINED_COLUMN
            if !is_base_table && (mentions(message, name) || mentions(message, "v.")) =>
        {
            Some(MIGRATE)
        }
        // A column of the wrong type leads to UNDEFINED_FUNCTION (an operator that does not exist
        // for the two types) or DATATYPE_MISMATCH.
        UNDEFINED_COLUMN | UNDEFINED_FUNCTION | DATATYPE_MISMATCH | INVALID_SCHEMA_NAME => {
            Some(CHECK)
        }
        _ => None,
    }
}

/// Whether a message contains a name as a whole word.
fn mentions(message: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    // An alias with its dot is a prefix: a column follows it.
    let is_prefix = name.ends_with('.');
    message.match_indices(name).any(|(at, _)| {
        let before = message[..at].chars().next_back();
        let after = message[at + name.len()..].chars().next();
        !before.is_some_and(is_word) && (is_prefix || !after.is_some_and(is_word))
    })
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_name_is_found_as_a_whole_word_in_any_language() {
        let german = "Relation \u{bb}public.tv_post\u{ab} existiert nicht";
        assert!(mentions(german, "public.tv_post"));
        assert!(!mentions(
            "relation \"public.tv_posts\" is not",
            "public.tv_post"
        ));
        assert!(!mentions(
            "relation \"my_public.tv_post\" is not",
            "public.tv_post"
        ));
        assert!(mentions("column v.title does not exist", "v."));
        assert!(!mentions("column rev.title does not exist", "v."));
    }
}
