//! A connection with its scope, and how batches run on it.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use sqlx::PgConnection;

use crate::db::mutex::lock;
use crate::db::scope::{TransactionScope, begin_savepoint, end_savepoint};
use crate::error::{Error, Operation, Result};
use crate::schema::key::Keys;
use crate::sql::part::PartSql;
use crate::sync::report::SyncReport;
use crate::sync::request::{Mode, Request};
use crate::sync::watch::{StartedBatch, Watch};
use crate::sync::{full, invalid, part, protocol, telemetry};
use crate::view::Handle;

/// The most documents that one statement builds. It bounds the memory of a batch, and more
/// at once is not faster.
pub(crate) const BATCH: usize = 500;
/// How often a batch is run again after a deadlock or a serialization failure.
const RETRIES: u32 = 5;

/// What is done with the keys of a batch.
#[derive(Clone, Copy)]
enum Step {
    /// Their documents are written.
    Write,
    /// They are written after this statement has emptied their unique columns.
    Exchange(&'static str),
    /// They are deleted.
    Delete,
}

/// A connection, and how batches are run on it.
pub(crate) struct Session<'c> {
    connection: &'c mut PgConnection,
    scope: TransactionScope,
    mode: Mode,
    watch: &'c Watch<'c>,
    /// How often something of this batch was run again.
    retries: u32,
    /// Those who do the same work, each with other keys.
    peers: PeerBackends,
}

/// The backends of sessions that share the keys of one run between them. What one of them
/// skips, no other is about to write.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeerBackends(Arc<Mutex<Vec<i32>>>);

impl PeerBackends {
    fn all(&self) -> Vec<i32> {
        lock(&self.0).clone()
    }

    /// The backend of `connection` becomes one of them.
    pub(crate) async fn join(&self, connection: &mut PgConnection) -> Result<()> {
        let backend = sqlx::query_scalar("SELECT pg_catalog.pg_backend_pid()")
            .fetch_one(connection)
            .await
            .map_err(Error::database(Operation::ReadBackend))?;
        lock(&self.0).push(backend);
        Ok(())
    }
}

impl<'c> Session<'c> {
    /// Each batch is a transaction of its own: after the commit.
    pub(crate) fn own(connection: &'c mut PgConnection, mode: Mode, watch: &'c Watch<'_>) -> Self {
        Self::new(connection, TransactionScope::Own, mode, watch)
    }

    /// In the caller's transaction.
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
            peers: PeerBackends::default(),
        }
    }

    /// Shares the work with others.
    pub(crate) fn with(mut self, peers: PeerBackends) -> Self {
        self.peers = peers;
        self
    }

    /// Syncs the documents of at most [`BATCH`] keys, or deletes them. Those that cannot be
    /// written are reported.
    pub(crate) async fn batch(&mut self, view: Handle, keys: &Keys) -> Result<SyncReport> {
        let batch = StartedBatch::now(self.watch, view, self.mode, keys);
        self.retries = 0;
        let result = match self.mode {
            Mode::Delete => self.step(view, keys, Step::Delete).await,
            Mode::Sync | Mode::Full => invalid::sync(self, view, keys).await,
        };
        batch
            .end(result, self.retries, self.connection, self.scope)
            .await
    }

    /// Puts rows of a part into documents; those that are not as they should be for that are
    /// built.
    async fn replace(
        &mut self,
        view: Handle,
        part: &'static PartSql,
        rows: &Keys,
        keys: &Keys,
    ) -> Result<SyncReport> {
        let batch = StartedBatch::now(self.watch, view, self.mode, keys);
        self.retries = 0;
        let work = async |session: &mut Self| {
            let replaced = session.guarded(async |connection, _| {
                part::replace(connection, view, part, rows, keys).await
            });
            let (mut report, rest) = match replaced.await {
                // Which value it is about is found when the documents are built.
                Err(error) if error.is_about_values() => (SyncReport::default(), keys.clone()),
                result => result?,
            };
            for keys in rest.chunks(BATCH) {
                report += invalid::sync(session, view, &keys).await?;
            }
            Ok(report)
        };
        let result = work(self).await;
        batch
            .end(result, self.retries, self.connection, self.scope)
            .await
    }

    /// Syncs the documents of at most [`BATCH`] keys, all or none.
    pub(crate) async fn attempt(&mut self, view: Handle, keys: &Keys) -> Result<SyncReport> {
        self.step(view, keys, Step::Write).await
    }

    /// The same where documents of the batch may have taken each other's unique values.
    pub(crate) async fn exchange(
        &mut self,
        view: Handle,
        keys: &Keys,
        clear: &'static str,
    ) -> Result<SyncReport> {
        self.step(view, keys, Step::Exchange(clear)).await
    }

    /// Runs a step of a batch, and runs it again after a deadlock or a serialization failure
    /// where the transaction is our own.
    async fn step(&mut self, view: Handle, keys: &Keys, step: Step) -> Result<SyncReport> {
        let mut retry = 0;
        let peers = self.peers.all();
        let peers = &peers;
        loop {
            let work = async |connection: &mut PgConnection, scope| match (step, scope) {
                (Step::Write, TransactionScope::Own) => {
                    protocol::guarded(connection, view, keys, peers).await
                }
                (Step::Write, TransactionScope::Caller) => {
                    protocol::in_transaction(connection, view, keys).await
                }
                (Step::Exchange(clear), _) => {
                    protocol::exchanging(connection, view, keys, clear, scope).await
                }
                (Step::Delete, _) => Ok(SyncReport {
                    deleted: protocol::delete(connection, view, keys).await?,
                    ..SyncReport::default()
                }),
            };
            match self.guarded(work).await {
                Err(error)
                    if self.scope == TransactionScope::Own
                        && error.is_retryable()
                        && retry < RETRIES =>
                {
                    retry += 1;
                    self.retries += 1;
                    telemetry::retrying(view, retry, &error);
                }
                result => return result,
            }
        }
    }

    /// Runs something after whose failure the caller's transaction can go on.
    pub(crate) async fn guarded<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection, TransactionScope) -> Result<T>,
    ) -> Result<T> {
        if self.scope == TransactionScope::Caller && !begin_savepoint(self.connection).await? {
            // The connection is in no transaction, where locks would not outlive their
            // statement.
            self.scope = TransactionScope::Own;
        }
        let result = work(self.connection, self.scope).await;
        match self.scope {
            TransactionScope::Own => result,
            TransactionScope::Caller => end_savepoint(self.connection, result).await,
        }
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        self.connection
    }

    pub(super) async fn run(&mut self, request: Request<'_>) -> Result<SyncReport> {
        let start = Instant::now();
        let mut report = SyncReport::default();
        match request {
            Request::Sync { view, keys }
                if keys.is_empty() && self.scope == TransactionScope::Caller =>
            {
                protocol::announce(self.connection, view).await?;
            }
            Request::Sync { view, keys } | Request::Delete { view, keys } => {
                for chunk in keys.chunks(BATCH) {
                    report += self.batch(view, &chunk).await?;
                }
            }
            Request::Replace {
                view,
                part,
                rows,
                keys,
            } => {
                for chunk in keys.chunks(part::BATCH) {
                    report += self.replace(view, part, &rows, &chunk).await?;
                }
            }
            Request::Full { view, settings } => {
                report = full::on_connection(self, view, settings).await?;
            }
        }
        report.duration = start.elapsed();
        Ok(report)
    }
}
