//! Tests that a sync that is dropped at any await leaves its connection usable and documents whole.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use fraiseql_tests::run;
use fraiseql_tests::world::blog::{migrated, post, posts, sync_all_posts, sync_post};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};

use crate::posts::{NONE, change, database, wrong};

/// After how many waits to drop a future: everywhere, several times, because an answer of the
/// server comes in one piece or in more.
pub(crate) fn sweeps() -> impl Iterator<Item = usize> {
    (0..12).flat_map(|_| 0..16)
}

/// Lets a future wait so many times, and then drops it. `None` where it was not ready.
pub(crate) async fn dropped<F: Future>(future: F, waits: usize) -> Option<F::Output> {
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

/// A pool of one connection: what a dropped future leaves behind, the next one meets. Its zone is
/// not the one that documents are made in, so that a sync has to change it.
pub(crate) async fn odd(pool: &PgPool) -> PgPool {
    odd_of(pool, 1).await
}

/// The same with more connections.
pub(crate) async fn odd_of(pool: &PgPool, connections: u32) -> PgPool {
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

/// The connections are as they were: their zone, and no transaction.
pub(crate) async fn untouched(pool: &PgPool, waits: usize) {
    let mut connections = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        connections.push(pool.acquire().await.unwrap());
    }
    for connection in &mut connections {
        untouched_connection(connection, waits).await;
    }
}

async fn untouched_connection(connection: &mut PgConnection, waits: usize) {
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

/// The transaction is to be rolled back then, which also happens when it is dropped.
#[tokio::test]
async fn a_sync_in_a_transaction_that_is_dropped_is_rolled_back_whole() -> anyhow::Result<()> {
    let admin = migrated(6).await;
    sync_all_posts(&admin).await?;
    let pool = odd(&admin).await;
    for explicit in [true, false] {
        let mut ready = 0;
        for waits in sweeps() {
            let mut writer = pool.begin().await?;
            for n in 1..=6 {
                change(&mut writer, post(n), u64::try_from(waits)?).await?;
            }
            let result = dropped(sync_post(&mut writer, &posts(1..=6)), waits).await;
            if explicit {
                writer.rollback().await?;
            } else {
                drop(writer);
            }
            untouched(&pool, waits).await;
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

/// Dropped while it waits for a document that another session holds: the server's statement still
/// waits, and must not come back with an older picture.
#[tokio::test]
async fn a_sync_that_is_dropped_while_it_waits_writes_nothing_old() -> anyhow::Result<()> {
    let admin = migrated(1).await;
    sync_all_posts(&admin).await?;
    let pool = odd(&admin).await;
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
    untouched(&pool, 0).await;
    assert_eq!(wrong(&admin).await, NONE);
    Ok(())
}
