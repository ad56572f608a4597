//! Tests that a sync that the database refuses is retried, or reports the reason.

use fraiseql_tests::run;
use fraiseql_tests::world::blog::sync_post;
use sqlx::PgPool;

use super::{count, counts, post, posts, seeded};

#[tokio::test]
async fn a_refused_document_is_reported_and_a_failing_statement_is_an_error_with_its_operation()
-> anyhow::Result<()> {
    let pool = seeded(2).await;
    run(
        &pool,
        "ALTER TABLE tv_post ADD CHECK (data->>'title' <> 'Post 2')",
    )
    .await;
    let report = sync_post(&pool, &posts(1..=2)).await?;
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    assert_eq!(report.invalid[0].key, post(2).to_string());
    assert!(
        report.invalid[0].reason.contains("tv_post_data_check"),
        "{report:?}"
    );
    run(
        &pool,
        "ALTER TABLE tb_post RENAME COLUMN title TO name; TRUNCATE tv_post",
    )
    .await;
    let error = sync_post(&pool, &posts(1..=2)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("syncing \"public\".\"tv_post\": "),
        "{error}"
    );
    assert_eq!(count(&pool).await, 0);
    Ok(())
}

/// Makes this number of document writes fail with a serialization failure. A sequence counts them,
/// because it is not rolled back.
async fn contend(pool: &PgPool, times: i64) {
    run(
        pool,
        "CREATE SEQUENCE writes MINVALUE 0 START 0;
         SELECT nextval('writes');
         CREATE TABLE times AS SELECT 0::int8 AS times;
         CREATE FUNCTION contend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('writes') <= (SELECT times FROM times) THEN
                 RAISE EXCEPTION 'in the way' USING ERRCODE = 'serialization_failure';
             END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER contend AFTER INSERT ON tv_post FOR EACH STATEMENT EXECUTE FUNCTION contend()",
    )
    .await;
    sqlx::query("UPDATE times SET times = $1")
        .bind(times)
        .execute(pool)
        .await
        .unwrap();
}

async fn writes(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT last_value FROM writes")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_serialization_failure_on_a_pool_is_retried_five_times() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    contend(&pool, 5).await;
    assert_eq!(counts(&sync_post(&pool, &[post(1)]).await?), [1, 0, 0, 0]);
    assert_eq!(writes(&pool).await, 5 + 1);

    let pool = seeded(1).await;
    contend(&pool, 100).await;
    let error = sync_post(&pool, &[post(1)]).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(writes(&pool).await, 1 + 5);
    Ok(())
}

/// The transaction is the caller's, who must run it again: what it has read may be outdated.
#[tokio::test]
async fn a_serialization_failure_in_a_transaction_is_left_to_the_caller() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    contend(&pool, 1).await;
    let mut transaction = pool.begin().await?;
    let error = sync_post(&mut transaction, &[post(1)]).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(writes(&pool).await, 1);
    transaction.rollback().await?;
    assert_eq!(counts(&sync_post(&pool, &[post(1)]).await?), [1, 0, 0, 0]);
    Ok(())
}
