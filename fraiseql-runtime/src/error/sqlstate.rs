//! Error codes of PostgreSQL (SQLSTATE) and their classification.
//!
//! Servers translate their messages; the codes are the same in every language and version. They
//! are listed in the PostgreSQL manual, appendix A, "PostgreSQL Error Codes"
//! (<https://www.postgresql.org/docs/current/errcodes-appendix.html>), under the names that the
//! constants have here. The first two characters are the class.

/// Class 0A, `feature_not_supported`: for instance FOR SHARE in a query with GROUP BY.
pub(super) const FEATURE_NOT_SUPPORTED: &str = "0A000";

/// Class 23, `unique_violation`.
pub(super) const UNIQUE_VIOLATION: &str = "23505";

/// Class 25, `read_only_sql_transaction`: a statement that writes, in a read-only transaction.
pub(super) const READ_ONLY_SQL_TRANSACTION: &str = "25006";

/// Class 26, `invalid_sql_statement_name`: a prepared statement does not exist in this session.
pub(super) const INVALID_SQL_STATEMENT_NAME: &str = "26000";

/// Class 3F, `invalid_schema_name`: the schema does not exist.
pub(super) const INVALID_SCHEMA_NAME: &str = "3F000";

/// Class 40, `serialization_failure`: the transaction conflicts with a concurrent one.
const SERIALIZATION_FAILURE: &str = "40001";

/// Class 40, `deadlock_detected`: PostgreSQL chose this transaction to end a deadlock.
const DEADLOCK_DETECTED: &str = "40P01";

/// Class 42, `insufficient_privilege`.
pub(crate) const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// Class 42, `undefined_column`.
pub(crate) const UNDEFINED_COLUMN: &str = "42703";

/// Class 42, `datatype_mismatch`: an expression has another type than its place requires.
pub(super) const DATATYPE_MISMATCH: &str = "42804";

/// Class 42, `wrong_object_type`: for instance a materialized view, whose rows cannot be locked.
pub(super) const WRONG_OBJECT_TYPE: &str = "42809";

/// Class 42, `undefined_function`: also an operator that does not exist for two types.
pub(super) const UNDEFINED_FUNCTION: &str = "42883";

/// Class 42, `duplicate_object`: for instance a trigger of the same name on the table.
pub(super) const DUPLICATE_OBJECT: &str = "42710";

/// Class 42, `duplicate_prepared_statement`: it exists already in this session.
pub(super) const DUPLICATE_PREPARED_STATEMENT: &str = "42P05";

/// Class 42, `undefined_table`.
pub(super) const UNDEFINED_TABLE: &str = "42P01";

/// Class 55, `lock_not_available`: `lock_timeout` expired, or NOWAIT did not get a lock.
pub(super) const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Raised by the functions of this crate: other transactions keep inserting and deleting documents.
pub(crate) const CONTENDED: &str = "TV001";

/// Whether an error of a function, a code and a message, is about locks of other transactions.
pub(crate) fn is_lock_conflict(error: &str) -> bool {
    [SERIALIZATION_FAILURE, DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE]
        .iter()
        .any(|code| error.starts_with(code))
}

/// Whether another run of the same transaction can succeed.
pub(super) fn is_retryable(code: &str) -> bool {
    matches!(code, SERIALIZATION_FAILURE | DEADLOCK_DETECTED)
}

/// Whether the server failed to run a statement, as opposed to rejecting it: the same statement
/// can succeed later, or on another server.
pub(crate) fn is_server_failure(code: &str) -> bool {
    const CLASSES: [&str; 6] = [
        "08", // Connection Exception
        "40", // Transaction Rollback: serialization failures and deadlocks
        "53", // Insufficient Resources: memory, disk space, connections
        "55", // Object Not In Prerequisite State: locks that are not available
        "57", // Operator Intervention: cancelled queries, shutdowns
        "58", // System Error: input and output
    ];
    CLASSES.iter().any(|class| code.starts_with(class))
}

/// Whether a statement was rejected for the values of a document: without that document, the
/// rest of its batch can be written.
pub(super) fn is_about_values(code: &str) -> bool {
    let is_of = |entry: &str| match entry.strip_suffix("000") {
        // The first code of a class stands for all of them.
        Some(class) if CLASSES_OF_VALUES.contains(&entry) => code.starts_with(class),
        _ => code == entry,
    };
    VALUE_ERRORS.into_iter().any(is_of)
}

/// The errors about the values of a document, as a function names them: the first code of a class is a condition
/// that all codes of that class meet.
pub(crate) const VALUE_ERRORS: [&str; 6] = [
    "22000", // Data Exception: a failed cast, a division by zero, text that jsonb cannot hold
    "23000", // Integrity Constraint Violation: unique, check, not null
    FEATURE_NOT_SUPPORTED, // also raised for values, such as NaN cast to an integer type
    "21000", // cardinality_violation: a sub-select that returns more than one row
    "54000", // program_limit_exceeded: a value too large for jsonb or for an index row
    "P0001", // raise_exception: RAISE in a function of the user
];

/// Those of [`VALUE_ERRORS`] that are classes.
const CLASSES_OF_VALUES: [&str; 2] = ["22000", "23000"];

/// Whether the server closed the session, or cannot be reached.
pub(super) fn is_lost_connection(code: &str) -> bool {
    code.starts_with("08") // Connection Exception
        // admin_shutdown, crash_shutdown, cannot_connect_now, idle_session_timeout. The rest of
        // class 57, such as query_canceled (57014), leaves the session usable.
        || code.starts_with("57P")
}

#[cfg(test)]
mod tests {
    use super::{is_about_values, is_lost_connection, is_retryable, is_server_failure};

    #[test]
    fn a_code_is_in_the_classes_of_the_manual() {
        // serialization_failure, deadlock_detected; statement_completion_unknown is neither.
        assert!(is_retryable("40001") && is_retryable("40P01") && !is_retryable("40003"));
        // division_by_zero, not_null_violation; undefined_column is about the statement.
        assert!(is_about_values("22012") && is_about_values("23502"));
        assert!(!is_about_values("42703"));
        // admin_shutdown ends the session, query_canceled does not.
        assert!(is_lost_connection("57P01") && !is_lost_connection("57014"));
        // disk_full is a failure, undefined_table a rejection.
        assert!(is_server_failure("53100") && !is_server_failure("42P01"));
    }
}
