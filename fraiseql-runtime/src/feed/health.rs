//! `FeedHealth`: how a feed is doing, without asking the database.

use std::time::{Duration, Instant};

use crate::error::Error;

/// How a feed is doing: [`Feed::health`](crate::feed::Feed::health).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FeedHealth {
    /// The streams that are open.
    pub streams: usize,
    /// How often the feed has looked for changes.
    pub looks: u64,
    /// The time since the last look that succeeded. A feed without streams does not look.
    pub last_look: Option<Duration>,
    /// The error of the last look, if it failed.
    pub error: Option<String>,
    /// How often all streams were told that changes may have been missed.
    pub resets: u64,
    /// Whether writers wake it by notifications.
    pub listens: bool,
}

/// The same, as it is kept.
#[derive(Debug, Default)]
pub(super) struct Health {
    looks: u64,
    looked: Option<Instant>,
    error: Option<String>,
    resets: u64,
    pub(super) listens: bool,
}

impl Health {
    pub(super) fn looked(&mut self) {
        self.looks += 1;
        self.looked = Some(Instant::now());
        self.error = None;
    }

    pub(super) fn failed(&mut self, error: &Error) {
        self.error = Some(error.to_string());
    }

    pub(super) const fn reset(&mut self) {
        self.resets += 1;
    }

    pub(super) fn report(&self, streams: usize) -> FeedHealth {
        FeedHealth {
            streams,
            looks: self.looks,
            last_look: self.looked.map(|at| at.elapsed()),
            error: self.error.clone(),
            resets: self.resets,
            listens: self.listens,
        }
    }
}
