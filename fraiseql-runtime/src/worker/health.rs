//! `WorkerHealth`: whether a worker is alive, and how far it is behind.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::mutex::lock;

/// Whether a worker is alive, and how far it is behind: for a readiness endpoint. It asks the worker, not the
/// database. Of [`Worker::health`](crate::worker::Worker::health); clones are of the same worker.
#[derive(Clone, Debug, Default)]
pub struct WorkerHealth(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    running: bool,
    looked_at: Option<Instant>,
    lag: Option<Duration>,
    error: Option<String>,
    refresh_error: Option<String>,
}

impl WorkerHealth {
    /// Whether the worker runs, and has looked for changes without an error within the last `time`. A batch
    /// takes less than a second or two, so ten seconds are a good bound.
    #[must_use]
    pub fn is_alive(&self, time: Duration) -> bool {
        let state = lock(&self.0);
        state.running && state.looked_at.is_some_and(|at| at.elapsed() <= time)
    }

    /// How long ago the oldest change was written that was pending when the worker last looked; `None` if nothing
    /// was pending, or it has not looked yet.
    #[must_use]
    pub fn lag(&self) -> Option<Duration> {
        let state = lock(&self.0);
        Some(state.lag? + state.looked_at?.elapsed())
    }

    /// The error that the worker met last, if it has not succeeded since: with changes, or else with the
    /// refresh of a materialized view.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        let state = lock(&self.0);
        state
            .error
            .as_ref()
            .or(state.refresh_error.as_ref())
            .cloned()
    }

    pub(super) fn started(&self) {
        lock(&self.0).running = true;
    }

    pub(super) fn stopped(&self) {
        lock(&self.0).running = false;
    }

    /// It has looked, and drains what it has found. After an error, that has to succeed first.
    pub(super) fn looked(&self, lag: Option<Duration>) {
        let mut state = lock(&self.0);
        state.lag = lag;
        if state.error.is_none() {
            state.looked_at = Some(Instant::now());
        }
    }

    /// It has drained what it had found.
    pub(super) fn succeeded(&self) {
        let mut state = lock(&self.0);
        state.looked_at = Some(Instant::now());
        state.error = None;
    }

    /// A refresh of a materialized view has failed. The worker drains changes all the same.
    pub(super) fn refresh_failed(&self, error: &crate::error::Error) {
        lock(&self.0).refresh_error = Some(error.to_string());
    }

    pub(super) fn refreshed(&self) {
        lock(&self.0).refresh_error = None;
    }

    pub(super) fn failed(&self, error: &crate::error::Error) {
        lock(&self.0).error = Some(error.to_string());
    }
}
