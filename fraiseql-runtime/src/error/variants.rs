//! The error type of all operations.

use std::panic::Location;
use std::time::Duration;

use crate::error::check_report::CheckReport;
use crate::error::hint;
use crate::error::invalid_document::InvalidDocument;
use crate::error::operation::Operation;
use crate::schema::key::Keys;
use crate::schema::naming::did_you_mean;
use crate::schema::position::Position;
use crate::schema::{Table, TableName};

/// The result of the functions of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a sync, a read, a mutation or an operation such as a migration failed.
///
/// In a transaction of the caller, a deadlock or a serialization failure is not retried
/// automatically. Retry from the beginning of the transaction:
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
    /// The database returned an error, or could not be reached.
    ///
    /// The message ends with advice where the error allows it: to run
    /// [`ReadModel::migrate`](crate::ReadModel::migrate) if the view table or one of its columns
    /// is missing, to run [`ReadModel::check`](crate::ReadModel::check) if something else is.
    #[error("{}", hint::message(operation, table.as_deref(), source))]
    Database {
        /// What was being done.
        operation: Operation,
        /// The table of the operation, if it has one.
        table: Option<Box<TableName>>,
        /// The error of the database.
        source: sqlx::Error,
    },

    /// A stored document cannot be deserialized into the view's struct.
    #[error(
        "document {key} of {view} cannot be deserialized into its struct: {source}; sync it again \
         if the struct has changed since"
    )]
    Document {
        /// The view table.
        view: String,
        /// The document's key.
        key: String,
        /// The error of serde, with the position in the document.
        source: serde_json::Error,
    },

    /// The caller's transaction is REPEATABLE READ: its snapshot never advances, so concurrent
    /// changes would be lost.
    #[error(
        "sync inside a REPEATABLE READ transaction would lose concurrent changes, because its \
         snapshot is older than they are; use READ COMMITTED (the default) or SERIALIZABLE, or \
         sync on the pool after the commit"
    )]
    RepeatableRead,

    /// The session keeps settings with which documents would have other values, although they were
    /// set for the transaction. The documentation of [`scalar`](crate::scalar) has the settings.
    #[error(
        "the documents of {view} cannot be built in this session: it keeps other settings than \
         those that were set for its transaction"
    )]
    Session {
        /// The view table.
        view: Table,
    },

    /// Other transactions created and deleted the same documents during every attempt to sync
    /// them.
    #[error(
        "the documents {keys} of {view} were written by other transactions during every attempt; \
         try again"
    )]
    Contended {
        /// The view table.
        view: String,
        /// The keys.
        keys: Keys,
    },

    /// Documents could not be written, and the caller treats that as an error; see
    /// [`SyncReport::ensure_valid`](crate::SyncReport::ensure_valid). Or stale documents could
    /// not be built for a read.
    #[error("{}", list(documents))]
    Invalid {
        /// The documents. All others of the sync were written.
        documents: Vec<InvalidDocument>,
    },

    /// A full sync was resumed at a position of a view whose keys have another type.
    #[error("{position} is not a position of {view}: its keys are of another type")]
    Position {
        /// The view table.
        view: Table,
        /// The position.
        position: Position,
    },

    /// The share of documents to verify is not a number from 0 to 1.
    #[error(
        "sample({share}) is not a share of the documents: pass a number from 0 to 1, such as 0.01 \
         for one document in a hundred"
    )]
    Sample {
        /// The share that was passed.
        share: f64,
    },

    /// A read model has two indexes, or an index and a table, of one name in one schema.
    #[error(
        "`{first}` and `{second}` both create a table or index named {name}; rename one of the \
         indexes with name = \"..\", or one of the view tables with #[tview(view = \"..\")]"
    )]
    DuplicateName {
        /// The name.
        name: String,
        /// The first struct.
        first: &'static str,
        /// The second struct.
        second: &'static str,
    },

    /// A table with the name of the view table exists, but was not created as a view table.
    #[error(
        "{table} is not a view table: it has no column {missing}; choose another name with \
         #[tview(view = \"..\")], or rename that table"
    )]
    NotAViewTable {
        /// The table.
        table: Table,
        /// The columns of every view table with this key that the table lacks.
        missing: String,
    },

    /// A view table or a materialized view has to be created, and there is something else of its name.
    #[error(
        "{table} is {found}, but the struct has `storage = \"{storage}\"`; drop it, and migrate again: \
         DROP {keyword} {table}"
    )]
    OtherStorage {
        /// The relation.
        table: Table,
        /// What it is: `a table`.
        found: &'static str,
        /// The keyword of its DROP statement.
        keyword: &'static str,
        /// The storage of the view: `table` or `matview`.
        storage: &'static str,
    },

    /// The bounds of a view table's partitions are texts, and the database's collation orders
    /// them differently from the compiler, which compares their bytes.
    #[error(
        "{view} is partitioned at {bounds}, but the collation of this database orders them \
         {order}; {}",
        PARTITION_BOUNDS_REMEDY
    )]
    PartitionBounds {
        /// The view table.
        view: Table,
        /// The bounds in the order of the attribute.
        bounds: String,
        /// The bounds in the order of the database.
        order: String,
    },

    /// Changes of base tables are to be captured, and the role that migrates may not create what that takes.
    #[error(
        "changes cannot be captured: {what} cannot be created, because {reason}; migrate as the owner \
         of the tables, or run: {remedy}"
    )]
    CannotCapture {
        /// The triggers or the function: `function "public"."fraiseql_capture_tb_post_.."`.
        what: String,
        /// Why not.
        reason: String,
        /// The statement that grants what is missing.
        remedy: String,
    },

    /// A feed of documents is to be started, and the read model has none.
    #[error(
        "this read model has no feed of documents: build it with `ReadModel::builder().feed()`, and migrate"
    )]
    NoFeed,

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

    /// More documents depend on the marks of a mutation than it may sync; see
    /// [`Limits`](crate::mutation::Limits).
    #[error(
        "the changed rows are in more than {limit} documents, the limit of this mutation: \
         {paths}; raise the limit, or leave the other documents to a full sync (Limits::over_limit)"
    )]
    TooManyDependents {
        /// The limit.
        limit: usize,
        /// The paths from rows to documents, each with the number of documents.
        paths: String,
    },

    /// A document depends on the marks of a mutation through more tables than it may follow; see
    /// [`Limits`](crate::mutation::Limits).
    #[error(
        "the changed rows are {depth} steps away from documents that depend on them, by {path}, \
         and the limit of this mutation is {limit}; raise the limit, or leave those documents to \
         a full sync (Limits::over_limit)"
    )]
    TooDeep {
        /// The path from rows to documents.
        path: String,
        /// The number of steps of the path.
        depth: usize,
        /// The limit.
        limit: usize,
    },

    /// The documents of a list have more bytes than it may read; see
    /// [`List::max_bytes`](crate::list::List::max_bytes).
    #[error(
        "the documents that were read from {table} have more than {max} bytes, the limit of this \
         read; read fewer of them at once"
    )]
    TooManyBytes {
        /// The view table.
        table: String,
        /// The limit.
        max: usize,
    },

    /// No replica had the position that a read named, and the pool of the primary leads to a replica, which may not
    /// have it either.
    #[error(
        "a read after a write found no server that is known to have the write: the pool of the primary leads to a \
         replica; let it lead to the server that accepts writes"
    )]
    PrimaryIsReplica,

    /// A mutation was used after the end of its transaction: a savepoint was dropped while it was
    /// being set, or the application's SQL ran `COMMIT` or `ROLLBACK`. Nothing was synced.
    #[error(
        "the transaction of this mutation has ended: a savepoint was dropped while it was being \
         set, or a statement ran COMMIT or ROLLBACK; begin another mutation"
    )]
    RolledBack,

    /// Rows were marked by the name of a table that no document depends on.
    #[error(
        "no document of this read model depends on rows of `{table}`{}",
        did_you_mean(near.as_deref())
    )]
    NoSuchTable {
        /// The name.
        table: String,
        /// The most similar name of a table that documents depend on.
        near: Option<String>,
    },

    /// Rows were named by values of more or fewer columns than were given.
    #[error(
        "the columns `{columns}` of `{table}` were given for values of {values} columns: name one for \
         each, separated by commas"
    )]
    ColumnCount {
        /// The table.
        table: String,
        /// The names of the columns.
        columns: String,
        /// The number of columns of the values.
        values: usize,
    },

    /// Rows were marked by a struct that has nothing to do with the read model. The commit returns
    /// it, because the mark itself has no result.
    #[error(
        "{mark}, at {location}, matches nothing: {}{}",
        unknown_mark(table, view),
        did_you_mean(near.as_deref())
    )]
    UnknownMark {
        /// The call: `changed::<Token>`.
        mark: String,
        /// The base table of the struct.
        table: String,
        /// Whether the struct is a view that the read model does not have.
        view: bool,
        /// The most similar name of a table that documents depend on.
        near: Option<String>,
        /// Where the rows were marked.
        location: &'static Location<'static>,
    },

    /// Rows may have been moved or deleted by a mutation, and no second connection of its pool was
    /// free to read them as they were before. Everything is rolled back. It is
    /// [retryable](Self::is_retryable): [`mutate`](crate::ReadModel::mutate) runs the work again, and
    /// reads these rows before.
    #[error(
        "rows of {table} may have been moved or deleted, and no second connection of the pool was \
         free within {waited:?} to read them as they were before; mark them with `changing` before \
         the statement that changes them, which needs none, or use a larger pool"
    )]
    NoSecondConnection {
        /// The base table.
        table: TableName,
        /// How long the mutation waited.
        waited: Duration,
    },

    /// A read model captures changes, and its functions do not exist in this database, or the role may not call
    /// them. The mutation is rolled back.
    #[error(
        "the functions that sync captured changes are missing in schema {schema:?}, or this role may \
         not call them; run `migrate`, and the statements of `grants` for the role"
    )]
    NotCaptured {
        /// The schema of the functions.
        schema: &'static str,
    },

    /// Rows may have been moved or deleted by a mutation, and row security hides them, as they were
    /// before, from the second connection. Everything is rolled back.
    #[error(
        "row security hides the rows {keys} of {table} from other connections, or they are new, so \
         that their former values cannot be read; mark them with `changing` before the statement \
         that changes them, and new rows with `inserted`"
    )]
    HiddenRows {
        /// The base table.
        table: TableName,
        /// The values by which the rows were marked.
        keys: Keys,
    },

    /// A strict mutation has deleted or changed rows with which a foreign key deletes or changes
    /// others, and that key cannot be followed; see
    /// [`MutationReport::not_followed`](crate::MutationReport::not_followed).
    #[error(
        "foreign keys were not followed from rows that this mutation deleted or changed: {}; look \
         up the rows that refer to these before, and mark them as well",
        keys.join(", ")
    )]
    NotFollowed {
        /// The foreign keys: `"public"."tb_line" (tb_line_order_fk)`.
        keys: Vec<String>,
    },

    /// A strict mutation has written to tables that documents are made of, and has not marked rows
    /// of them; see [`Mutation::strict`](crate::Mutation::strict).
    #[error(
        "this strict mutation wrote to {} and marked no rows of {}; mark them with `changing` before \
         the statement, or with `changed` or `changed_rows`; rows that a trigger writes, too",
        tables.join(", "),
        if tables.len() == 1 { "it" } else { "them" }
    )]
    Unmarked {
        /// The tables.
        tables: Vec<String>,
    },

    /// The worker could not write documents, and left them for later. Observers and the sync log receive it.
    #[error(
        "the worker could not write the documents {keys} of {view}: {reason}; {}",
        if *dead { "they are given up: see ReadModel::dead_letters" } else { "they are tried again later" }
    )]
    NotWritten {
        /// The view table.
        view: Table,
        /// The keys.
        keys: Keys,
        /// The SQLSTATE and the message of the database.
        reason: String,
        /// Whether it was the last attempt.
        dead: bool,
    },

    /// Documents of a transaction are not synced, after the time that
    /// [`ReadModel::wait_synced`](crate::ReadModel::wait_synced) waits.
    #[error(
        "after {waited:.1?} the transaction still has changes whose documents are not synced: {}; is a worker \
         running? ReadModel::changes and ReadModel::dead_letters say more",
        left.join(", ")
    )]
    NotSynced {
        /// How long it was waited for.
        waited: Duration,
        /// What is left, at most ten of it.
        left: Vec<String>,
    },

    /// The name of a sync log is not a valid name of a table.
    #[error(
        "`{name}` cannot be the table of a sync log: {reason}; write \"table\" or \"schema.table\""
    )]
    LogName {
        /// The name.
        name: String,
        /// Why the name is not valid.
        reason: &'static str,
    },

    /// No schema can have the name that was given for a read model.
    #[error("`{name}` cannot be the schema of a read model: {reason}")]
    SchemaName {
        /// The name.
        name: String,
        /// Why the name is not valid.
        reason: &'static str,
    },
}

/// What to do if a collation orders the bounds of partitions differently.
pub(crate) const PARTITION_BOUNDS_REMEDY: &str = "use bounds that every collation orders alike, such as lower-case \
    words, or partition(hash = ..), or a database with the collation C";

fn unknown_mark(table: &str, view: &bool) -> String {
    match view {
        true => format!(
            "the view is not one of this read model; add it to the builder, or mark the rows of \
             `{table}` by another struct"
        ),
        false => format!("no document of this read model depends on rows of `{table}`"),
    }
}

/// The first invalid documents, one per line, and the number of the others.
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
    /// Adds the operation to an error of sqlx: `.map_err(Error::database(Operation::Check))`.
    pub(crate) fn database(operation: Operation) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database {
            operation,
            table: None,
            source,
        }
    }

    /// Adds the operation and its table to an error of sqlx.
    pub(crate) fn on_table(
        operation: Operation,
        table: impl Into<TableName>,
    ) -> impl FnOnce(sqlx::Error) -> Self {
        let table = Some(Box::new(table.into()));
        move |source| Self::Database {
            operation,
            table,
            source,
        }
    }
}

// In this file and not beside `CheckReport`, so that the report does not depend on the error that
// contains it.
impl CheckReport {
    /// Returns the report, or an error that lists every finding if one of them is an error.
    ///
    /// # Errors
    /// [`Error::Check`], when a finding is an error.
    pub fn into_result(self) -> Result<Self> {
        if self.is_ok() {
            Ok(self)
        } else {
            Err(Error::Check(self))
        }
    }
}
