//! Tests that a mutation commits or rolls back as a whole, on the connections it needs.

use std::time::Duration;

use fraiseql_runtime::{Changes, Mutation};
use sqlx::postgres::PgPoolOptions;

use super::{Comment, Post, Tag, assert_right, blog, execute, stored};

#[tokio::test]
async fn a_mutation_that_is_dropped_or_rolled_back_changes_nothing() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let before = stored(&pool).await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "DELETE FROM tb_post").await;
    m.changed::<Post>(&[1, 2, 3]);
    drop(m);
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "DELETE FROM tb_post").await;
    m.changed::<Post>(&[1, 2, 3]);
    m.rollback().await?;
    assert_eq!(stored(&pool).await, before);
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn rolling_back_a_savepoint_removes_its_marks() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    let mut part = m.savepoint().await?;
    sqlx::raw_sql("UPDATE tb_tag SET name = 'x'")
        .execute(&mut *part)
        .await?;
    part.changed::<Tag>(&[1, 2]);
    drop(part);
    let mut part = m.savepoint().await?;
    sqlx::raw_sql("UPDATE tb_post SET title = 'x' WHERE id = 3")
        .execute(&mut *part)
        .await?;
    part.changed::<Post>(&[3]);
    let mut inner = part.savepoint().await?;
    sqlx::raw_sql("DELETE FROM tb_post")
        .execute(&mut *inner)
        .await?;
    inner.changed::<Post>(&[1, 2, 3]);
    inner.rollback().await?;
    part.release().await?;
    let report = m.commit().await?;
    assert_eq!(
        (report.total(), report.of::<Post>().unwrap().updated),
        (2, 1),
        "{report}"
    );
    assert_right(&pool).await;
    Ok(())
}

/// No second connection can be had: the work runs again, and looks at the rows before it changes them.
#[tokio::test]
async fn a_mutation_runs_on_a_pool_of_one_connection() -> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let (pool, model) = blog().await;
    let one = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(3))
        .connect_with((*pool.connect_options()).clone())
        .await?;
    for post in [3, 2, 3] {
        let (_, report) = model
            .mutate(&one, async |m| -> anyhow::Result<()> {
                sqlx::query("UPDATE tb_comment SET post_id = $1 WHERE id = 1")
                    .bind(post)
                    .execute(&mut **m)
                    .await?;
                m.changed::<Comment>(&[1]);
                Ok(())
            })
            .await?;
        assert_eq!(report.of::<Post>().unwrap().updated, 2, "{report}");
        assert_eq!(report.retries, 1);
    }
    let connections: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()",
    )
    .fetch_one(&one)
    .await?;
    let of_others = i64::from(pool.size());
    assert_eq!(connections - of_others, 1, "none beside the pool");
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn a_lost_second_connection_is_replaced() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let two = PgPoolOptions::new()
        .min_connections(2)
        .max_connections(2)
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let mut m = model.mutation(&two).await?;
    // The idle connection, which the pool has not tested since.
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&mut *m)
    .await?;
    execute(&mut m, "UPDATE tb_comment SET post_id = 3 WHERE id = 1").await;
    m.changed::<Comment>(&[1]);
    m.commit().await?;
    assert_right(&two).await;
    Ok(())
}

#[tokio::test]
async fn waiting_for_a_table_that_the_mutation_itself_locks_times_out() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "TRUNCATE tb_comment").await;
    m.changed::<Comment>(&[1]);
    let error = m.commit().await.unwrap_err();
    assert!(error.to_string().contains("lock timeout"), "{error}");
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn a_mutation_can_be_sent_between_threads() -> anyhow::Result<()> {
    async fn service(m: &mut Mutation) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE tb_post SET title = 'x' WHERE id = 1")
            .execute(&mut **m)
            .await?;
        m.changed::<Post>(&[1]);
        Ok(())
    }
    let (pool, model) = blog().await;
    let (of_task, of_model) = (pool.clone(), model.clone());
    tokio::spawn(async move {
        let mut m = of_model.mutation(&of_task).await?;
        service(&mut m).await?;
        m.commit().await?;
        let (_, report) = of_model
            .mutate(&of_task, async |m| -> anyhow::Result<()> {
                service(m).await?;
                Ok(())
            })
            .await?;
        assert_eq!(report.of::<Post>().unwrap().unchanged, 1);
        anyhow::Ok(())
    })
    .await??;
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn functions_that_only_mark_accept_any_changes() -> anyhow::Result<()> {
    fn touched(changes: &mut impl Changes) -> fraiseql_runtime::Result<()> {
        changes.changed::<Tag>(&[1]);
        changes.inserted::<Comment>(&[7]);
        changes.changed_rows("tb_post_tag", "post_id", &[1_i64])?;
        changes.resync::<Post>(&[3]);
        Ok(())
    }
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "UPDATE tb_tag SET name = 'SQL' WHERE id = 1").await;
    touched(&mut m)?;
    let mut part = m.savepoint().await?;
    touched(&mut part)?;
    part.release().await?;
    let report = m.commit().await?;
    assert_eq!(report.of::<Post>().unwrap().total(), 3, "{report}");
    assert_right(&pool).await;
    let mut m = model.mutation(&pool).await?;
    let error = m
        .changed_rows("tb_posttag", "post_id", &[1_i64])
        .unwrap_err();
    assert!(
        error.to_string().ends_with("did you mean `tb_post_tag`?"),
        "{error}"
    );
    Ok(())
}
