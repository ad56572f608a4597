//! Tests of invalid documents with unique values: exchanged, or taken by another document.

use fraiseql_runtime::Error;
use fraiseql_tests::run;

use super::{all, documents, invalid, sensors, sync_all_sensors, sync_sensor};

#[tokio::test]
async fn documents_can_exchange_unique_values() -> anyhow::Result<()> {
    let pool = sensors().await;
    sync_all_sensors(&pool).await?;
    // Each takes the name that the next has given up.
    run(&pool, "UPDATE sensor SET name = 'sensor ' || (id + 1)").await;
    let report = sync_sensor(&pool, &all()).await?;
    assert_eq!((report.updated, invalid(&report)), (60, vec![]));
    // Two exchange theirs, in a transaction.
    run(
        &pool,
        "UPDATE sensor SET name = 'sensor ' || (3 - (id - 1)) WHERE id IN (1, 2)",
    )
    .await;
    let mut transaction = pool.begin().await?;
    let report = sync_sensor(&mut transaction, &all()).await?;
    assert_eq!(
        (report.updated, report.unchanged, invalid(&report)),
        (2, 58, vec![])
    );
    transaction.commit().await?;
    let name: String = sqlx::query_scalar("SELECT name FROM tv_sensor WHERE id = 1")
        .fetch_one(&pool)
        .await?;
    assert_eq!(name, "sensor 3");
    // One takes the name of a document that is deleted.
    run(
        &pool,
        "DELETE FROM sensor WHERE id = 60; UPDATE sensor SET name = 'sensor 61' WHERE id = 2",
    )
    .await;
    let report = sync_sensor(&pool, &[2, 60]).await?;
    assert_eq!(
        (report.updated, report.deleted, invalid(&report)),
        (1, 1, vec![])
    );
    Ok(())
}

#[tokio::test]
async fn a_unique_value_of_another_document_is_reported() -> anyhow::Result<()> {
    let pool = sensors().await;
    sync_all_sensors(&pool).await?;
    run(
        &pool,
        "UPDATE sensor SET name = 'sensor 50', weight = 1 WHERE id <= 3",
    )
    .await;
    let report = sync_sensor(&pool, &[1, 2, 3, 4]).await?;
    let duplicate = "name: duplicate key value violates unique constraint \"tv_sensor_name_idx\"";
    assert_eq!(
        invalid(&report),
        [("1", duplicate), ("2", duplicate), ("3", duplicate)]
    );
    assert_eq!(report.unchanged, 1);
    let names: i64 = sqlx::query_scalar("SELECT count(name) FROM tv_sensor")
        .fetch_one(&pool)
        .await?;
    assert_eq!(names, 60, "no name was emptied for nothing");
    Ok(())
}

/// Also if a failed batch is retried in another way.
#[tokio::test]
async fn repeatable_read_is_refused_for_views_with_unique_values() -> anyhow::Result<()> {
    let pool = sensors().await;
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .execute(&mut *transaction)
        .await?;
    let error = sync_sensor(&mut transaction, &[1]).await.unwrap_err();
    assert!(matches!(error, Error::RepeatableRead), "{error}");
    transaction.commit().await?;
    assert_eq!(documents(&pool).await, 0);
    Ok(())
}
