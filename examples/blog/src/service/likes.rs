//! Likes: counted in the background, together.
//!
//! A post that everybody likes at once is one row that everybody waits for. So a like is written
//! and committed by itself, and the post is synced by a task that takes all that came meanwhile: a
//! hundred likes of one post are a hundred rows, and a few documents.

use std::collections::BTreeSet;
use std::time::Duration;

use fraiseql_runtime::SyncTarget;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::Result;
use crate::rows;
use crate::views::sync_post;
use crate::work::Work;

/// Posts that are waiting to be synced, at most: who likes more waits.
const QUEUE: usize = 10_000;
/// Posts that are synced together.
const BATCH: usize = 500;
/// How often a sync that fails is tried.
const TRIES: u32 = 20;
/// Until it is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// A post to be synced, who wants to know when it is, and whose work that is.
type Wanted = (Uuid, oneshot::Sender<()>, Option<Work>);

/// Hands posts to the task that syncs them.
#[derive(Clone, Debug)]
pub struct Queue(mpsc::Sender<Wanted>);

/// Resolves when the post is synced, with everything that was committed before it was queued.
#[derive(Debug)]
#[must_use = "a post is synced whether anybody waits for it or not"]
pub struct Synced(oneshot::Receiver<()>);

/// In the background: the row is committed, its post is synced in a moment. Who wants to see it
/// waits for that.
///
/// # Errors
/// When there is no such post or user.
pub async fn like(
    likes: &mut impl rows::Likes,
    queue: &Queue,
    post: Uuid,
    user: Uuid,
) -> Result<Synced> {
    likes.insert_like(post, user).await?;
    Ok(queue.push(post).await)
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

    async fn push(&self, post: Uuid) -> Synced {
        let (synced, told) = oneshot::channel();
        // The task ends after the last queue.
        let _ = self.0.send((post, synced, Work::current())).await;
        Synced(told)
    }
}

impl Synced {
    /// Waits for it. It is over, too, when the server shuts down.
    pub async fn wait(self) {
        let _ = self.0.await;
    }
}

/// Takes posts off the queue before it syncs them: one that is pushed meanwhile is synced again.
async fn work<T>(mut wanted: mpsc::Receiver<Wanted>, target: T)
where
    for<'t> &'t T: SyncTarget,
{
    let mut batch = Vec::new();
    while wanted.recv_many(&mut batch, BATCH).await > 0 {
        let posts: BTreeSet<Uuid> = batch.iter().map(|(post, ..)| *post).collect();
        let posts: Vec<Uuid> = posts.into_iter().collect();
        let asking = batch.iter().filter_map(|(.., work)| work.clone()).collect();
        let sync = async {
            for left in (0..TRIES).rev() {
                let Err(error) = sync_post(&target, &posts).await else {
                    break;
                };
                // After the last try it is for `verify().repair()` to count them.
                tracing::warn!(%error, posts = posts.len(), left, "likes were not counted");
                if left > 0 {
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        Work::for_others(asking, sync).await;
        for (_, synced, _) in batch.drain(..) {
            // Nobody has to wait.
            let _ = synced.send(());
        }
    }
}
