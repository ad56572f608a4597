//! Tests that reads that hand connections to each other leave nobody waiting, whatever fails.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fraiseql_runtime::{Readers, TView};
use fraiseql_tests::world;
use futures_util::future::join_all;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Post {
    id: i64,
    title: String,
}

/// A pool with all of its connections open, on a database with ten posts.
async fn pool(connections: u32) -> PgPool {
    let database: PgConnectOptions = fraiseql_tests::database().await;
    let pool = PgPoolOptions::new()
        .min_connections(connections)
        .max_connections(connections)
        .connect_with(database)
        .await
        .unwrap();
    world::numbered_blog().rows(10).on(&pool).await;
    world::model::<Post>().migrate(&pool).await.unwrap();
    sync_all_posts(&pool).await.unwrap();
    until(async || idle(&pool) == connections).await;
    pool
}

fn idle(pool: &PgPool) -> u32 {
    u32::try_from(pool.num_idle()).unwrap()
}

async fn until(holds: impl AsyncFn() -> bool) {
    within(async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// Fails instead of waiting forever.
async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .expect("it comes to an end")
}

#[tokio::test]
async fn a_connection_is_kept_briefly_and_then_returned_to_the_pool() {
    let pool = pool(3).await;
    let readers = Readers::lending(pool.clone());
    assert!(Post::find(&readers, 7).await.unwrap().is_some());
    assert_eq!(idle(&pool), 2, "it is kept for who reads next");
    until(async || idle(&pool) == 3).await;

    // Without a hand-over there is nothing to keep.
    let readers = Readers::from(pool.clone());
    assert!(Post::find(&readers, 7).await.unwrap().is_some());
    until(async || idle(&pool) == 3).await;
}

#[tokio::test]
async fn the_last_connection_is_never_kept() {
    let pool = pool(1).await;
    let readers = Readers::lending(pool.clone());
    for key in 1..=20 {
        let post = Post::find(&readers, key).await.unwrap();
        assert_eq!(post.is_some(), key <= 10);
        // While the reads continue, another task gets the connection.
        within(pool.acquire()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_users_of_the_pool_get_a_connection_while_reads_continue() {
    let pool = pool(2).await;
    let readers = Readers::lending(pool.clone());
    let stop = Arc::new(AtomicBool::new(false));
    let reading: Vec<_> = (1..=8)
        .map(|key| {
            let (readers, stop) = (readers.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut reads = 0_u32;
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(Post::find(&readers, key).await.unwrap().unwrap().id, key);
                    let list = Post::list().limit(3).read(&readers).await.unwrap();
                    assert_eq!(list.iter().count(), 3);
                    reads += 1;
                }
                reads
            })
        })
        .collect();
    for _ in 0..30 {
        let mut connection = within(pool.acquire()).await.unwrap();
        sqlx::query("SELECT 1")
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for reads in within(join_all(reading)).await {
        assert!(reads.unwrap() > 0, "each of them was served, too");
    }
    until(async || idle(&pool) == 2).await;
    assert_eq!(pool.size(), 2);
}

#[tokio::test]
async fn dropped_reads_release_their_connections() {
    let pool = pool(3).await;
    let readers = Readers::lending(pool.clone());
    let mut lock = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE tv_post IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *lock)
        .await
        .unwrap();
    let spawn = |key: i64| {
        let readers = readers.clone();
        tokio::spawn(async move { Post::find(&readers, key).await.unwrap().unwrap().id })
    };
    // Two have a connection and wait for the table, the others wait for a connection.
    let reads: Vec<_> = (1..=10).map(spawn).collect();
    until(async || idle(&pool) == 0).await;
    tokio::task::yield_now().await;
    for given_up in reads.iter().step_by(2) {
        given_up.abort();
    }
    lock.rollback().await.unwrap();
    for (index, read) in within(join_all(reads)).await.into_iter().enumerate() {
        let key = i64::try_from(index).unwrap() + 1;
        assert_eq!(read.ok(), (key % 2 == 0).then_some(key));
    }
    // All three connections are available again, to reads and to others.
    until(async || idle(&pool) == 3).await;
    let again = within(join_all((1..=10).map(spawn))).await;
    assert!(again.iter().all(Result::is_ok));
    let all = within(join_all((0..3).map(|_| pool.acquire()))).await;
    assert!(all.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_failed_read_returns_its_error_and_the_next_succeeds() {
    let pool = pool(3).await;
    let readers = Readers::lending(pool.clone());
    fraiseql_tests::run(&pool, "ALTER TABLE tv_post RENAME TO elsewhere").await;
    let error = Post::find(&readers, 7).await.unwrap_err();
    assert!(error.to_string().contains("tv_post"), "{error}");
    fraiseql_tests::run(&pool, "ALTER TABLE elsewhere RENAME TO tv_post").await;
    assert!(Post::find(&readers, 7).await.unwrap().is_some());
    until(async || idle(&pool) == 3).await;
}

#[tokio::test]
async fn a_lost_connection_fails_one_read_and_is_replaced() {
    let pool = pool(3).await;
    let readers = Readers::lending(pool.clone());
    assert!(Post::find(&readers, 7).await.unwrap().is_some());
    // All but the one that runs this query.
    let mut killer = pool.acquire().await.unwrap();
    sqlx::query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&mut *killer)
    .await
    .unwrap();
    drop(killer);
    let mut failed = 0;
    for _ in 0..10 {
        failed += u32::from(Post::find(&readers, 7).await.is_err());
    }
    assert!(failed <= 2, "{failed} reads have failed");
    until(async || idle(&pool) == 3).await;
}

#[tokio::test]
async fn a_pool_can_be_closed() {
    let pool = pool(3).await;
    let readers = Readers::lending(pool.clone());
    Post::find(&readers, 7).await.unwrap();
    within(pool.close()).await;
    let error = Post::find(&readers, 7).await.unwrap_err();
    assert!(error.to_string().contains("closed"), "{error}");
}
