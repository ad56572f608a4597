//! Tests that a connection that is lost at any moment leaves no wrong document.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fraiseql_tests::world::blog::{migrated, post, sync_all_posts, sync_post};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection};

use crate::posts::{NONE, change, change_with_sync, database, failed, wrong};

/// A client that repeats what failed ends with correct documents, on a pool and in a transaction.
#[tokio::test(flavor = "multi_thread")]
async fn documents_are_correct_when_calls_are_repeated_after_lost_connections() -> anyhow::Result<()>
{
    let admin = migrated(40).await;
    let pool = PgPoolOptions::new()
        .max_connections(6)
        .connect_with(database(&admin).application_name("victim"))
        .await?;
    sync_all_posts(&admin).await?;
    let (done, over) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let clients: Vec<_> = (0..4_u32)
        .map(|client| {
            let (pool, done) = (pool.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut failures = 0_u32;
                for value in 0..120_u64 {
                    // All clients change the same posts.
                    let key = post(u32::try_from(value % 7).unwrap() + 1);
                    let value = value * 4 + u64::from(client);
                    if client % 2 == 0 {
                        while change_with_sync(&pool, key, value).await.is_err() {
                            failures += 1;
                        }
                    } else {
                        let write = async || {
                            let mut transaction = pool.begin().await.map_err(failed)?;
                            change(&mut transaction, key, value).await.map_err(failed)?;
                            transaction.commit().await.map_err(failed)
                        };
                        while write().await.is_err() {
                            failures += 1;
                        }
                        while sync_post(&pool, &[key]).await.is_err() {
                            failures += 1;
                        }
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
                failures
            })
        })
        .collect();
    let cutter = {
        let (admin, over) = (admin.clone(), Arc::clone(&over));
        tokio::spawn(async move {
            let mut cut = 0;
            while !over.load(Ordering::Relaxed) {
                let done = sqlx::query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name = 'victim'
                         AND state = 'active'
                     ORDER BY random() LIMIT 1",
                )
                .execute(&admin)
                .await;
                cut += done.unwrap().rows_affected();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            cut
        })
    };
    let mut failures = 0;
    for client in clients {
        failures += client.await?;
    }
    over.store(true, Ordering::Relaxed);
    let cut = cutter.await?;
    assert!(cut > 10 && failures > 10, "{cut} cut, {failures} failures");
    assert_eq!(done.load(Ordering::Relaxed), 480);
    assert_eq!(wrong(&admin).await, NONE);
    let report = sync_all_posts(&admin).await?;
    assert_eq!(report.changed(), 0, "{report}");
    Ok(())
}

/// The connection is lost between the sync and the commit: both are undone.
#[tokio::test]
async fn a_transaction_whose_connection_is_lost_leaves_neither_row_nor_document()
-> anyhow::Result<()> {
    let pool = migrated(2).await;
    sync_all_posts(&pool).await?;
    let mut writer = PgConnection::connect_with(&database(&pool)).await?;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut writer)
        .await?;
    let mut transaction = writer.begin().await?;
    change(&mut transaction, post(1), 1).await?;
    let report = sync_post(&mut transaction, &[post(1)]).await?;
    assert_eq!(report.updated, 1);
    sqlx::query("SELECT pg_terminate_backend($1)")
        .bind(pid)
        .execute(&pool)
        .await?;
    assert!(transaction.commit().await.is_err());
    assert_eq!(wrong(&pool).await, NONE);
    assert_eq!(sync_all_posts(&pool).await?.unchanged, 2);
    Ok(())
}
