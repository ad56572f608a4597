//! Tests that a repair syncs the documents that are wrong, and no others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use fraiseql_runtime::sync::{BatchEvent, Mode};
use fraiseql_runtime::{Error, Keys, ReadModel};
use fraiseql_tests::run;

use super::{HARM, Post, found, posts, sync_post, verify_post};

#[tokio::test]
async fn a_repair_syncs_only_wrong_documents() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    // Drifted, missing and orphaned keys are synced in one order.
    run(
        &pool,
        "DELETE FROM tv_post WHERE id = 2; UPDATE post SET title = 'new' WHERE id = 55",
    )
    .await;
    let batches: Arc<Mutex<Vec<(Mode, Keys)>>> = Arc::default();
    let recorded = Arc::clone(&batches);
    let model = ReadModel::builder()
        .view::<Post>()
        .observe(move |batch: &BatchEvent<'_>| {
            recorded
                .lock()
                .unwrap()
                .push((batch.mode, batch.keys.clone()));
        })
        .build()?;
    let reports = model.verify(&pool).repair().await?;
    let report = reports.of::<Post>().expect("it is of the model");
    assert_eq!(found(report), (vec![7, 55], vec![2, 8], vec![9]));
    assert!(!report.is_clean(), "it was not");
    let repaired = report.repaired.clone().expect("it was repaired");
    assert_eq!(
        (repaired.inserted, repaired.updated, repaired.deleted),
        (2, 2, 1)
    );
    assert!(
        report
            .to_string()
            .contains("\n  repaired: 2 inserted, 2 updated, 0 unchanged, 1 deleted in "),
        "{report}"
    );
    assert_eq!(
        *batches.lock().unwrap(),
        [
            (Mode::Sync, Keys::I64(vec![2, 7, 8, 9])),
            (Mode::Sync, Keys::I64(vec![55]))
        ],
        "observers of the read model are called"
    );
    assert!(verify_post(&pool).await?.is_clean());
    let versions: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM tv_post WHERE id IN (6, 7, 8) ORDER BY id")
            .fetch_all(&pool)
            .await?;
    assert_eq!(versions, [1, 2, 1]);
    Ok(())
}

#[tokio::test]
async fn a_repair_in_a_transaction_is_rolled_back_with_it() -> anyhow::Result<()> {
    let pool = posts().await;
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql(HARM).execute(&mut *transaction).await?;
    let report = verify_post(&mut transaction).repair().await?;
    assert_eq!(found(&report), (vec![7], vec![8], vec![9]));
    assert!(verify_post(&mut transaction).await?.is_clean());
    transaction.rollback().await?;
    assert!(verify_post(&pool).await?.is_clean());
    Ok(())
}

/// A writer commits first and syncs afterwards; repairs meet documents that are not synced yet.
#[tokio::test]
async fn repairs_during_concurrent_writes_lose_nothing() -> anyhow::Result<()> {
    let pool = posts().await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..2_i64)
        .map(|writer| {
            let (pool, stop) = (pool.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut round = 0_i64;
                while !stop.load(Ordering::Relaxed) {
                    round += 1;
                    let key = 1 + (round * 7 + writer) % 60;
                    let mut transaction = pool.begin().await?;
                    sqlx::query("UPDATE post SET title = 'round ' || $1, score = $1 WHERE id = $2")
                        .bind(round)
                        .bind(key)
                        .execute(&mut *transaction)
                        .await?;
                    if round % 2 == 0 {
                        sync_post(&mut transaction, &[key]).await?;
                        transaction.commit().await?;
                    } else {
                        transaction.commit().await?;
                        sync_post(&pool, &[key]).await?;
                    }
                }
                anyhow::Ok(round)
            })
        })
        .collect();
    let mut repaired = 0;
    let mut rounds = 0;
    while rounds < 40 || (repaired == 0 && rounds < 2000) {
        rounds += 1;
        let report = verify_post(&pool).chunk(20).repair().await?;
        repaired += report.drifted.total();
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await?? > 0);
    }
    assert!(repaired > 0, "a document was met before its sync");
    assert!(verify_post(&pool).await?.is_clean());
    Ok(())
}

#[tokio::test]
async fn a_repair_in_a_repeatable_read_transaction_is_refused() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    let mut transaction = pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await?;
    let error = verify_post(&mut transaction).repair().await.unwrap_err();
    assert!(matches!(error, Error::RepeatableRead), "{error}");
    transaction.rollback().await?;
    Ok(())
}
