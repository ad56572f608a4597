//! Tests that mutations that conflict with other transactions run again, or fail and change
//! nothing.

use fraiseql_runtime::Error;
use fraiseql_runtime::mutation::Isolation;

use super::{Comment, Post, User, assert_right, blog, execute};

#[tokio::test]
async fn a_mutation_is_retried_after_a_deadlock() -> anyhow::Result<()> {
    #[derive(Debug, thiserror::Error)]
    enum Failure {
        #[error("no such user")]
        Missing,
        #[error(transparent)]
        Sql(#[from] sqlx::Error),
        #[error(transparent)]
        Sync(#[from] Error),
    }
    let (pool, model) = blog().await;
    let rename = async |first: i64, second: i64| {
        model
            .mutate(&pool, async |m| -> Result<(), Failure> {
                for user in [first, second] {
                    let done = sqlx::query("UPDATE tb_user SET name = name || 'x' WHERE id = $1")
                        .bind(user)
                        .execute(&mut **m)
                        .await?;
                    if done.rows_affected() == 0 {
                        return Err(Failure::Missing);
                    }
                    // Long enough for the other transaction to take its first lock.
                    sqlx::query("SELECT pg_sleep(0.05)")
                        .execute(&mut **m)
                        .await?;
                }
                m.changed::<User>(&[first, second]);
                Ok(())
            })
            .await
    };
    let (one, other) = tokio::join!(rename(1, 2), rename(2, 1));
    assert!(one?.1.retries + other?.1.retries > 0);
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM tb_user ORDER BY id")
        .fetch_all(&pool)
        .await?;
    assert_eq!(names, ["Adaxx", "Bobxx", "Eve"]);
    assert_right(&pool).await;
    let error = rename(1, 9).await.unwrap_err();
    assert!(matches!(error, Failure::Missing));
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn serializable_mutations_fail_or_leave_correct_documents() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation_with(&pool, Isolation::Serializable).await?;
    // Takes its snapshot.
    execute(&mut m, "UPDATE tb_user SET name = 'Robert' WHERE id = 2").await;
    m.changed::<User>(&[2]);
    // Another transaction inserts a row that this one does not see, and that embeds the row it
    // changes.
    let mut other = model.mutation(&pool).await?;
    execute(
        &mut other,
        "SET LOCAL lock_timeout = '100ms'; INSERT INTO tb_comment VALUES (5, 'New', 3, 2)",
    )
    .await;
    other.inserted::<Comment>(&[5]);
    let error = other.commit().await.unwrap_err();
    assert!(
        error.to_string().contains("lock timeout"),
        "it waits for the first: {error}"
    );
    m.commit().await?;
    assert_right(&pool).await;

    let mut m = model.mutation_with(&pool, Isolation::Serializable).await?;
    execute(&mut m, "SELECT count(*) FROM tb_comment").await;
    let mut other = model.mutation(&pool).await?;
    execute(&mut other, "INSERT INTO tb_comment VALUES (5, 'New', 3, 2)").await;
    other.inserted::<Comment>(&[5]);
    other.commit().await?;
    execute(&mut m, "UPDATE tb_user SET name = 'Bobby' WHERE id = 2").await;
    m.changed::<User>(&[2]);
    let error = m.commit().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_right(&pool).await;
    Ok(())
}

/// The comment is removed from a post that another session is moving to another author, whose
/// document must no longer count it.
#[tokio::test]
async fn the_document_of_an_old_parent_that_moves_meanwhile_is_synced() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut other = model.mutation(&pool).await?;
    execute(&mut other, "UPDATE tb_post SET author_id = 3 WHERE id = 1").await;
    other.changed::<Post>(&[1]);
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "UPDATE tb_comment SET post_id = 3 WHERE id = 1").await;
    m.changed::<Comment>(&[1]);
    let (one, two) = tokio::join!(m.commit(), async {
        fraiseql_tests::world::wait_for_a_lock(&pool).await;
        other.commit().await
    });
    let (one, _) = (one?, two?);
    assert_eq!(
        one.of::<User>().unwrap().updated,
        2,
        "the authors of posts 1 and 3: {one}"
    );
    assert_right(&pool).await;
    Ok(())
}
