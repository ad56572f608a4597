//! One run of a sink: holds its row, passes all documents if it has to, and then those that change.

use std::time::{Duration, Instant};

use sqlx_core::rt;

use crate::db::lease::Lease;
use crate::db::snapshot::Snapshot;
use crate::db::telemetry;
use crate::error::{Error, Operation, Result};
use crate::feed::cursor::{Looked, look_for_sink};
use crate::feed::sink::document::{Sink, SinkDocument};
use crate::feed::sink::runner::SinkReport;
use crate::feed::sink::state::{HELD, Held, SinkRow, SinkState};
use crate::read::by_values::documents_at;
use crate::read::readers::Readers;
use crate::read::scope::Scope;
use crate::schema::key::Keys;
use crate::sql::feed::FeedSql;
use crate::view::Handle;

/// The documents of one batch.
pub(super) const BATCH: usize = 500;

const MIN_WAIT: Duration = Duration::from_millis(10);
const MAX_BACK_OFF: Duration = Duration::from_secs(10);
/// How long a process waits that does not hold the sink.
const STANDBY: Duration = Duration::from_secs(1);

/// When a run ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    Shutdown,
    Drained,
}

/// One run of a sink.
pub(super) struct Run<'a, S> {
    pub(super) row: SinkRow<'a>,
    pub(super) feed: &'a FeedSql,
    pub(super) views: &'a [Handle],
    pub(super) readers: &'a Readers,
    pub(super) sink: S,
    pub(super) max_wait: Duration,
    pub(super) report: SinkReport,
    /// The row as it was held last, with the position of later looks that have found nothing.
    pub(super) held: Option<(SinkState, Instant)>,
}

/// What follows from a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Something was written.
    Progress,
    /// There was nothing to do.
    Idle,
    /// Another process holds the sink.
    Lost,
}

impl<S: Sink> Run<'_, S> {
    pub(super) async fn run(&mut self, until: Until) -> Result<()> {
        let (mut wait, mut back_off) = (MIN_WAIT, MIN_WAIT);
        loop {
            let pause = match self.step().await {
                Ok(Next::Progress) => {
                    (wait, back_off) = (MIN_WAIT, MIN_WAIT);
                    continue;
                }
                Ok(Next::Idle) if until == Until::Drained => return Ok(()),
                Ok(Next::Idle) => {
                    back_off = MIN_WAIT;
                    wait = (wait * 3 / 2).min(self.max_wait);
                    wait
                }
                Ok(Next::Lost) => STANDBY,
                Err(error) => {
                    self.held = None;
                    self.report.errors += 1;
                    telemetry::sink_error(&error);
                    if until == Until::Drained || error.is_not_migrated() {
                        return Err(error);
                    }
                    back_off = (back_off * 2).min(MAX_BACK_OFF);
                    back_off
                }
            };
            rt::sleep(pause).await;
        }
    }

    async fn step(&mut self) -> Result<Next> {
        let Some(state) = self.hold().await? else {
            return Ok(Next::Lost);
        };
        if state.pass.is_some() {
            self.held = None;
            return self.pass(&state).await;
        }
        let mut connection = Lease::acquire(self.row.pool, "look for changed documents").await?;
        let looked = look_for_sink(self.feed, &mut connection, &state).await;
        connection.release();
        match looked? {
            Looked::Unknown { snapshot, server } => {
                self.held = None;
                let values = [&*snapshot.to_string(), &*server];
                let begun = self.row.step(&self.row.sql.begin_pass, &values).await?;
                self.report.passes += u64::from(begun == Held::Yes);
                Ok(next(begun))
            }
            Looked::Changes { snapshot, changes } => {
                if changes.is_empty() {
                    if let Some((held, _)) = &mut self.held {
                        held.position = Some(snapshot);
                    }
                    return Ok(Next::Idle);
                }
                self.held = None;
                for (table, keys) in changes {
                    // Changes of views that the read model does not have any more.
                    let views = self.views.iter();
                    let mut views = views.filter(|view| view.view.table.to_string() == table);
                    let Some(view) = views.next() else { continue };
                    let Some(keys) = view.no_keys().parse(&keys) else {
                        continue;
                    };
                    for keys in keys.chunks(BATCH) {
                        // Each batch takes its time.
                        if self.row.hold().await?.is_none() || !self.write(*view, &keys).await? {
                            return Ok(Next::Lost);
                        }
                    }
                }
                self.advance(&snapshot).await
            }
        }
    }

    /// The row of the sink, which is held for some time yet. `None` if another process holds it.
    async fn hold(&mut self) -> Result<Option<SinkState>> {
        if let Some((state, at)) = &self.held {
            if at.elapsed() < HELD / 3 {
                return Ok(Some(state.clone()));
            }
            // With nothing to do, the position is stored now and then, so that changes before it can be deleted.
            if let Some(position) = &state.position {
                self.advance(position).await?;
            }
        }
        self.held = self.row.hold().await?.map(|state| (state, Instant::now()));
        if self.held.is_some() {
            // There may be no feed that does so.
            self.row.prune(&self.feed.prune).await?;
        }
        Ok(self.held.as_ref().map(|(state, _)| state.clone()))
    }

    /// Stores the position of looks that have found nothing, so that changes before it can be deleted.
    pub(super) async fn settle(&self) -> Result<()> {
        if let Some((state, _)) = &self.held
            && let Some(position) = &state.position
        {
            self.advance(position).await?;
        }
        Ok(())
    }

    async fn advance(&self, position: &Snapshot) -> Result<Next> {
        let position = position.to_string();
        let moved = self.row.step(&self.row.sql.advance, &[&position]).await?;
        Ok(next(moved))
    }

    /// Reads the documents of these keys, after a new version was taken, and writes them to the sink.
    async fn write(&mut self, view: Handle, keys: &Keys) -> Result<bool> {
        let Some(version) = self.row.version().await? else {
            return Ok(false);
        };
        let each: Vec<Keys> = (1..=keys.len()).map(|place| keys.at(&[place])).collect();
        let scope = Scope::AcrossTenants;
        let found = documents_at(self.readers, view, scope, each, None).await?;
        let documents = keys.texts().zip(found).map(|(key, document)| SinkDocument {
            view: view.view.entity,
            key,
            version,
            json: document.map(|document| document.json().to_vec()),
        });
        self.write_all(documents.collect()).await?;
        Ok(true)
    }

    pub(super) async fn write_all(&mut self, documents: Vec<SinkDocument>) -> Result<()> {
        if documents.is_empty() {
            return Ok(());
        }
        let written = self.sink.write(&documents).await;
        written.map_err(|error| failed("writing documents", error.into()))?;
        let deleted = documents.iter().filter(|it| it.json.is_none()).count();
        let deleted = u64::try_from(deleted).unwrap_or_default();
        self.report.deleted += deleted;
        self.report.written += u64::try_from(documents.len()).unwrap_or_default() - deleted;
        Ok(())
    }
}

pub(super) const fn next(held: Held) -> Next {
    match held {
        Held::Yes => Next::Progress,
        Held::No => Next::Lost,
    }
}

/// An error of the sink.
pub(super) fn failed(what: &str, error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    let operation = Operation::Other(format!("{what} to a sink").into());
    Error::database(operation)(sqlx::Error::Configuration(error))
}

impl SinkState {
    /// The transactions that the position does not see.
    pub(in crate::feed) fn since(&self) -> Option<(u64, &[u64])> {
        let position = self.position.as_ref()?;
        Some((position.end, &position.open))
    }
}
