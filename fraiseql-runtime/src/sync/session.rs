//! A connection with the scope, the mode and the observers of one call, and the retries of a batch.

use sqlx::PgConnection;

use crate::db::scope::{TransactionScope, in_savepoint, in_savepoint_asking};
use crate::error::Result;
use crate::schema::key::Keys;
use crate::sync::peers::PeerGroup;
use crate::sync::protocol::{self, OpenWriters};
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;
use crate::sync::telemetry;
use crate::sync::watch::Watch;
use crate::view::Handle;

/// How often a batch is retried after deadlocks and serialization failures.
const MAX_RETRIES: u32 = 5;

/// The work on the documents of some keys.
#[derive(Clone, Copy)]
enum Action {
    /// They are built and written.
    Write,
    /// They are written after this statement has emptied their unique columns.
    Exchange(&'static str),
    /// They are deleted.
    Delete,
}

/// A connection, and the call that runs on it.
pub(crate) struct Session<'c> {
    pub(super) connection: &'c mut PgConnection,
    pub(super) scope: TransactionScope,
    pub(super) mode: Mode,
    pub(super) watch: &'c Watch<'c>,
    /// How often a statement of the current batch was retried.
    pub(super) retries: u32,
    peers: PeerGroup,
}

impl<'c> Session<'c> {
    /// A session outside of a transaction: each batch is a transaction of its own.
    pub(crate) fn own(connection: &'c mut PgConnection, mode: Mode, watch: &'c Watch<'_>) -> Self {
        Self::new(connection, TransactionScope::Own, mode, watch)
    }

    /// A session in the caller's transaction.
    pub(crate) fn in_caller_transaction(
        connection: &'c mut PgConnection,
        mode: Mode,
        watch: &'c Watch<'_>,
    ) -> Self {
        Self::new(connection, TransactionScope::Caller, mode, watch)
    }

    fn new(
        connection: &'c mut PgConnection,
        scope: TransactionScope,
        mode: Mode,
        watch: &'c Watch<'_>,
    ) -> Self {
        Self {
            connection,
            scope,
            mode,
            watch,
            retries: 0,
            peers: PeerGroup::default(),
        }
    }

    /// Sets the transactions that write other documents of the same full sync.
    pub(super) fn with_peers(mut self, peers: PeerGroup) -> Self {
        self.peers = peers;
        self
    }

    /// Builds and writes the documents of at most [`MAX_BATCH`](crate::sql::sync::MAX_BATCH) keys, all or none.
    pub(super) async fn write(&mut self, view: Handle, keys: &Keys) -> Result<SyncReport> {
        self.run(view, keys, Action::Write).await
    }

    /// Builds and writes documents that may take each other's unique values, all or none. `clear`
    /// is the statement that empties their unique columns first.
    pub(super) async fn exchange(
        &mut self,
        view: Handle,
        keys: &Keys,
        clear: &'static str,
    ) -> Result<SyncReport> {
        self.run(view, keys, Action::Exchange(clear)).await
    }

    /// The documents other than those of `keys` that store unique values which these should have.
    /// `sql` is the statement that finds them.
    pub(super) async fn unique_holders(
        &mut self,
        view: Handle,
        keys: &Keys,
        sql: &'static str,
    ) -> Result<Keys> {
        self.in_savepoint(async |connection: &mut PgConnection, scope| {
            protocol::unique_holders(connection, view, keys, sql, scope).await
        })
        .await
    }

    /// Deletes the documents of at most [`MAX_BATCH`](crate::sql::sync::MAX_BATCH) keys.
    pub(super) async fn delete(&mut self, view: Handle, keys: &Keys) -> Result<SyncReport> {
        self.run(view, keys, Action::Delete).await
    }

    /// Runs an action, and retries it after a deadlock or a serialization failure.
    ///
    /// In the caller's transaction nothing is retried. After a deadlock, the locks that the caller
    /// took earlier are still held, and the cycle may form again; after a serialization failure,
    /// a savepoint keeps the snapshot that failed. The caller has to begin a new transaction.
    async fn run(&mut self, view: Handle, keys: &Keys, action: Action) -> Result<SyncReport> {
        let mut retry = 0;
        let mut set_session = false;
        let mut is_locked_in_part = false;
        let mut function_failed = false;
        let peers = self.peers.number();
        let writers = match self.mode {
            // It does not take the place of the sync that follows a change.
            Mode::Full => OpenWriters::Ignore,
            Mode::Sync | Mode::Delete => OpenWriters::WaitFor,
        };
        loop {
            let functions = &view.statements().functions;
            let question = (matches!(action, Action::Write) && !function_failed)
                .then_some(&*functions.can_be_called);
            let mut called = false;
            let work = async |connection: &mut PgConnection, scope, callable| match (action, scope)
            {
                (Action::Write, TransactionScope::Own) => {
                    protocol::after_commit(connection, view, keys, writers, peers, set_session)
                        .await
                }
                (Action::Write, TransactionScope::Caller) if callable => {
                    called = true;
                    protocol::by_function(connection, view, keys).await
                }
                (Action::Write, TransactionScope::Caller) => {
                    protocol::in_transaction(connection, view, keys, set_session).await
                }
                (Action::Exchange(clear), _) => {
                    protocol::exchanging(connection, view, keys, clear, scope).await
                }
                (Action::Delete, _) => Ok(SyncReport {
                    deleted: protocol::delete(connection, view, keys).await?,
                    ..SyncReport::default()
                }),
            };
            let done = in_savepoint_asking(self.connection, &mut self.scope, question, work).await;
            match done {
                // The statements do without what the function needs, or describe what is wrong.
                Err(error) if called && error.is_about_functions() => {
                    telemetry::function_failed(view, &error);
                    function_failed = true;
                }
                // The session may lack the schema of a function in a fragment, or read a date in
                // another order. If the server refuses the text in every session, it does so again.
                Err(error)
                    if !set_session
                        && matches!(action, Action::Write)
                        && error.is_about_text()
                        && view.statements().sync.needs.search_path =>
                {
                    set_session = true;
                }
                // What cannot be locked is left out.
                Err(error) if !is_locked_in_part && protocol::note_unlockable(view, &error) => {
                    is_locked_in_part = true;
                }
                // The transaction was rolled back, so the whole batch can simply run again.
                // `Contended` is retryable too: others kept inserting and deleting the documents.
                Err(error)
                    if self.scope == TransactionScope::Own
                        && error.is_retryable()
                        && retry < MAX_RETRIES =>
                {
                    retry += 1;
                    self.retries += 1;
                    telemetry::retrying(view, retry, &error);
                }
                result => return result,
            }
        }
    }

    /// Runs `work` so that its failure leaves the caller's transaction usable; see [`in_savepoint`].
    ///
    /// If the connection turns out to be in no transaction, the session continues with the scope
    /// `Own`: locks would be released at the end of each statement, so the protocol for a
    /// transaction would not hold.
    pub(super) async fn in_savepoint<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection, TransactionScope) -> Result<T>,
    ) -> Result<T> {
        in_savepoint(self.connection, &mut self.scope, work).await
    }

    pub(super) fn connection_and_scope(&mut self) -> (&mut PgConnection, &mut TransactionScope) {
        (self.connection, &mut self.scope)
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.connection
    }
}
