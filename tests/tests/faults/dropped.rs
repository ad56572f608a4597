//! Tests that a sync whose future is dropped at any await leaves the connection usable and every
//! document complete.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use fraiseql_tests::run;
use fraiseql_tests::world::blog::{migrated, post, posts, sync_all_posts, sync_post};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};

use crate::posts::{NONE, change, database, wrong};

/// After how many waits to drop a future: each count several times, because a response of the
/// server may arrive in one piece or in several.
pub(crate) fn wait_counts() -> impl Iterator<Item = usize> {
    (0..12).flat_map(|_| 0..16)
}

/// Polls a future through `waits` waits, and then drops it. `None` if it did not complete.
pub(crate) async fn poll_then_drop<F: Future>(future: F, waits: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = waits;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// A pool of one connection, so that the next user meets the state that a dropped future leaves.
/// Its time zone is not the one in which documents are built, so that a sync has to change it.
pub(crate) async fn pool_in_kathmandu(pool: &PgPool) -> PgPool {
    pool_in_kathmandu_of(pool, 1).await
}

/// The same with several connections.
pub(crate) async fn pool_in_kathmandu_of(pool: &PgPool, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql("SET TimeZone = 'Asia/Kathmandu'")
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .connect_with(database(pool))
        .await
        .unwrap()
}

/// Asserts that the connections are as before: same time zone, no open transaction.
pub(crate) async fn assert_connections_unchanged(pool: &PgPool, waits: usize) {
    let mut connections = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        connections.push(pool.acquire().await.unwrap());
    }
    for connection in &mut connections {
        assert_connection_unchanged(connection, waits).await;
    }
}

async fn assert_connection_unchanged(connection: &mut PgConnection, waits: usize) {
    let zone: String = sqlx::query_scalar("SELECT current_setting('TimeZone')")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(zone, "Asia/Kathmandu", "after {waits} waits");
    let error = sqlx::query("SAVEPOINT none")
        .execute(&mut *connection)
        .await
        .map_or_else(
            |error| error,
            |_| panic!("a transaction is open after {waits} waits"),
        );
    let code = error.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("25P01"), "after {waits} waits");
}

/// The connection is then about to be rolled back, which also happens when it is dropped.
#[tokio::test]
async fn a_dropped_sync_in_a_transaction_is_rolled_back_completely() -> anyhow::Result<()> {
    let admin = migrated(6).await;
    sync_all_posts(&admin).await?;
    let pool = pool_in_kathmandu(&admin).await;
    for explicit in [true, false] {
        let mut ready = 0;
        for waits in wait_counts() {
            let mut writer = pool.begin().await?;
            for n in 1..=6 {
                change(&mut writer, post(n), u64::try_from(waits)?).await?;
            }
            let result = poll_then_drop(sync_post(&mut writer, &posts(1..=6)), waits).await;
            if explicit {
                writer.rollback().await?;
            } else {
                drop(writer);
            }
            assert_connections_unchanged(&pool, waits).await;
            assert_eq!(wrong(&admin).await, NONE, "after {waits} waits");
            if let Some(result) = result {
                assert_eq!(result?.updated, 6);
                ready += 1;
            }
        }
        assert!(ready > 0, "it is never ready");
    }
    let comments: i64 = sqlx::query_scalar("SELECT count(*) FROM tb_comment")
        .fetch_one(&admin)
        .await?;
    assert_eq!(comments, 0);
    Ok(())
}

/// Dropped while it waits for a document that another session holds: the statement still waits on
/// the server, and must not write an older document afterwards.
#[tokio::test]
async fn a_sync_dropped_while_it_waits_writes_no_outdated_document() -> anyhow::Result<()> {
    let admin = migrated(1).await;
    sync_all_posts(&admin).await?;
    let pool = pool_in_kathmandu(&admin).await;
    let mut holder = admin.begin().await?;
    sqlx::raw_sql("SELECT FROM tv_post FOR UPDATE")
        .execute(&mut *holder)
        .await?;
    run(&admin, "UPDATE tb_post SET title = 'Older'").await;
    let keys = [post(1)];
    let waiting = sync_post(&pool, &keys);
    let blocked = async {
        loop {
            let blocked: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                     AND cardinality(pg_blocking_pids(pid)) > 0)",
            )
            .fetch_one(&admin)
            .await
            .unwrap();
            if blocked {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = waiting => panic!("the document is held"),
        () = blocked => {}
    }
    run(&admin, "UPDATE tb_post SET title = 'Newer'").await;
    sync_post(&mut holder, &[post(1)]).await?;
    holder.commit().await?;
    assert_connections_unchanged(&pool, 0).await;
    assert_eq!(wrong(&admin).await, NONE);
    Ok(())
}
