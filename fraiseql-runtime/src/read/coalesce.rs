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
//! must not depend on it. If it is dropped, they read for themselves, and so they do if no read has ended for too long.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_channel::oneshot;
use sqlx_core::rt;

use crate::mutex::lock;

/// How long a read waits without a sign that it will be read for.
const MAX_WAIT: Duration = Duration::from_millis(50);

/// What tells a group from others.
pub trait GroupKey: Clone + Eq + Hash {}

impl<K: Clone + Eq + Hash> GroupKey for K {}

/// Coalesces reads. `K` tells groups apart, `I` is what one read reads, and `O` what it finds.
pub struct Coalescer<K: GroupKey, I, O> {
    groups: Arc<Groups<K, I, O>>,
}

/// The limits of each group.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many reads may run at a time.
    pub running: usize,
    /// How many items a read may have.
    pub items: usize,
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
    others: Vec<oneshot::Sender<Answer<K, I, O>>>,
    running: Running<K, I, O>,
}

struct Groups<K: GroupKey, I, O> {
    limits: Limits,
    /// The groups that are in use.
    by_key: Mutex<HashMap<K, Group<K, I, O>>>,
}

struct Group<K: GroupKey, I, O> {
    running: usize,
    /// The number of reads that have ended while others waited.
    ended: u64,
    waiting: VecDeque<Waiting<K, I, O>>,
    /// The number of reads that have waited. Each has its own.
    tickets: u64,
}

struct Waiting<K: GroupKey, I, O> {
    item: I,
    ticket: u64,
    sender: oneshot::Sender<Answer<K, I, O>>,
}

/// A read that waits.
struct Ticket<K: GroupKey, I, O> {
    key: K,
    number: u64,
    answer: oneshot::Receiver<Answer<K, I, O>>,
}

/// Where a read that waits is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the queue, after so many reads have ended.
    Queued(u64),
    /// In a batch that is being read.
    InBatch,
}

/// What one who waits is told.
enum Answer<K: GroupKey, I, O> {
    /// It may run, with its item.
    Run(Running<K, I, O>, I),
    /// Another read has found this.
    Found(O),
}

/// A read that may run, with its item; or the answer that it waits for.
type Begun<K, I, O> = Result<(Running<K, I, O>, I), Ticket<K, I, O>>;

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
        let (running, item) = match self.begin(key, item) {
            Ok(first) => {
                // Reads that the runtime begins along with this one are in the queue after that.
                rt::yield_now().await;
                first
            }
            Err(ticket) => match self.wait(ticket).await {
                Some(Answer::Run(running, item)) => (running, item),
                Some(Answer::Found(found)) => return Turn::Done(found),
                None => return Turn::Alone,
            },
        };
        Turn::Run(running.batch(item))
    }

    /// Waits for an answer. `None` if its batch was dropped, or it has waited for too long: for a batch, or in the queue while no
    /// other read has ended.
    async fn wait(&self, mut ticket: Ticket<K, I, O>) -> Option<Answer<K, I, O>> {
        let mut place = self.groups.place(&ticket);
        loop {
            match rt::timeout(MAX_WAIT, &mut ticket.answer).await {
                Ok(answer) => return answer.ok(),
                Err(_) => {
                    let before = std::mem::replace(&mut place, self.groups.place(&ticket));
                    if place == before {
                        return None;
                    }
                }
            }
        }
    }

    /// Lets a read run, or else wait for an answer.
    fn begin(&self, key: K, item: I) -> Begun<K, I, O> {
        let mut by_key = lock(&self.groups.by_key);
        let group = by_key.entry(key.clone()).or_insert_with(|| Group {
            running: 0,
            ended: 0,
            waiting: VecDeque::new(),
            tickets: 0,
        });
        if group.running < self.groups.limits.running {
            group.running += 1;
            let groups = Arc::clone(&self.groups);
            return Ok((Running { groups, key }, item));
        }
        let (sender, answer) = oneshot::channel();
        let number = group.tickets;
        group.tickets += 1;
        group.waiting.push_back(Waiting {
            item,
            ticket: number,
            sender,
        });
        Err(Ticket {
            key,
            number,
            answer,
        })
    }
}

impl<K: GroupKey, I, O> Batch<K, I, O> {
    /// The items, of which the first is that of the read that runs.
    #[must_use]
    pub fn items(&self) -> &[I] {
        &self.items
    }

    /// Ends the read. Hands out what was found for each item, and returns that of the first one: `None` if it is not
    /// there.
    pub fn finish(self, found: impl IntoIterator<Item = O>) -> Option<O> {
        let Self {
            others, running, ..
        } = self;
        // The next statement is sent while these documents are written.
        drop(running);
        let mut found = found.into_iter();
        let own = found.next();
        for (other, found) in others.into_iter().zip(found) {
            // It may have gone meanwhile.
            let _ = other.send(Answer::Found(found));
        }
        own
    }
}

impl<K: GroupKey, I, O> Running<K, I, O> {
    /// The batch of a read: its item, and those of reads that wait.
    fn batch(self, item: I) -> Batch<K, I, O> {
        let (mut items, mut others) = (vec![item], Vec::new());
        if let Some(group) = lock(&self.groups.by_key).get_mut(&self.key) {
            while items.len() < self.groups.limits.items
                && let Some(Waiting { item, sender, .. }) = group.next()
            {
                items.push(item);
                others.push(sender);
            }
        }
        Batch {
            items,
            others,
            running: self,
        }
    }
}

impl<K: GroupKey, I, O> Group<K, I, O> {
    /// Takes the first one from the queue that still waits.
    fn next(&mut self) -> Option<Waiting<K, I, O>> {
        let mut waiting = std::iter::from_fn(|| self.waiting.pop_front());
        waiting.find(|waiting| !waiting.sender.is_canceled())
    }
}

impl<K: GroupKey, I, O> Groups<K, I, O> {
    /// Where a read is that has no answer yet.
    fn place(&self, ticket: &Ticket<K, I, O>) -> Place {
        let by_key = lock(&self.by_key);
        let group = by_key.get(&ticket.key);
        // The queue is in the order of the tickets.
        let queued = group.filter(|group| {
            let first = group.waiting.front();
            first.is_some_and(|first| first.ticket <= ticket.number)
        });
        queued.map_or(Place::InBatch, |group| Place::Queued(group.ended))
    }

    /// Lets the next read of a group run. Returns its turn if it has gone meanwhile.
    fn pass_on(this: &Arc<Self>, key: &K) -> Option<Answer<K, I, O>> {
        let mut by_key = lock(&this.by_key);
        let group = by_key.get_mut(key)?;
        group.ended += 1;
        let Some(Waiting { item, sender, .. }) = group.next() else {
            group.running -= 1;
            if group.running == 0 {
                by_key.remove(key);
            }
            return None;
        };
        let running = Running {
            groups: Arc::clone(this),
            key: key.clone(),
        };
        sender.send(Answer::Run(running, item)).err()
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
    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;

    use super::*;

    type NumberTurn = Turn<char, u32, u32>;

    /// Reads of numbers, each ten times what was asked for.
    struct Numbers(Arc<Coalescer<char, u32, u32>>);

    impl Numbers {
        fn new(running: usize, items: usize) -> Self {
            Self(Arc::new(Coalescer::new(Limits { running, items })))
        }

        fn turn(&self, key: char, item: u32) -> BoxFuture<'static, NumberTurn> {
            let all = Arc::clone(&self.0);
            async move { all.turn(key, item).await }.boxed()
        }

        /// Begins to wait.
        async fn waits(&self, key: char, item: u32) -> BoxFuture<'static, NumberTurn> {
            let mut turn = self.turn(key, item);
            assert!((&mut turn).now_or_never().is_none());
            turn
        }

        fn is_empty(&self) -> bool {
            lock(&self.0.groups.by_key).is_empty()
        }
    }

    /// The batch of a read that may run.
    async fn batch(turn: BoxFuture<'static, NumberTurn>) -> Batch<char, u32, u32> {
        match turn.await {
            Turn::Run(batch) => batch,
            Turn::Done(found) => panic!("done: {found}"),
            Turn::Alone => panic!("alone"),
        }
    }

    #[tokio::test]
    async fn those_who_wait_are_the_next_batch() {
        let all = Numbers::new(1, 3);
        let first = batch(all.turn('a', 1)).await;
        assert_eq!(first.items(), [1]);
        let second = all.waits('a', 2).await;
        let third = all.waits('a', 3).await;
        let fourth = all.waits('a', 4).await;
        let fifth = all.waits('a', 5).await;
        let sixth = all.waits('a', 6).await;
        // Another group waits for nobody.
        assert_eq!(batch(all.turn('b', 9)).await.items(), [9]);
        // One that has gone is not read for.
        drop(third);
        assert_eq!(first.finish([10]), Some(10));
        let next = batch(second).await;
        assert_eq!(next.items(), [2, 4, 5]);
        assert_eq!(next.finish([20, 40, 50]), Some(20));
        assert!(matches!(fourth.await, Turn::Done(40)));
        assert!(matches!(fifth.await, Turn::Done(50)));
        assert_eq!(batch(sixth).await.items(), [6]);
        assert!(all.is_empty());
    }

    #[tokio::test]
    async fn reads_that_begin_together_are_one() {
        let all = Numbers::new(1, 9);
        let reads = (1..=4).map(|item| tokio::spawn(all.turn('a', item)));
        let reads: Vec<_> = reads.collect();
        let mut sizes = Vec::new();
        for read in reads {
            match read.await.unwrap() {
                Turn::Run(batch) => {
                    sizes.push(batch.items().len());
                    batch.finish([10, 20, 30, 40]);
                }
                Turn::Done(found) => assert!([20, 30, 40].contains(&found)),
                Turn::Alone => panic!("alone"),
            }
        }
        assert_eq!(sizes, [4]);
    }

    #[tokio::test]
    async fn whoever_waits_for_a_dropped_batch_reads_alone() {
        let all = Numbers::new(1, 2);
        let first = batch(all.turn('a', 1)).await;
        let second = all.waits('a', 2).await;
        let third = all.waits('a', 3).await;
        let fourth = all.waits('a', 4).await;
        let fifth = all.waits('a', 5).await;
        drop(first);
        // It may run, and goes without having begun: the next one may.
        drop(second);
        let next = batch(third).await;
        assert_eq!(next.items(), [3, 4]);
        drop(next);
        assert!(matches!(fourth.await, Turn::Alone));
        assert_eq!(batch(fifth).await.items(), [5]);
        assert!(all.is_empty());
    }

    #[tokio::test]
    async fn a_batch_without_enough_finds_leaves_the_rest_to_read_alone() {
        let all = Numbers::new(1, 2);
        let first = batch(all.turn('a', 1)).await;
        let second = all.waits('a', 2).await;
        let third = all.waits('a', 3).await;
        first.finish([10]);
        batch(second).await.finish([20]);
        assert!(matches!(third.await, Turn::Alone));
        assert!(all.is_empty());
    }

    #[tokio::test]
    async fn a_read_waits_on_while_others_end() {
        let all = Numbers::new(1, 2);
        let first = batch(all.turn('a', 1)).await;
        let second = all.waits('a', 2).await;
        let third = all.waits('a', 3).await;
        let Err(ticket) = all.0.begin('a', 4) else {
            panic!("it may not run");
        };
        let place = || all.0.groups.place(&ticket);
        assert_eq!(place(), Place::Queued(0));
        drop(first);
        assert_eq!(place(), Place::Queued(1));
        let next = batch(second).await;
        assert_eq!(next.items(), [2, 3]);
        assert_eq!(
            place(),
            Place::Queued(1),
            "of this it has not waited for long"
        );
        let fifth = all.waits('a', 5).await;
        drop(next);
        // It may run now, and is not in the queue any more.
        assert_eq!(place(), Place::InBatch);
        drop(ticket);
        assert_eq!(batch(fifth).await.items(), [5]);
        assert!(matches!(third.await, Turn::Alone));
        assert!(all.is_empty());
    }

    #[tokio::test]
    async fn nobody_waits_for_long() {
        let all = Numbers::new(2, 3);
        let running = [batch(all.turn('a', 1)).await, batch(all.turn('a', 2)).await];
        assert!(matches!(all.turn('a', 3).await, Turn::Alone));
        drop(running);
        assert!(all.is_empty());
    }
}
