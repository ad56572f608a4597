//! Errors of commands, with the codes that clients get.

use uuid::Uuid;

/// An error of a command, of which nothing was committed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The row does not exist.
    #[error("there is no {what} {id}")]
    NotFound {
        /// The kind of row, such as `post`.
        what: &'static str,
        /// Its key.
        id: Uuid,
    },
    /// Another client has changed the post.
    #[error(
        "post {id} was changed by another client: it is at version {stored}, you have read version \
         {read}. Read it again, and send the change with its version"
    )]
    Conflict {
        /// The post.
        id: Uuid,
        /// The version of the row.
        stored: i32,
        /// The version that the client sent.
        read: i32,
    },
    /// A unique name belongs to another row.
    #[error("the {what} `{name}` is taken")]
    Taken {
        /// The unique column, such as `username`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// An argument is invalid.
    #[error("{0}")]
    Invalid(String),
    /// A sync failed, or the transaction of a mutation.
    #[error(transparent)]
    Sync(#[from] fraiseql_runtime::Error),
    /// A statement of the blog failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The result of a command.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The code for clients; `None` if the error is only for the log.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { .. } => Some("NOT_FOUND"),
            Self::Conflict { .. } => Some("CONFLICT"),
            Self::Taken { .. } => Some("TAKEN"),
            Self::Invalid(_) => Some("BAD_USER_INPUT"),
            Self::Sync(_) | Self::Database(_) => None,
        }
    }
}
