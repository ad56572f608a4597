//! What has arrived for one subscription, and was not taken yet.

use std::collections::HashSet;
use std::sync::Mutex;
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use crate::feed::interest::Notice;
use crate::mutex::lock;

/// What has arrived for one subscription. It is bounded: keys that are not taken in time become a reset.
#[derive(Debug)]
pub(super) struct Inbox {
    /// The most keys that wait. 0 if only whether something has changed is of interest.
    max_keys: usize,
    arrived: Mutex<Arrived>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct Arrived {
    reset: bool,
    changed: bool,
    keys: HashSet<String>,
}

impl Inbox {
    pub(super) fn new(max_keys: usize) -> Self {
        Self {
            max_keys,
            arrived: Mutex::default(),
            waker: AtomicWaker::new(),
        }
    }

    /// Everything may have changed.
    pub(super) fn reset(&self) {
        let mut arrived = lock(&self.arrived);
        arrived.reset = true;
        // Keys that come from now on are noted beside it; those before are part of it.
        arrived.keys.clear();
        drop(arrived);
        self.waker.wake();
    }

    /// A document has changed.
    pub(super) fn changed(&self, key: &str) {
        let mut arrived = lock(&self.arrived);
        arrived.changed = true;
        if self.max_keys > 0 && !arrived.keys.contains(key) {
            if arrived.keys.len() < self.max_keys {
                arrived.keys.insert(key.to_owned());
            } else {
                arrived.keys.clear();
                arrived.reset = true;
            }
        }
        drop(arrived);
        self.waker.wake();
    }

    /// Takes what has arrived, or waits for it.
    pub(super) fn poll_take(&self, context: &Context<'_>) -> Poll<Notice> {
        self.waker.register(context.waker());
        let mut arrived = lock(&self.arrived);
        if std::mem::take(&mut arrived.reset) {
            // Keys beside it come with the next notice.
            arrived.changed = !arrived.keys.is_empty();
            return Poll::Ready(Notice::Reset);
        }
        if std::mem::take(&mut arrived.changed) {
            let keys = std::mem::take(&mut arrived.keys);
            return Poll::Ready(Notice::Changed(keys.into_iter().collect()));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::{Inbox, Notice};

    fn take(inbox: &Inbox) -> Option<Notice> {
        match inbox.poll_take(&Context::from_waker(Waker::noop())) {
            Poll::Ready(notice) => Some(notice),
            Poll::Pending => None,
        }
    }

    fn changed(keys: &[&str]) -> Option<Notice> {
        let keys = keys.iter().map(|&key| key.to_owned());
        Some(Notice::Changed(keys.collect()))
    }

    #[test]
    fn keys_are_taken_once() {
        let inbox = Inbox::new(2);
        assert_eq!(take(&inbox), None);
        inbox.changed("7");
        inbox.changed("7");
        assert_eq!(take(&inbox), changed(&["7"]));
        assert_eq!(take(&inbox), None);
    }

    #[test]
    fn too_many_keys_are_a_reset_and_later_ones_are_kept() {
        let inbox = Inbox::new(2);
        for key in ["7", "8", "9", "10"] {
            inbox.changed(key);
        }
        assert_eq!(take(&inbox), Some(Notice::Reset));
        assert_eq!(take(&inbox), changed(&["10"]));
        inbox.changed("7");
        inbox.reset();
        inbox.changed("8");
        assert_eq!(take(&inbox), Some(Notice::Reset));
        assert_eq!(take(&inbox), changed(&["8"]));
        assert_eq!(take(&inbox), None);
    }

    #[test]
    fn without_keys_many_changes_are_one() {
        let inbox = Inbox::new(0);
        for key in ["7", "8", "9"] {
            inbox.changed(key);
        }
        assert_eq!(take(&inbox), changed(&[]));
        assert_eq!(take(&inbox), None);
    }
}
