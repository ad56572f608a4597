//! Likes: counted in the background, many at once.
//!
//! A post that everybody likes at the same time is one row that everybody would wait for. So a
//! like is written and committed by itself, and the post is synced by a task that takes all that
//! came meanwhile: a hundred likes of one post are a hundred rows, and a few documents.

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

/// Posts that are waiting to be synced, at most: who likes more waits.
const QUEUE: usize = 10_000;
/// Posts that are synced together.
const BATCH: usize = 500;
/// Until a sync that failed is tried again; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often it is tried when the server shuts down.
const LAST_TRIES: u32 = 5;
/// How long anybody waits for a sync.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Hands posts to the task that syncs them. A clone is another handle.
#[derive(Clone, Debug)]
pub struct Queue(mpsc::Sender<Wanted>);

/// A post to be synced, who wants to know when it is, and whose work that is.
type Wanted = (Uuid, oneshot::Sender<()>, Option<Work>);

/// Resolves when the post is synced, with everything that was committed before it was queued.
#[derive(Debug)]
#[must_use = "a post is synced whether anybody waits for it or not"]
pub struct Synced(oneshot::Receiver<()>);

/// **In the background**: the row is written, and the mutation is told of no change. Once it is
/// committed, the post is [queued](Queue::push), to be synced in a moment. The price is that of
/// every sync after the commit: what is in the queue when the process is killed is found by
/// [`upkeep`](super::upkeep).
///
/// # Errors
/// When there is no such post or user.
pub async fn like(db: &mut impl rows::Likes, post: Uuid, user: Uuid) -> Result<()> {
    db.insert_like(post, user).await
}

impl Queue {
    /// The queue, and the task that ends when nobody can push any more and all is synced.
    pub fn start<T>(target: T) -> (Self, JoinHandle<()>)
    where
        T: Send + Sync + 'static,
        for<'t> &'t T: SyncTarget,
    {
        let (sender, wanted) = mpsc::channel(QUEUE);
        let task = tokio::spawn(work::<T>(wanted, target));
        (Self(sender), task)
    }

    /// The post is synced in a moment. Who wants to see that waits for it.
    pub async fn push(&self, post: Uuid) -> Synced {
        let (synced, told) = oneshot::channel();
        // The task ends after the last queue.
        let _ = self.0.send((post, synced, Work::current())).await;
        Synced(told)
    }
}

impl Synced {
    /// Waits for it, some seconds at most: nobody has to see the count to have liked a post.
    pub async fn wait(self) {
        let _ = timeout(LONGEST_WAIT, self.0).await;
    }
}

/// Takes posts off the queue *before* it syncs them: one that is pushed meanwhile is synced again.
async fn work<T>(mut wanted: mpsc::Receiver<Wanted>, target: T)
where
    for<'t> &'t T: SyncTarget,
{
    let mut batch = Vec::new();
    while wanted.recv_many(&mut batch, BATCH).await > 0 {
        let posts: BTreeSet<Uuid> = batch.iter().map(|(post, ..)| *post).collect();
        let posts: Vec<Uuid> = posts.into_iter().collect();
        let asking = batch.iter().filter_map(|(.., work)| work.clone()).collect();
        let is_ending = || wanted.is_closed();
        Work::for_others(asking, sync_in_the_end::<T>(&target, &posts, is_ending)).await;
        for (_, synced, _) in batch.drain(..) {
            // Nobody has to wait.
            let _ = synced.send(());
        }
    }
}

/// Tries again, until it works or the server has tried enough while it ends.
async fn sync_in_the_end<T>(target: &T, posts: &[Uuid], is_ending: impl Fn() -> bool)
where
    for<'t> &'t T: SyncTarget,
{
    let (mut tries, mut pause) = (0, FIRST_PAUSE);
    while let Err(error) = sync::<T>(target, posts).await {
        tries += 1;
        tracing::warn!(%error, posts = posts.len(), tries, "likes are not counted yet");
        if is_ending() && tries >= LAST_TRIES {
            break;
        }
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// A document that cannot be written is said to be so, and not tried again.
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
