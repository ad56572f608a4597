//! The state of a full sync: which chunks are taken and done, and whether it goes on.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Instant;

use futures_util::future::FutureExt as _;

use crate::schema::key::Keys;
use crate::schema::position::Position;
use crate::sync::full::chunk_size::chunk_size;
use crate::sync::full::progress::{OnProgress, Progress};
use crate::sync::full::settings::FullSyncSettings;
use crate::sync::report::SyncReport;

/// The state that the workers of a full sync share.
pub(super) struct FullSyncState<'a> {
    /// The documents of a chunk, if they are set by the caller.
    size: Option<usize>,
    until: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
    on_progress: Option<OnProgress<'a>>,
    start: Instant,
    progress: Progress,
    /// The chunks after the position, by number: none if the chunk is being synced, its last key if
    /// it is done.
    chunks: BTreeMap<u64, Option<Keys>>,
    /// The number of chunks taken.
    taken: u64,
    /// No more chunks are to be taken: there are no more keys, or the caller has stopped.
    ended: bool,
    stopped: bool,
}

/// Keys that a worker has taken.
pub(super) struct Chunk {
    pub(super) number: u64,
    pub(super) keys: Keys,
}

/// How far a full sync has come, to be recorded.
pub(super) struct Checkpoint {
    /// Everything up to this key is done.
    pub(super) position: Keys,
    /// The number of documents done.
    pub(super) done: u64,
    /// The number of documents expected.
    pub(super) expected: u64,
}

impl<'a> FullSyncState<'a> {
    /// The state at the start, after the key `after`.
    pub(super) fn new(settings: FullSyncSettings<'a>, after: Keys) -> Self {
        Self {
            size: settings.chunk,
            until: settings.until,
            on_progress: settings.on_progress,
            start: Instant::now(),
            progress: Progress {
                report: SyncReport::default(),
                chunks: 0,
                expected: 0,
                position: Position(after),
            },
            chunks: BTreeMap::new(),
            taken: 0,
            ended: false,
            stopped: false,
        }
    }

    /// Takes no more chunks from now on.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Whether no chunk is left to be taken or being synced.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.chunks.values().all(Option::is_some)
    }

    /// Whether the caller has stopped the full sync. If so, no more chunks are taken.
    pub(super) fn is_stopped(&mut self) -> bool {
        let Some(until) = &mut self.until else {
            return false;
        };
        // Polled before each chunk, so it needs no waker. It must not be polled again after it was
        // ready.
        if until.now_or_never().is_none() {
            return false;
        }
        self.until = None;
        self.stopped = true;
        self.end();
        true
    }

    /// Whether another chunk may be taken.
    pub(super) fn may_take(&mut self) -> bool {
        !self.ended && !self.is_stopped()
    }

    /// Whether the expected number of documents must be read before the next chunk: the caller's
    /// progress shows it, and this is the first chunk.
    pub(super) fn needs_expected(&self) -> bool {
        self.taken == 0 && self.on_progress.is_some()
    }

    pub(super) fn set_expected(&mut self, documents: u64) {
        self.progress.expected = documents;
    }

    /// The number of documents of the next chunk.
    pub(super) fn next_size(&self) -> usize {
        if let Some(size) = self.size {
            return size;
        }
        let report = &self.progress.report;
        let built = report.total() - report.deleted - report.invalid.len() as u64;
        chunk_size(built, report.bytes)
    }

    /// Registers the next chunk as taken.
    pub(super) fn take(&mut self, keys: Keys) -> Chunk {
        self.taken += 1;
        self.chunks.insert(self.taken, None);
        Chunk {
            number: self.taken,
            keys,
        }
    }

    /// Adds the report of a chunk, and calls the caller's `on_progress`.
    pub(super) fn finish_chunk(&mut self, chunk: &Chunk, report: SyncReport) -> Checkpoint {
        self.progress.report += report;
        self.progress.report.duration = self.start.elapsed();
        self.progress.chunks += 1;
        self.chunks.insert(chunk.number, Some(chunk.keys.last()));
        // Chunks may be done in another order than they were taken in. The position only moves over
        // chunks without a gap: a full sync that resumes there must not leave one out.
        while let Some(entry) = self.chunks.first_entry() {
            let Some(last) = entry.get() else { break };
            self.progress.position = Position(last.clone());
            entry.remove();
        }
        if let Some(on_progress) = &mut self.on_progress {
            on_progress(&self.progress);
        }
        Checkpoint {
            position: self.progress.position.0.clone(),
            done: self.progress.report.total(),
            expected: self.progress.expected,
        }
    }

    /// Takes the report of what was done.
    pub(super) fn take_report(&mut self) -> SyncReport {
        let mut report = std::mem::take(&mut self.progress.report);
        report.duration = self.start.elapsed();
        if self.stopped {
            report.stopped_at = Some(self.progress.position.clone());
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_moves_over_chunks_without_a_gap() {
        let none = Keys::I64(Vec::new());
        let mut state = FullSyncState::new(FullSyncSettings::new(), none);
        let chunks = [10, 20, 30].map(|last| state.take(Keys::I64(vec![last - 1, last])));
        state.end();
        let positions = [1, 0, 2].map(|n: usize| {
            assert!(!state.is_over());
            let checkpoint = state.finish_chunk(&chunks[n], SyncReport::default());
            checkpoint.position
        });
        assert!(state.is_over());
        assert_eq!(
            positions,
            [vec![], vec![20], vec![30]].map(Keys::I64),
            "the second chunk is done first"
        );
    }
}
