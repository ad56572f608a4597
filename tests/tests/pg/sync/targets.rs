//! Tests that a sync works on pools, connections and transactions, and which targets it refuses.

use fraiseql_runtime::{Error, TView};
use fraiseql_tests::world::blog::{Post, sync_all_posts, sync_post};
use sqlx::postgres::PgPoolOptions;

use super::{count, counts, post, posts, seed, seeded};

#[tokio::test]
async fn documents_of_a_transaction_appear_with_its_commit_or_not_at_all() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    let mut transaction = pool.begin().await?;
    sync_post(&mut transaction, &[post(1)]).await?;
    assert_eq!(count(&pool).await, 0, "not before the commit");
    transaction.rollback().await?;
    assert_eq!(count(&pool).await, 0);

    let mut transaction = pool.begin().await?;
    sqlx::query("UPDATE tb_post SET title = 'Inside'")
        .execute(&mut *transaction)
        .await?;
    // As a transaction, and as the connection it derefs to.
    sync_post(&mut transaction, &[post(1)]).await?;
    let report = sync_post(&mut *transaction, &[post(1)]).await?;
    assert_eq!(counts(&report), [0, 0, 1, 0]);
    transaction.commit().await?;
    let found = Post::find(&pool, post(1)).await?.expect("committed");
    assert_eq!(found.title, "Inside");

    // A row that the transaction wrote twice, and one that it deleted.
    let mut transaction = pool.begin().await?;
    for title in ["One", "Two"] {
        sqlx::query("UPDATE tb_post SET title = $1")
            .bind(title)
            .execute(&mut *transaction)
            .await?;
        let report = sync_post(&mut transaction, &[post(1)]).await?;
        assert_eq!(counts(&report), [0, 1, 0, 0]);
    }
    sqlx::query("DELETE FROM tb_post")
        .execute(&mut *transaction)
        .await?;
    let report = sync_post(&mut transaction, &[post(1)]).await?;
    assert_eq!(counts(&report), [0, 0, 0, 1]);
    transaction.commit().await?;
    Ok(())
}

#[tokio::test]
async fn a_sync_runs_on_a_connection_without_a_transaction() -> anyhow::Result<()> {
    let pool = seeded(2).await;
    let mut connection = pool.acquire().await?;
    assert_eq!(
        counts(&sync_post(&mut connection, &[post(1)]).await?),
        [1, 0, 0, 0]
    );
    assert_eq!(
        counts(&sync_post(&mut *connection, &[post(2)]).await?),
        [1, 0, 0, 0]
    );
    assert_eq!(count(&pool).await, 2);
    Ok(())
}

#[tokio::test]
async fn a_sync_runs_on_a_pool_of_one_connection() -> anyhow::Result<()> {
    let options = fraiseql_tests::database().await;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await?;
    seed(&pool, 3).await;
    assert_eq!(counts(&sync_all_posts(&pool).chunk(1).await?), [3, 0, 0, 0]);
    assert_eq!(Post::find_many(&pool, &posts(1..=3)).await?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn repeatable_read_is_refused_with_the_reason() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    let mut transaction = pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .execute(&mut *transaction)
        .await?;
    let error = sync_post(&mut transaction, &[post(1)]).await.unwrap_err();
    assert!(matches!(error, Error::RepeatableRead), "{error}");
    assert!(!error.is_retryable());
    transaction.rollback().await?;
    let mut transaction = pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        .execute(&mut *transaction)
        .await?;
    assert_eq!(
        counts(&sync_post(&mut transaction, &[post(1)]).await?),
        [1, 0, 0, 0]
    );
    transaction.commit().await?;
    Ok(())
}

/// The connection is lost in the middle of a transaction: nothing is partially written, and the
/// pool stays usable.
#[tokio::test]
async fn a_lost_connection_is_an_error_and_leaves_nothing_partial() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    let mut transaction = pool.begin().await?;
    sync_post(&mut transaction, &[post(1)]).await?;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut *transaction)
        .await?;
    sqlx::query("SELECT pg_terminate_backend($1)")
        .bind(pid)
        .execute(&pool)
        .await?;
    let error = sync_post(&mut transaction, &[post(1)]).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    drop(transaction);
    assert_eq!(count(&pool).await, 0);
    assert_eq!(counts(&sync_post(&pool, &[post(1)]).await?), [1, 0, 0, 0]);
    Ok(())
}

/// One key takes a shorter statement than several, which must report the same.
#[tokio::test]
async fn one_key_and_several_are_reported_alike() -> anyhow::Result<()> {
    let (alone, together) = (seeded(2).await, seeded(2).await);
    for (change, expected) in [
        ("SELECT", [2, 0, 0, 0]),
        ("UPDATE tb_post SET title = 'Again'", [0, 2, 0, 0]),
        ("SELECT", [0, 0, 2, 0]),
        ("DELETE FROM tb_post", [0, 0, 0, 2]),
        ("SELECT", [0, 0, 0, 0]),
    ] {
        for pool in [&alone, &together] {
            sqlx::raw_sql(change).execute(pool).await?;
        }
        let mut one = sync_post(&alone, &[post(1)]).await?;
        one += sync_post(&alone, &[post(2)]).await?;
        let both = sync_post(&together, &[post(1), post(2)]).await?;
        assert_eq!(counts(&one), expected, "{change}");
        assert_eq!(counts(&both), expected, "{change}");
        assert_eq!(one.bytes, both.bytes, "{change}");
    }
    Ok(())
}
