//! Classification of errors: which can be retried, and what they are about.

use std::borrow::Cow;

use sqlx::postgres::PgDatabaseError;

use crate::error::sqlstate;
use crate::error::sqlstate::{
    CONTENDED, DUPLICATE_OBJECT, FEATURE_NOT_SUPPORTED, INSUFFICIENT_PRIVILEGE,
    INVALID_SCHEMA_NAME, LOCK_NOT_AVAILABLE, READ_ONLY_SQL_TRANSACTION, UNDEFINED_COLUMN,
    UNDEFINED_FUNCTION, UNDEFINED_TABLE, UNIQUE_VIOLATION, WRONG_OBJECT_TYPE,
};
use crate::error::variants::Error;

impl Error {
    /// Whether the same call can succeed when its transaction is run again: it met a
    /// deadlock (40P01) or a serialization failure (40001), or a mutation found no second connection.
    ///
    /// Calls on a pool are run again automatically. Inside a transaction the caller must begin a
    /// new one.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Contended { .. } | Self::NoSecondConnection { .. } => true,
            Self::Database { source, .. } => Self::is_retryable_of(source),
            _ => false,
        }
    }

    /// [`is_retryable`](Self::is_retryable) of an error of sqlx.
    pub(crate) fn is_retryable_of(error: &sqlx::Error) -> bool {
        let code = error.as_database_error().and_then(|error| error.code());
        code.is_some_and(|code| sqlstate::is_retryable(&code))
    }

    /// [`is_retryable`](Self::is_retryable) of an SQLSTATE.
    pub(crate) fn is_retryable_code(code: &str) -> bool {
        sqlstate::is_retryable(code)
    }

    /// Whether the error is about the values of a document, and not about the statement, the
    /// session or the server: without that document, the rest of a batch can be written.
    pub(crate) fn is_about_values(&self) -> bool {
        self.code()
            .is_some_and(|code| sqlstate::is_about_values(&code))
    }

    /// Whether the server refused the text of a statement, and said at which position: a name that
    /// it does not find, or a constant that it cannot read.
    pub(crate) fn is_about_text(&self) -> bool {
        let Self::Database { source, .. } = self else {
            return false;
        };
        source
            .as_database_error()
            .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
            .is_some_and(|error| error.position().is_some())
    }

    /// Whether rows cannot be locked, because a privilege is missing.
    pub(crate) fn is_about_locking(&self) -> bool {
        self.code()
            .is_some_and(|code| code == INSUFFICIENT_PRIVILEGE)
    }

    /// Whether a relation has no rows that can be locked: a materialized view, or a view with GROUP
    /// BY or the like.
    pub(crate) fn is_about_lockable_rows(&self) -> bool {
        self.code()
            .is_some_and(|code| matches!(&*code, FEATURE_NOT_SUPPORTED | WRONG_OBJECT_TYPE))
    }

    /// Whether a function of this crate could not do its work, or met something of the database that the statements
    /// handle by other ones: a relation whose rows cannot be locked, a privilege to lock rows, the function
    /// itself.
    pub(crate) fn is_about_functions(&self) -> bool {
        self.code().is_some_and(|code| {
            matches!(
                &*code,
                INSUFFICIENT_PRIVILEGE
                    | UNDEFINED_FUNCTION
                    // The rows of a view cannot be locked, or have no `xmax`.
                    | WRONG_OBJECT_TYPE
                    | FEATURE_NOT_SUPPORTED
                    | UNDEFINED_COLUMN
                    | CONTENDED
            )
        })
    }

    /// Whether a lock was not available before `lock_timeout`.
    pub(crate) fn is_lock_timeout(&self) -> bool {
        self.code().is_some_and(|code| code == LOCK_NOT_AVAILABLE)
    }

    /// Whether an object of the same name exists, which is not a table.
    pub(crate) fn is_duplicate_object(&self) -> bool {
        self.code().is_some_and(|code| code == DUPLICATE_OBJECT)
    }

    /// Whether the role, or the read-only transaction, may not run the statement.
    pub(crate) fn is_not_permitted(&self) -> bool {
        self.code().is_some_and(|code| {
            matches!(&*code, INSUFFICIENT_PRIVILEGE | READ_ONLY_SQL_TRANSACTION)
        })
    }

    /// Whether the database lacks what `migrate` creates, or this role may not use it.
    pub(crate) fn is_not_migrated(&self) -> bool {
        self.code().is_some_and(|code| {
            matches!(
                &*code,
                UNDEFINED_FUNCTION | UNDEFINED_TABLE | INVALID_SCHEMA_NAME | INSUFFICIENT_PRIVILEGE
            )
        })
    }

    /// Whether the server closed the connection, or it broke.
    pub(crate) fn is_lost_connection(&self) -> bool {
        let Self::Database { source, .. } = self else {
            return false;
        };
        matches!(source, sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed)
            || self
                .code()
                .is_some_and(|code| sqlstate::is_lost_connection(&code))
    }

    /// Whether another document has the same value in a `unique` column.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.code().is_some_and(|code| code == UNIQUE_VIOLATION)
    }

    /// The SQLSTATE of the database's error.
    pub(crate) fn code(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Database { source, .. } => source.as_database_error()?.code(),
            _ => None,
        }
    }
}
