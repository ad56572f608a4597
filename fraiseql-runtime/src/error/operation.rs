//! The operations that errors of the database name.

use std::borrow::Cow;
use std::fmt;

/// What was being done when the database returned an error. Its `Display` begins the error's
/// message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Acquiring a connection of a pool, for the purpose that is named: `sync`.
    AcquireConnection(&'static str),
    /// Beginning the transaction of a batch.
    BeginTransaction,
    /// Committing the transaction of a batch.
    CommitTransaction,
    /// Setting, releasing or rolling back to a savepoint.
    Savepoint,
    /// Reading, changing or restoring settings of the session.
    SessionSettings,
    /// Building and writing documents.
    Sync,
    /// Locking the rows that documents embed.
    LockRows,
    /// Locking documents.
    LockDocuments,
    /// Setting unique columns to null, so that documents can exchange their values.
    ClearUnique,
    /// Finding documents that store unique values which others should have.
    FindUniqueHolders,
    /// Announcing a transaction to concurrent syncs.
    Announce,
    /// Checking deferred constraints, and running deferred triggers, before documents are built.
    CheckConstraints,
    /// Finding the tables that a transaction has written to.
    FindWritten,
    /// Waiting for transactions that are writing documents.
    AwaitWriters,
    /// Finding documents that other transactions have overwritten.
    FindOverwritten,
    /// Deleting documents whose row was deleted meanwhile.
    DeleteOrphans,
    /// Preventing other transactions from inserting documents whose row is deleted.
    BlockInserts,
    /// Replacing an embedded part in documents.
    ReplacePart,
    /// Deleting documents.
    Delete,
    /// Finding the values that cannot be represented.
    FindInvalid,
    /// Reading the keys of a base table, and of its view table.
    ReadKeys,
    /// Finding stale documents.
    FindStale,
    /// Reading documents, or rows of the sync log.
    Read,
    /// Building documents without storing them.
    Build,
    /// Encoding the parameters of a list.
    EncodeParameters,
    /// Comparing documents with the base tables.
    Verify,
    /// Measuring documents for advice.
    Advise,
    /// Refreshing a materialized view, or reading when it was refreshed.
    Refresh,
    /// Rebuilding stale documents.
    Rebuild,
    /// Recording the progress of a rebuild.
    RecordProgress,
    /// Checking the read model.
    Check,
    /// Migrating the view tables.
    Migrate,
    /// Planning a migration.
    PlanMigration,
    /// Creating the table, column or index that is named.
    Create(String),
    /// Reading the catalog about the object that is named.
    Inspect(String),
    /// Writing a row of the sync log.
    WriteLog,
    /// Deleting old rows of the sync log.
    PruneLog,
    /// Syncing the documents of a mutation.
    Flush,
    /// Beginning a mutation.
    BeginMutation,
    /// Committing a mutation.
    CommitMutation,
    /// Rolling back a mutation.
    RollBackMutation,
    /// Waiting before a mutation is run again.
    DelayRetry,
    /// Finding the documents that depend on rows, by the column that is named.
    FindDependents(String),
    /// Finding the documents that depended on rows before the mutation, by the column that is
    /// named.
    FindFormerDependents(String),
    /// Reading the values of rows before the mutation changes them, or as they are committed.
    FindFormerValues,
    /// Reading the foreign keys of the database.
    ReadForeignKeys,
    /// Finding the rows that refer to others through a foreign key, by the column that is named.
    FollowForeignKey(String),
    /// Leaving documents to the worker.
    LeaveDocuments,
    /// Reading the id of a transaction.
    ReadToken,
    /// Reading the position in the write-ahead log.
    ReadPosition,
    /// Looking for pending changes.
    FindChanges,
    /// Draining changes.
    Drain,
    /// Reading or writing the table of changes otherwise.
    Changes,
    /// Any other operation, for code that creates errors itself, such as tests.
    Other(Cow<'static, str>),
}

impl Operation {
    /// The operation as a phrase that a table name can follow.
    fn phrase(&self) -> &str {
        match self {
            Self::BeginTransaction => "beginning a transaction on",
            Self::CommitTransaction => "committing",
            Self::Savepoint => "setting a savepoint",
            Self::SessionSettings => "changing the session settings to sync",
            Self::Sync => "syncing",
            Self::LockRows => "locking the rows of",
            Self::LockDocuments => "locking documents of",
            Self::ClearUnique => "clearing unique columns of",
            Self::FindUniqueHolders => "looking for the holders of unique values in",
            Self::Announce => "announcing a transaction to other syncs of",
            Self::CheckConstraints => "checking deferred constraints",
            Self::FindWritten => "looking for the tables that were written to",
            Self::AwaitWriters => "waiting for other writers of",
            Self::FindOverwritten => "looking for overwritten documents of",
            Self::DeleteOrphans => "deleting orphaned documents of",
            Self::BlockInserts => "keeping other transactions from inserting documents into",
            Self::ReplacePart => "replacing a part in",
            Self::Delete => "deleting documents of",
            Self::FindInvalid => "looking for the invalid documents of",
            Self::ReadKeys => "reading the keys of",
            Self::FindStale => "looking for stale documents in",
            Self::Read => "reading",
            Self::Build => "building documents of",
            Self::EncodeParameters => "encoding the parameters of a list",
            Self::Verify => "verifying",
            Self::Advise => "measuring",
            Self::Refresh => "refreshing",
            Self::Rebuild => "rebuilding",
            Self::RecordProgress => "recording the progress of a rebuild of",
            Self::Check => "checking the read model",
            Self::Migrate => "migrating the view tables",
            Self::PlanMigration => "planning the migration of the view tables",
            Self::WriteLog => "writing",
            Self::PruneLog => "pruning",
            Self::Flush => "syncing the documents of a mutation",
            Self::BeginMutation => "beginning a mutation",
            Self::CommitMutation => "committing a mutation",
            Self::RollBackMutation => "rolling back a mutation",
            Self::DelayRetry => "waiting to run a mutation again",
            Self::FindFormerValues => "looking up the former values of rows of",
            Self::ReadForeignKeys => "reading the foreign keys",
            Self::LeaveDocuments => "leaving to the worker documents of",
            Self::ReadToken => "reading the id of the transaction",
            Self::ReadPosition => "reading the position in the write-ahead log",
            Self::FindChanges => "looking for pending changes",
            Self::Drain => "draining changes",
            Self::Changes => "accessing the table of changes",
            Self::AcquireConnection(_) => "acquiring a connection",
            Self::Create(_) => "creating",
            Self::Inspect(_) => "inspecting",
            Self::FindDependents(_) => "looking for the documents that depend on rows of",
            Self::FindFormerDependents(_) => "looking for the documents that depended on rows of",
            Self::FollowForeignKey(_) => "looking for rows that refer to those of",
            Self::Other(text) => text,
        }
    }

    /// Writes the operation with its table: `syncing "public"."tv_post"`.
    pub(super) fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        table: Option<&dyn fmt::Display>,
    ) -> fmt::Result {
        f.write_str(self.phrase())?;
        if let Some(table) = table {
            write!(f, " {table}")?;
        }
        match self {
            Self::AcquireConnection(purpose) => write!(f, " to {purpose}"),
            Self::Create(what) | Self::Inspect(what) => write!(f, " {what}"),
            Self::FindDependents(column)
            | Self::FindFormerDependents(column)
            | Self::FollowForeignKey(column) => write!(f, " by {column}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}
