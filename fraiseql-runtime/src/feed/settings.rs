//! The settings of a feed, and what a read model without one has.

use std::time::Duration;

/// The settings of a feed.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) min_wait: Duration,
    pub(super) max_wait: Duration,
    pub(super) keep: Duration,
    pub(super) max_keys: usize,
    pub(super) listen: bool,
}

/// The read model has no feed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoFeed;
