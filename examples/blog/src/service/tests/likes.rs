//! The queue of likes, on a recorder in the place of the pool.

use std::time::Duration;

use fraiseql_runtime::testing::Call;
use fraiseql_runtime::{Failure, Recorder};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::timeout;
use uuid::Uuid;

use super::{ADA, NOBODY, POST, code, there};
use crate::rows::Likes;
use crate::service::Result;
use crate::service::likes;
use crate::service::likes::{Queue, Synced};
use crate::views::Post;

const OTHER: Uuid = Uuid::from_u128(9);

/// Rows of likes, by the number.
struct Rows(usize);

impl Likes for Rows {
    async fn insert_like(&mut self, post: Uuid, _: Uuid) -> Result<()> {
        there("post", post)?;
        self.0 += 1;
        Ok(())
    }
}

fn start() -> (Recorder, Queue, JoinHandle<()>) {
    let recorder = Recorder::new();
    let (queue, task) = Queue::start::<Recorder>(recorder.clone());
    (recorder, queue, task)
}

/// What the API does.
async fn like(rows: &mut Rows, queue: &Queue, post: Uuid, user: Uuid) -> Result<Synced> {
    likes::like(rows, post, user).await?;
    Ok(queue.push(post).await)
}

/// The posts of each sync, and whether it was done.
fn syncs(recorder: &Recorder) -> Vec<(String, bool)> {
    let told = |call: Call| (call.keys.to_string(), call.error.is_none());
    recorder.calls().into_iter().map(told).collect()
}

/// The task runs whenever the test yields: there is one thread.
async fn until(is_so: impl Fn() -> bool) {
    let soon = async {
        while !is_so() {
            yield_now().await;
        }
    };
    let soon = timeout(Duration::from_secs(10), soon).await;
    soon.expect("it never comes");
}

#[tokio::test]
async fn likes_that_come_together_are_one_sync() {
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
async fn a_like_that_comes_while_its_post_is_synced_is_counted_by_another_sync() {
    let (recorder, queue, _task) = start();
    recorder.fail_next(Failure::ConnectionLost);
    let first = like(&mut Rows(0), &queue, POST, ADA).await.unwrap();
    until(|| recorder.calls().len() == 1).await;
    // The sync is under way: it has failed, and is tried again.
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
async fn a_sync_is_tried_until_it_is_done() {
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
async fn a_like_that_was_not_written_is_not_counted() {
    let (recorder, queue, task) = start();
    let failed = like(&mut Rows(0), &queue, NOBODY, ADA).await;
    assert_eq!(code(failed), Some("NOT_FOUND"));
    drop(queue);
    task.await.unwrap();
    recorder.assert_nothing();
}

#[tokio::test]
async fn what_is_queued_is_counted_before_the_server_ends() {
    let (recorder, queue, task) = start();
    // More than a batch, and nobody waits for them.
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
async fn a_database_that_is_gone_does_not_keep_the_server_from_ending() {
    let (recorder, queue, task) = start();
    recorder.fail::<Post>(Failure::ConnectionLost);
    let synced = like(&mut Rows(0), &queue, POST, ADA).await.unwrap();
    drop(queue);
    task.await.unwrap();
    synced.wait().await;
    assert!(recorder.synced::<Post>().is_empty());
}
