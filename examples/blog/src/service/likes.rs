//! Likes, counted in the background in batches.
//!
//! Syncing a popular post in the transaction of each like would serialize all likes on the row of
//! its document. So a like is committed by itself, and a background task syncs the posts that were
//! queued meanwhile: a hundred likes of one post write a hundred rows and a few documents.

use std::collections::BTreeSet;
use std::time::Duration;

use fraiseql_runtime::{Result as SyncResult, SyncTarget};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::Result;
use crate::rows;
use crate::views::sync_post;
use crate::work::Work;

/// Capacity of the queue. When it is full, `likePost` waits.
const QUEUE_CAPACITY: usize = 10_000;
/// The most posts of one sync.
const MAX_BATCH: usize = 500;
/// Pause before a failed sync is tried again; it doubles each time, up to `MAX_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// The most attempts of a sync while the server shuts down.
const SHUTDOWN_ATTEMPTS: u32 = 5;
/// The longest time that a request waits for its sync.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Sends posts to the task that syncs them. A clone is another handle.
#[derive(Clone, Debug)]
pub struct Queue(mpsc::Sender<QueuedPost>);

#[derive(Debug)]
struct QueuedPost {
    post: Uuid,
    /// Completed after the sync.
    synced: oneshot::Sender<()>,
    /// The request that counts the sync as its own, if it measures its work.
    work: Option<Work>,
}

/// Resolves when the post is synced, with everything that was committed before it was queued.
#[derive(Debug)]
#[must_use = "the post is synced also if nothing waits for it"]
pub struct Synced(oneshot::Receiver<()>);

/// **In the background**: the row is written and nothing is marked. After the commit, the caller
/// [queues](Queue::push) the post. The cost is that of every sync after the commit: posts that are
/// in the queue when the process is killed have a wrong count until [`upkeep`](super::upkeep)
/// repairs them.
///
/// # Errors
/// If the post or the user does not exist.
pub async fn like(db: &mut impl rows::Likes, post: Uuid, user: Uuid) -> Result<()> {
    db.insert_like(post, user).await
}

impl Queue {
    /// Starts the task that syncs queued posts. It ends when all handles to the queue are dropped
    /// and the queue is empty.
    pub fn start<T>(target: T) -> (Self, JoinHandle<()>)
    where
        T: Send + Sync + 'static,
        for<'t> &'t T: SyncTarget,
    {
        let (sender, queue) = mpsc::channel(QUEUE_CAPACITY);
        let task = tokio::spawn(sync_queued::<T>(queue, target));
        (Self(sender), task)
    }

    /// Queues a post to be synced.
    pub async fn push(&self, post: Uuid) -> Synced {
        let (synced, receiver) = oneshot::channel();
        let queued = QueuedPost {
            post,
            synced,
            work: Work::current(),
        };
        // It cannot fail: the task runs as long as this sender exists.
        let _ = self.0.send(queued).await;
        Synced(receiver)
    }
}

impl Synced {
    /// Waits for the sync, for five seconds at most. The like is committed in any case; only the
    /// count in the response may be old.
    pub async fn wait(self) {
        let _ = timeout(MAX_WAIT, self.0).await;
    }
}

/// The background task. It takes posts off the queue *before* it syncs them, so that a like that is
/// committed during the sync, and may be missing in its snapshot, is followed by another sync.
async fn sync_queued<T>(mut queue: mpsc::Receiver<QueuedPost>, target: T)
where
    for<'t> &'t T: SyncTarget,
{
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let posts: BTreeSet<Uuid> = batch.iter().map(|queued| queued.post).collect();
        let posts: Vec<Uuid> = posts.into_iter().collect();
        let requests = batch.iter().filter_map(|queued| queued.work.clone());
        let requests = requests.collect();
        let is_shutting_down = || queue.is_closed();
        let sync = sync_with_retries::<T>(&target, &posts, is_shutting_down);
        Work::on_behalf_of(requests, sync).await;
        for queued in batch.drain(..) {
            // The receiver is gone if the request does not wait.
            let _ = queued.synced.send(());
        }
    }
}

/// Repeats a failed sync until it succeeds; while the server shuts down, a few times only.
async fn sync_with_retries<T>(target: &T, posts: &[Uuid], is_shutting_down: impl Fn() -> bool)
where
    for<'t> &'t T: SyncTarget,
{
    let (mut attempts, mut pause) = (0, FIRST_PAUSE);
    while let Err(error) = sync::<T>(target, posts).await {
        attempts += 1;
        tracing::warn!(%error, posts = posts.len(), attempts, "likes are not counted yet");
        if is_shutting_down() && attempts >= SHUTDOWN_ATTEMPTS {
            break;
        }
        sleep(pause).await;
        pause = MAX_PAUSE.min(pause * 2);
    }
}

/// Syncs the posts. An invalid document is logged and not tried again, since it would fail again.
async fn sync<T>(target: &T, posts: &[Uuid]) -> SyncResult<()>
where
    for<'t> &'t T: SyncTarget,
{
    let report = sync_post(target, posts).await?;
    for document in report.invalid {
        tracing::warn!("{document}");
    }
    Ok(())
}
