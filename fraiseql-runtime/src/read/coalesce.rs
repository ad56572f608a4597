//! `Coalescer`: reads that come while others are running become one read.
//!
//! A group has the reads that can be one. Of each group, a limited number of reads run at a time; the rest wait in a
//! queue, and have no connection. When a read ends, the first one in the queue runs for as many others as a batch may
//! have. So a busy server sends fewer statements, and an idle one sends each at once.
//!
//! A batch is taken from the queue before its statement is sent: what was committed before a read began is in its
//! result, as if it had a statement of its own.
//!
//! Nothing is spawned: the first read of a batch runs it. It may be dropped, or not be polled for a while; the others
//! must not depend on it. If it is dropped, they read for themselves, and so they do if they have waited for too long.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_channel::oneshot;
use sqlx_core::rt;

use crate::mutex::lock;

/// How long a read waits for others.
const MAX_WAIT: Duration = Duration::from_millis(50);

/// What tells a group from others.
pub trait GroupKey: Clone + Eq + Hash {}

impl<K: Clone + Eq + Hash> GroupKey for K {}

/// Coalesces reads. `K` tells groups apart, `I` is what one read reads, and `O` what it finds.
pub struct Coalescer<K: GroupKey, I, O> {
    groups: Arc<Groups<K, I, O>>,
}

struct Groups<K: GroupKey, I, O> {
    limits: Limits,
    /// The groups that are in use.
    by_key: Mutex<HashMap<K, Group<K, I, O>>>,
}

/// The limits of each group.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many reads may run at a time.
    pub running: usize,
    /// How many items a read may have.
    pub items: usize,
}

struct Group<K: GroupKey, I, O> {
    running: usize,
    waiting: VecDeque<Waiting<K, I, O>>,
}

struct Waiting<K: GroupKey, I, O> {
    item: I,
    sender: oneshot::Sender<Turn<K, I, O>>,
}

/// What a read is to do.
pub enum Turn<K: GroupKey, I, O> {
    /// Read for a batch. Its first item is the own one.
    Run(Batch<K, I, O>),
    /// Nothing: another read has found this.
    Done(O),
    /// Read for itself.
    Alone,
}

/// Items that are read at once. Dropped, it leaves those who wait for the others to read for themselves.
pub struct Batch<K: GroupKey, I, O> {
    items: Vec<I>,
    /// Those who wait for the items after the first one.
    others: Vec<oneshot::Sender<Turn<K, I, O>>>,
    running: Running<K, I, O>,
}

/// One of the reads of a group that may run at a time. Dropped, it lets the next one run.
struct Running<K: GroupKey, I, O> {
    groups: Arc<Groups<K, I, O>>,
    key: K,
}

impl<K: GroupKey, I, O> Coalescer<K, I, O> {
    /// Coalesces reads within these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let by_key = Mutex::default();
        Self {
            groups: Arc::new(Groups { limits, by_key }),
        }
    }

    /// Waits until a read may run, or another one has read its item.
    pub async fn turn(&self, key: K, item: I) -> Turn<K, I, O> {
        let turn = {
            let mut by_key = lock(&self.groups.by_key);
            let group = by_key.entry(key.clone()).or_insert_with(|| Group {
                running: 0,
                waiting: VecDeque::new(),
            });
            if group.running < self.groups.limits.running {
                group.running += 1;
                let groups = Arc::clone(&self.groups);
                return Turn::Run(Batch {
                    items: vec![item],
                    others: Vec::new(),
                    running: Running { groups, key },
                });
            }
            let (sender, turn) = oneshot::channel();
            group.waiting.push_back(Waiting { item, sender });
            turn
        };
        match rt::timeout(MAX_WAIT, turn).await {
            Ok(Ok(turn)) => turn,
            // Its batch was dropped, or it has waited for too long.
            Ok(Err(oneshot::Canceled)) | Err(_) => Turn::Alone,
        }
    }
}

impl<K: GroupKey, I, O> Batch<K, I, O> {
    /// The items, of which the first is that of the read that runs.
    #[must_use]
    pub fn items(&self) -> &[I] {
        &self.items
    }

    /// Ends the read. Hands out what was found for each item, and returns that of the first one.
    ///
    /// `None` if that was not found for it.
    pub fn finish(self, found: impl IntoIterator<Item = O>) -> Option<O> {
        let Self {
            others, running, ..
        } = self;
        // The next statement is sent while this one's documents are written.
        drop(running);
        let mut found = found.into_iter();
        let own = found.next();
        for (other, found) in others.into_iter().zip(found) {
            // It may have gone meanwhile.
            let _ = other.send(Turn::Done(found));
        }
        own
    }
}

impl<K: GroupKey, I, O> Group<K, I, O> {
    /// Takes those who wait for the next read, at most `count` of them.
    fn next(&mut self, count: usize) -> Vec<Waiting<K, I, O>> {
        self.waiting.retain(|waiting| !waiting.sender.is_canceled());
        let count = self.waiting.len().min(count);
        self.waiting.drain(..count).collect()
    }
}

impl<K: GroupKey, I, O> Groups<K, I, O> {
    /// Lets the next read of a group run. Returns its turn if it has gone meanwhile.
    fn pass_on(this: &Arc<Self>, key: &K) -> Option<Turn<K, I, O>> {
        let mut by_key = lock(&this.by_key);
        let group = by_key.get_mut(key)?;
        let mut next = group.next(this.limits.items).into_iter();
        let Some(first) = next.next() else {
            group.running -= 1;
            if group.running == 0 {
                by_key.remove(key);
            }
            return None;
        };
        let (mut items, mut others) = (vec![first.item], Vec::new());
        for Waiting { item, sender } in next {
            items.push(item);
            others.push(sender);
        }
        let running = Running {
            groups: Arc::clone(this),
            key: key.clone(),
        };
        let batch = Batch {
            items,
            others,
            running,
        };
        first.sender.send(Turn::Run(batch)).err()
    }
}

impl<K: GroupKey, I, O> Drop for Running<K, I, O> {
    fn drop(&mut self) {
        // What is returned has a `Running` of its own, whose drop takes the lock again.
        drop(Groups::pass_on(&self.groups, &self.key));
    }
}

impl<K: GroupKey, I, O> fmt::Debug for Coalescer<K, I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = lock(&self.groups.by_key).len();
        f.debug_struct("Coalescer")
            .field("limits", &self.groups.limits)
            .field("groups", &groups)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    type Numbers = Coalescer<char, u32, u32>;

    fn numbers(running: usize, items: usize) -> Numbers {
        Coalescer::new(Limits { running, items })
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// The batch of a read that may run.
    fn batch(turn: Poll<Turn<char, u32, u32>>) -> Batch<char, u32, u32> {
        match turn {
            Poll::Ready(Turn::Run(batch)) => batch,
            Poll::Ready(Turn::Done(found)) => panic!("done: {found}"),
            Poll::Ready(Turn::Alone) => panic!("alone"),
            Poll::Pending => panic!("waits"),
        }
    }

    #[tokio::test]
    async fn those_who_wait_are_the_next_batch() {
        let all = numbers(1, 3);
        let first = batch(poll(pin!(all.turn('a', 1))));
        assert_eq!(first.items(), [1]);
        let mut waiting: Vec<_> = (2..=6).map(|item| Box::pin(all.turn('a', item))).collect();
        for one in &mut waiting {
            assert!(poll(one.as_mut()).is_pending());
        }
        // Another group waits for nobody.
        assert_eq!(batch(poll(pin!(all.turn('b', 9)))).items(), [9]);
        // One that has gone is not read for.
        drop(waiting.remove(1));
        assert_eq!(first.finish([10]), Some(10));
        let second = batch(poll(waiting[0].as_mut()));
        assert_eq!(second.items(), [2, 4, 5]);
        assert!(poll(waiting[3].as_mut()).is_pending());
        assert_eq!(second.finish([20, 40, 50]), Some(20));
        for (place, found) in [(1, 40), (2, 50)] {
            let Poll::Ready(Turn::Done(done)) = poll(waiting[place].as_mut()) else {
                panic!("{found} was not found");
            };
            assert_eq!(done, found);
        }
        assert_eq!(batch(poll(waiting[3].as_mut())).items(), [6]);
        assert!(lock(&all.groups.by_key).is_empty());
    }

    #[tokio::test]
    async fn whoever_waits_for_a_dropped_batch_reads_alone() {
        let all = numbers(1, 3);
        let first = batch(poll(pin!(all.turn('a', 1))));
        let mut second = Box::pin(all.turn('a', 2));
        let mut third = Box::pin(all.turn('a', 3));
        let mut others = [Box::pin(all.turn('a', 4)), Box::pin(all.turn('a', 5))];
        for one in [&mut second, &mut third].into_iter().chain(&mut others) {
            assert!(poll(one.as_mut()).is_pending());
        }
        drop(first);
        // It has its turn, and goes without taking it.
        drop(second);
        assert!(matches!(poll(third.as_mut()), Poll::Ready(Turn::Alone)));
        let [mut fourth, mut fifth] = others;
        assert!(matches!(poll(fourth.as_mut()), Poll::Ready(Turn::Alone)));
        assert_eq!(batch(poll(fifth.as_mut())).items(), [5]);
        assert!(lock(&all.groups.by_key).is_empty());
    }

    #[tokio::test]
    async fn nobody_waits_for_long() {
        let all = numbers(2, 3);
        let running = [1, 2].map(|item| batch(poll(pin!(all.turn('a', item)))));
        assert!(matches!(all.turn('a', 3).await, Turn::Alone));
        drop(running);
        assert!(lock(&all.groups.by_key).is_empty());
    }
}
