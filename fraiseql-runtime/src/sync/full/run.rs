//! What the workers of a full sync share, and how one worker syncs a chunk.

use std::sync::{Mutex, MutexGuard};

use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::mutex::lock;
use crate::schema::key::Keys;
use crate::schema::position::Position;
use crate::sync::batch;
use crate::sync::full::keys;
use crate::sync::full::settings::{FullSyncSettings, RebuildPass};
use crate::sync::full::state::{Checkpoint, Chunk, FullSyncState};
use crate::sync::peers::PeerGroup;
use crate::sync::report::SyncReport;
use crate::sync::session::Session;
use crate::view::Handle;

/// A full sync in progress. Any number of workers take chunks from it, each on its own session.
pub(super) struct FullSyncRun<'a> {
    view: Handle,
    /// The last key that was taken. It is locked while the next keys are read, also across the
    /// statement: chunks are taken one after the other, so no key is in two of them.
    cursor: futures_util::lock::Mutex<Keys>,
    state: Mutex<FullSyncState<'a>>,
    /// The transactions of the workers.
    pub(super) peers: PeerGroup,
    rebuild: Option<RebuildPass>,
}

impl<'a> FullSyncRun<'a> {
    pub(super) fn new(view: Handle, settings: FullSyncSettings<'a>) -> Result<Self> {
        let no_keys = view.no_keys();
        let after = match &settings.after {
            Some(position) => position.0.clone(),
            None => no_keys.clone(),
        };
        // A position can come from anywhere, such as a file. Keys of two types cannot be compared.
        if std::mem::discriminant(&after) != std::mem::discriminant(&no_keys) {
            return Err(Error::Position {
                view: view.view.table,
                position: Position(after),
            });
        }
        Ok(Self {
            view,
            cursor: futures_util::lock::Mutex::new(after.clone()),
            peers: PeerGroup::new(),
            rebuild: settings.rebuild,
            state: Mutex::new(FullSyncState::new(settings, after)),
        })
    }

    /// The state. The lock is never held across an `await`.
    pub(super) fn state(&self) -> MutexGuard<'_, FullSyncState<'a>> {
        lock(&self.state)
    }

    /// Takes the report of what was done.
    pub(super) fn take_report(&self) -> SyncReport {
        self.state().take_report()
    }

    /// Syncs one chunk: the one in `chunk`, or the next. Returns false if there is none.
    ///
    /// After an error the chunk stays in `chunk`. It can be synced again, on another connection if
    /// this one is lost: what was committed then counts as unchanged.
    pub(super) async fn sync_chunk(
        &self,
        session: &mut Session<'_>,
        chunk: &mut Option<Chunk>,
    ) -> Result<bool> {
        if chunk.is_none() {
            *chunk = self.take_chunk(session).await?;
        }
        let Some(taken) = &chunk else {
            return Ok(false);
        };
        let report = batch::run(session, self.view, &taken.keys).await?;
        let checkpoint = self.state().finish_chunk(taken, report);
        // Before the next statement, which may fail: the chunk has been counted.
        *chunk = None;
        if let Some(RebuildPass::Whole { done_before }) = self.rebuild {
            self.record(session, done_before, checkpoint).await?;
        }
        Ok(true)
    }

    /// Records how far a rebuild has come. `before` documents were done by the one that it resumes.
    async fn record(
        &self,
        session: &mut Session<'_>,
        before: u64,
        checkpoint: Checkpoint,
    ) -> Result<()> {
        let count = |documents: u64| i64::try_from(before + documents).unwrap_or(i64::MAX);
        let sql = &self.view.statements().rebuild.record;
        Statement::new(sql, Operation::RecordProgress)
            .on(self.view.view.table)
            .bind_keys(&checkpoint.position)
            .bind(count(checkpoint.done))
            .bind(count(checkpoint.expected))
            .execute(session.connection())
            .await?;
        Ok(())
    }

    /// Takes the next keys.
    async fn take_chunk(&self, session: &mut Session<'_>) -> Result<Option<Chunk>> {
        let mut after = self.cursor.lock().await;
        let is_stale_pass = self.rebuild == Some(RebuildPass::Stale);
        let (size, needs_expected) = {
            let mut state = self.state();
            if !state.may_take() {
                return Ok(None);
            }
            (state.next_size(), state.needs_expected() && !is_stale_pass)
        };
        if needs_expected {
            let expected = keys::expected(session.connection(), self.view, &after).await?;
            self.state().set_expected(expected);
        }
        let keys = if is_stale_pass {
            self.next_stale(session, &mut after, size).await?
        } else {
            self.next_keys(session, &mut after, size).await?
        };
        if keys.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.state().take(keys)))
    }

    /// The next keys of the base table and the view table.
    async fn next_keys(
        &self,
        session: &mut Session<'_>,
        after: &mut Keys,
        size: usize,
    ) -> Result<Keys> {
        let (connection, scope) = session.connection_and_scope();
        let keys = keys::next_keys(connection, scope, self.view, after, size).await?;
        // A row that is inserted later is synced by the transaction that inserts it.
        if keys.len() < size {
            self.state().end();
        }
        if !keys.is_empty() {
            *after = keys.last();
        }
        Ok(keys)
    }

    /// The keys of the next stale documents. They may be rare, so a page of the view table may have
    /// none, and the search goes on.
    async fn next_stale(
        &self,
        session: &mut Session<'_>,
        after: &mut Keys,
        size: usize,
    ) -> Result<Keys> {
        loop {
            let (keys, last) =
                keys::next_stale(session.connection(), self.view, after, size).await?;
            if last.is_empty() {
                self.state().end();
                return Ok(keys);
            }
            *after = last;
            if !keys.is_empty() || self.state().is_stopped() {
                return Ok(keys);
            }
        }
    }
}
