//! The time limit of a request.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// The instant at which a request must be answered. `None` if the clock cannot represent it.
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// The deadline of a request that begins now.
    pub(super) fn after(limit: Duration) -> Self {
        Self(Instant::now().checked_add(limit))
    }

    /// Runs a future until the deadline, which drops it. `None` if it was dropped.
    pub(super) async fn limit<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self.0 {
            Some(deadline) => timeout_at(deadline, work).await.ok(),
            None => Some(work.await),
        }
    }
}
