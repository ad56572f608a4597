//! Unit tests of the like queue on a `Recorder`.

use std::time::Duration;

use fraiseql_runtime::testing::Call;
use fraiseql_runtime::{Failure, Recorder};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::timeout;
use uuid::Uuid;

use super::{ADA, MISSING, POST, check_exists, code};
use crate::rows::Likes;
use crate::service::Result;
use crate::service::likes;
use crate::service::likes::{Queue, Synced};
use crate::views::Post;

const OTHER: Uuid = Uuid::from_u128(9);

/// Counts the inserted rows.
struct Rows(usize);

impl Likes for Rows {
    async fn insert_like(&mut self, post: Uuid, _: Uuid) -> Result<()> {
        check_exists("post", post)?;
        self.0 += 1;
        Ok(())
    }
}

fn start() -> (Recorder, Queue, JoinHandle<()>) {
    let recorder = Recorder::new();
    let (queue, task) = Queue::start::<Recorder>(recorder.clone());
    (recorder, queue, task)
}

/// Likes a post as the GraphQL mutation does.
async fn like(rows: &mut Rows, queue: &Queue, post: Uuid, user: Uuid) -> Result<Synced> {
    likes::like(rows, post, user).await?;
    Ok(queue.push(post).await)
}

/// The posts of each sync, and whether it succeeded.
fn syncs(recorder: &Recorder) -> Vec<(String, bool)> {
    let outcome = |call: Call| (call.keys.to_string(), call.error.is_none());
    recorder.calls().into_iter().map(outcome).collect()
}

/// Yields until `condition` is true. There is one thread, so the task runs whenever the test yields.
async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            yield_now().await;
        }
    };
    let result = timeout(Duration::from_secs(10), wait).await;
    result.expect("timed out");
}

#[tokio::test]
async fn queued_likes_are_one_sync() {
    let (recorder, queue, _task) = start();
    let mut rows = Rows(0);
    let mut waiting = Vec::new();
    for post in [POST, OTHER, POST, POST, OTHER] {
        waiting.push(like(&mut rows, &queue, post, ADA).await.unwrap());
    }
    for synced in waiting {
        synced.wait().await;
    }
    assert_eq!(rows.0, 5);
    assert_eq!(syncs(&recorder), [(format!("{POST}, {OTHER}"), true)]);
    recorder.assert_synced::<Post>(&[POST, OTHER]);
    recorder.assert_no_more();
}

#[tokio::test]
async fn a_like_during_the_sync_of_its_post_is_followed_by_another_sync() {
    let (recorder, queue, _task) = start();
    recorder.fail_next(Failure::ConnectionLost);
    let first = like(&mut Rows(0), &queue, POST, ADA).await.unwrap();
    until(|| recorder.calls().len() == 1).await;
    // The sync of the first like is in progress: it has failed, and waits for its next attempt.
    let second = like(&mut Rows(0), &queue, POST, ADA).await.unwrap();
    first.wait().await;
    second.wait().await;
    let post = POST.to_string();
    assert_eq!(
        syncs(&recorder),
        [(post.clone(), false), (post.clone(), true), (post, true)]
    );
}

#[tokio::test]
async fn a_failed_sync_is_repeated() {
    let (recorder, queue, _task) = start();
    recorder.fail::<Post>(Failure::PoolTimedOut);
    let synced = like(&mut Rows(0), &queue, POST, ADA).await.unwrap();
    until(|| recorder.calls().len() == 4).await;
    assert!(recorder.synced::<Post>().is_empty());
    recorder.heal::<Post>();
    synced.wait().await;
    recorder.assert_synced::<Post>(&[POST]);
}

#[tokio::test]
async fn a_failed_like_is_not_queued() {
    let (recorder, queue, task) = start();
    let failed = like(&mut Rows(0), &queue, MISSING, ADA).await;
    assert_eq!(code(failed), Some("NOT_FOUND"));
    drop(queue);
    task.await.unwrap();
    recorder.assert_nothing();
}

#[tokio::test]
async fn queued_likes_are_counted_before_the_shutdown() {
    let (recorder, queue, task) = start();
    // More than one batch, without waiting for them.
    let posts: Vec<Uuid> = (1..=700).map(Uuid::from_u128).collect();
    for post in &posts {
        let _ = like(&mut Rows(0), &queue, *post, ADA).await.unwrap();
    }
    drop(queue);
    task.await.unwrap();
    assert!(syncs(&recorder).len() < 10);
    recorder.assert_synced::<Post>(&posts);
}

#[tokio::test]
async fn an_unreachable_database_does_not_block_the_shutdown() {
    let (recorder, queue, task) = start();
    recorder.fail::<Post>(Failure::ConnectionLost);
    let synced = like(&mut Rows(0), &queue, POST, ADA).await.unwrap();
    drop(queue);
    task.await.unwrap();
    synced.wait().await;
    assert!(recorder.synced::<Post>().is_empty());
}
