//! `Failure`: the errors that a recorder can be set to return.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use sqlx::error::{DatabaseError, ErrorKind};

use crate::error::{Error, Operation};
use crate::schema::key::Keys;
use crate::view::Handle;

/// An error that a [`Recorder`](crate::Recorder) can be set to return, as a database would.
///
/// ```
/// use fraiseql_runtime::{Failure, Recorder, TView};
///
/// #[derive(TView)]
/// struct Post { id: i64 }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let recorder = Recorder::new();
/// recorder.fail_next(Failure::Serialization);
/// recorder.fail_next(Failure::database("57014", "canceling statement due to statement timeout"));
///
/// assert!(sync_post(&recorder, &[7]).await.unwrap_err().is_retryable());
/// assert_eq!(
///     sync_post(&recorder, &[7]).await.unwrap_err().to_string(),
///     r#"syncing "public"."tv_post": error returned from database: canceling statement due to statement timeout"#
/// );
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// A deadlock (40P01). It is [retryable](Error::is_retryable); on a pool, it was retried before.
    Deadlock,
    /// A serialization failure (40001). It is retryable.
    Serialization,
    /// [`Error::Contended`]. It is retryable.
    Contended,
    /// [`Error::RepeatableRead`].
    RepeatableRead,
    /// A lost connection.
    ConnectionLost,
    /// The timeout of a pool without free connections.
    PoolTimedOut,
    /// Another error of the server.
    Database {
        /// The SQLSTATE, five characters: `57014`.
        code: Cow<'static, str>,
        /// The message.
        message: Cow<'static, str>,
    },
}

impl Failure {
    /// An error of the server with this SQLSTATE and message.
    pub fn database(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Database {
            code: code.into(),
            message: message.into(),
        }
    }

    /// The error that a sync, or a deletion, of `keys` returns.
    pub(crate) fn error(&self, view: Handle, deletes: bool, keys: &Keys) -> Error {
        let table = view.view.table;
        let operation = if deletes {
            Operation::Delete
        } else {
            Operation::Sync
        };
        let server = |code: &Cow<'static, str>, message: &Cow<'static, str>| {
            sqlx::Error::Database(Box::new(Injected {
                code: code.clone(),
                message: message.clone(),
            }))
        };
        let source = match self {
            Self::Deadlock => server(&"40P01".into(), &"deadlock detected".into()),
            Self::Serialization => server(
                &"40001".into(),
                &"could not serialize access due to concurrent update".into(),
            ),
            Self::Contended => {
                return Error::Contended {
                    view: table.to_string(),
                    keys: keys.clone(),
                };
            }
            Self::RepeatableRead => return Error::RepeatableRead,
            Self::ConnectionLost => sqlx::Error::Io(std::io::Error::new(
                std::io::ErrorKind::ConnectionReset,
                "connection reset by peer",
            )),
            Self::PoolTimedOut => {
                let failed = Error::database(Operation::AcquireConnection("sync"));
                return failed(sqlx::Error::PoolTimedOut);
            }
            Self::Database { code, message } => server(code, message),
        };
        Error::on_table(operation, table)(source)
    }
}

/// A database error without a database.
#[derive(Debug)]
struct Injected {
    code: Cow<'static, str>,
    message: Cow<'static, str>,
}

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Injected {}

impl DatabaseError for Injected {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(&self.code))
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        match &*self.code {
            "23505" => ErrorKind::UniqueViolation,
            "23503" => ErrorKind::ForeignKeyViolation,
            "23502" => ErrorKind::NotNullViolation,
            "23514" => ErrorKind::CheckViolation,
            _ => ErrorKind::Other,
        }
    }
}
