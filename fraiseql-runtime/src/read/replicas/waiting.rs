//! The reads that wait for a position.

use std::fmt;
use std::sync::Mutex;

use futures_channel::oneshot;

use crate::db::wal_position::WalPosition;
use crate::mutex::lock;

/// The reads that wait for a replica.
#[derive(Default)]
pub(super) struct Waits(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    reads: Vec<(WalPosition, oneshot::Sender<()>)>,
    /// Whether the task runs.
    is_watched: bool,
}

impl Waits {
    /// Adds a read. Returns what it waits for, and whether the task runs that wakes it. If not, it has to
    /// be started.
    pub(super) fn add(&self, wanted: WalPosition) -> (oneshot::Receiver<()>, bool) {
        let mut waiting = lock(&self.0);
        let (sender, arrival) = oneshot::channel();
        waiting.reads.push((wanted, sender));
        (arrival, std::mem::replace(&mut waiting.is_watched, true))
    }

    /// The earliest position that a read waits for. If there is none, the task is over.
    pub(super) fn next(&self) -> Option<WalPosition> {
        let mut waiting = lock(&self.0);
        waiting.reads.retain(|(_, read)| !read.is_canceled());
        let next = waiting.reads.iter().map(|(wanted, _)| *wanted);
        let next = next.min_by_key(|wanted| wanted.lsn);
        waiting.is_watched = next.is_some();
        next
    }

    /// Wakes the reads whose position has arrived. Returns whether there are any.
    pub(super) fn wake(&self, has: impl Fn(WalPosition) -> bool) -> bool {
        let mut waiting = lock(&self.0);
        let reads = std::mem::take(&mut waiting.reads);
        let before = reads.len();
        for (wanted, read) in reads {
            match has(wanted) {
                // One that no longer waits has dropped its end.
                true => drop(read.send(())),
                false => waiting.reads.push((wanted, read)),
            }
        }
        waiting.reads.len() < before
    }

    /// Ends the task. The reads that wait find that their senders are gone.
    pub(super) fn give_up(&self) {
        *lock(&self.0) = Waiting::default();
    }
}

impl fmt::Debug for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Waits")
            .field(&lock(&self.0).reads.len())
            .finish()
    }
}
