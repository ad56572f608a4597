//! What can go wrong.

pub(crate) mod check_report;
mod hint;
pub(crate) mod invalid_document;
mod operation;

pub use self::invalid_document::InvalidDocument;
pub use self::operation::Operation;

use std::borrow::Cow;

use self::check_report::CheckReport;
use crate::schema::key::Keys;
use crate::schema::naming::did_you_mean;
use crate::schema::position::Position;
use crate::schema::{Table, TableName};

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a sync, a read or a migration failed.
///
/// Inside a transaction of yours, a deadlock or a serialization failure is yours to retry, from
/// the beginning of the transaction:
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
/// # migrate::<Post>(&pool).await;
/// loop {
///     let mut tx = pool.begin().await?;
///     sqlx::query("UPDATE tb_post SET title = 'Notes 2' WHERE id = 7").execute(&mut *tx).await?;
///     match sync_post(&mut tx, &[7]).await {
///         Ok(_) => break tx.commit().await?,
///         Err(error) if error.is_retryable() => tx.rollback().await?,
///         Err(error) => return Err(error.into()),
///     }
/// }
/// # assert_eq!(Post::find(&pool, 7).await?.unwrap().title, "Notes 2");
/// # Ok(()) }) }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database answered with an error, or could not be reached.
    ///
    /// Its text says what to do where that can be told: to run
    /// [`ReadModel::migrate`](crate::ReadModel::migrate) where the view table or a column of it
    /// is missing, to ask [`ReadModel::check`](crate::ReadModel::check) where something else is.
    #[error("{}", hint::message(operation, table.as_ref(), source))]
    Database {
        /// What was being done.
        operation: Operation,
        /// The table that it was about, if it was about one.
        table: Option<TableName>,
        /// The error of the database.
        source: sqlx::Error,
    },

    /// A stored document does not have the struct's shape.
    #[error(
        "document {key} of {view} cannot be read as the struct it was made for: {source}; \
         sync it again if the struct has changed since"
    )]
    Document {
        /// The view table.
        view: String,
        /// The document's key.
        key: String,
        /// Where the two differ.
        source: serde_json::Error,
    },

    /// Inside a transaction whose snapshot never moves, concurrent changes would be lost.
    #[error(
        "sync inside a REPEATABLE READ transaction would lose concurrent changes, because its \
         snapshot is older than they are; use READ COMMITTED (the default) or SERIALIZABLE, or \
         sync on the pool after the commit"
    )]
    RepeatableRead,

    /// Others created and deleted the same documents again and again while they were synced.
    #[error("{view}: the documents {keys} were written by others at every attempt; try again")]
    Contended {
        /// The view table.
        view: String,
        /// The keys.
        keys: Keys,
    },

    /// Documents could not be written, and the caller asked that this be an error; see
    /// [`SyncReport::ensure_valid`](crate::SyncReport::ensure_valid). Or they could not be built
    /// to be read, where what is stored has another shape.
    #[error("{}", list(documents))]
    Invalid {
        /// The documents. All others of the sync were written.
        documents: Vec<InvalidDocument>,
    },

    /// A full sync was told to go on at a position of a view with other keys.
    #[error("{position} is not a position of {view}: its keys are of another type")]
    Position {
        /// The view table.
        view: Table,
        /// The position.
        position: Position,
    },

    /// A verification was told to look at a share of the documents that is none.
    #[error(
        "sample({share}) is no share of the documents: it is a number from 0 to 1, such as 0.01 \
         for one of a hundred"
    )]
    Sample {
        /// What it was told.
        share: f64,
    },

    /// A read model has two indexes, or an index and a table, of one name in one schema.
    #[error(
        "`{first}` and `{second}` both make something called {name} in the database; give one of \
         the indexes another with name = \"..\", or one of the view tables with \
         #[tview(view = \"..\")]"
    )]
    DuplicateName {
        /// The name.
        name: String,
        /// The first struct.
        first: &'static str,
        /// The second struct.
        second: &'static str,
    },

    /// There is a table of the view table's name that was made for something else.
    #[error(
        "{table} is no view table: it has no column {missing}; give the view another with \
         #[tview(view = \"..\")], or move that table out of the way"
    )]
    NotAViewTable {
        /// The table.
        table: Table,
        /// The columns that every view table of this key has, and it has not.
        missing: String,
    },

    /// The keys at which a view table is partitioned are texts, and the database's collation
    /// orders them otherwise than the compiler, which goes by their bytes.
    #[error(
        "{view} is partitioned at {bounds}, and the order of this database's collation is \
         {order}; {}",
        PARTITION_BOUNDS_REMEDY
    )]
    PartitionBounds {
        /// The view table.
        view: Table,
        /// The bounds as they were written.
        bounds: String,
        /// The bounds in the order of the database.
        order: String,
    },

    /// A check found errors.
    #[error("the read model does not fit the database\n{0}")]
    Check(CheckReport),
    /// A read model has the same view table twice.
    #[error(
        "`{first}` and `{second}` both have the view table {table}; give one of them another with \
         #[tview(view = \"..\")]"
    )]
    DuplicateView {
        /// The view table.
        table: Table,
        /// The first struct.
        first: &'static str,
        /// The second struct.
        second: &'static str,
    },

    /// More documents depend on what a mutation changed than it may touch; see
    /// [`Limits`](crate::mutation::Limits).
    #[error(
        "the rows that were changed are in more than {most} documents, the most that this \
         mutation may sync: {ways}; raise the limit, or let it leave the rest to a full sync \
         (Limits::beyond)"
    )]
    TooManyDependents {
        /// The limit.
        most: usize,
        /// How they depend on it, with how many.
        ways: String,
    },

    /// A document depends on what a mutation changed over more tables than it may follow; see
    /// [`Limits`](crate::mutation::Limits).
    #[error(
        "the rows that were changed are {depth} steps away from the documents that they are in, \
         by {way}; this mutation may go {most}: raise the limit, or let it leave the rest to a \
         full sync (Limits::beyond)"
    )]
    TooDeep {
        /// How they depend on it.
        way: String,
        /// How far they are.
        depth: usize,
        /// The limit.
        most: usize,
    },

    /// A mutation was to go on whose transaction is over: a savepoint was dropped while it
    /// began, or the SQL said `COMMIT` or `ROLLBACK`. Nothing was synced.
    #[error(
        "the transaction of this mutation is over: it was rolled back because a savepoint was \
         dropped while it began; begin another mutation"
    )]
    RolledBack,

    /// Rows were named by a table that no document is made of.
    #[error(
        "no document of this read model is made of rows of `{table}`{}",
        did_you_mean(near.as_deref())
    )]
    NoSuchTable {
        /// The name.
        table: String,
        /// The table that was probably meant.
        near: Option<String>,
    },

    /// A log has a name that no table can have.
    #[error(
        "`{name}` cannot be the table of a sync log: {reason}; write \"table\" or \"schema.table\""
    )]
    LogName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// What to do about partition bounds that a collation orders otherwise.
pub(crate) const PARTITION_BOUNDS_REMEDY: &str = "take bounds that every collation orders alike, such as words of \
    lower case letters, or write partition(hash = ..), or take a database with the collation C";

/// The first few, and how many more.
fn list(documents: &[InvalidDocument]) -> String {
    const SHOWN: usize = 5;
    let mut lines: Vec<String> = documents
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    if documents.len() > SHOWN {
        lines.push(format!("and {} more", documents.len() - SHOWN));
    }
    lines.join("\n")
}

impl Error {
    pub(crate) fn database(operation: Operation) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database {
            operation,
            table: None,
            source,
        }
    }

    /// The same of an operation on a table.
    pub(crate) fn on_table(
        operation: Operation,
        table: impl Into<TableName>,
    ) -> impl FnOnce(sqlx::Error) -> Self {
        let table = Some(table.into());
        move |source| Self::Database {
            operation,
            table,
            source,
        }
    }

    /// Whether the same call can succeed when its transaction is run again: it met a
    /// deadlock (40P01) or a serialization failure (40001).
    ///
    /// Calls on a pool are run again by themselves; inside a transaction that is up to the
    /// caller, who must begin a new one.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Contended { .. } => true,
            Self::Database { source, .. } => Self::is_retryable_of(source),
            _ => false,
        }
    }

    /// The same of an error of the database.
    pub(crate) fn is_retryable_of(error: &sqlx::Error) -> bool {
        let code = error.as_database_error().and_then(|error| error.code());
        code.is_some_and(|code| Self::is_retryable_code(&code))
    }

    /// A serialization failure or a deadlock.
    pub(crate) fn is_retryable_code(code: &str) -> bool {
        code == "40001" || code == "40P01"
    }

    /// Whether it is about the values of a document, and not about the statement, the session
    /// or the server: without that document, the rest of a batch can be written.
    pub(crate) fn is_about_values(&self) -> bool {
        // Data exceptions (a cast, a division, JSON that jsonb cannot hold), violated
        // constraints, a sub-select of more than one row, too large for jsonb or an index, not
        // supported for this value, and what functions raise themselves.
        const CLASSES: [&str; 2] = ["22", "23"];
        const CODES: [&str; 4] = ["21000", "54000", "0A000", "P0001"];
        self.code().is_some_and(|code| {
            CLASSES.iter().any(|class| code.starts_with(class)) || CODES.contains(&&*code)
        })
    }

    /// Whether rows cannot be locked: for want of a privilege, or because of what they are.
    pub(crate) fn is_about_locking(&self) -> bool {
        self.code()
            .is_some_and(|code| code == "42501" || code == "42809")
    }

    /// Whether the server went away, or closed the connection.
    pub(crate) fn is_lost_connection(&self) -> bool {
        let Self::Database { source, .. } = self else {
            return false;
        };
        matches!(source, sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed)
            // Connection exceptions, and the shutdowns of a server.
            || self.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
    }

    /// Whether another document has the same value in a `unique` column.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.code().is_some_and(|code| code == "23505")
    }

    /// The database's SQLSTATE.
    pub(crate) fn code(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Database { source, .. } => source.as_database_error()?.code(),
            _ => None,
        }
    }
}
