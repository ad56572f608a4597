//! What can go wrong with a command, in words for who asked for it.

use uuid::Uuid;

/// Why a command was not done. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such row.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What was looked for: `post`.
        what: &'static str,
        /// Its key.
        id: Uuid,
    },
    /// Somebody else was faster.
    #[error(
        "post {id} was changed by somebody else: it is at version {stored}, you have read version \
         {read}. Read it again, and say what you want to change of that"
    )]
    Conflict {
        /// The post.
        id: Uuid,
        /// The version that it has.
        stored: i32,
        /// The version that was given.
        read: i32,
    },
    /// A name that must be unique is somebody else's.
    #[error("the {what} `{name}` is taken")]
    Taken {
        /// What is unique: `username`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A value that cannot be.
    #[error("{0}")]
    Invalid(String),
    /// The database, or a sync.
    #[error(transparent)]
    Sync(#[from] fraiseql_runtime::Error),
    /// A statement of the blog.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What a command answers.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Its name for programs, and whether it is made for clients.
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
