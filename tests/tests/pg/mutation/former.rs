//! Tests of how a mutation sees rows as they were before it changed them.

use std::time::{Duration, Instant};

use fraiseql_runtime::{Error, ReadModel};
use fraiseql_tests::pooler::pooler;
use fraiseql_tests::run;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

use super::{Comment, Post, Tag, User, assert_right, blog, execute};

/// A pool of this many connections to the same database.
async fn pool_of(pool: &PgPool, connections: u32) -> PgPool {
    small(&pool.connect_options(), connections).await
}

async fn small(options: &PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(options.clone())
        .await
        .unwrap()
}

/// The model of the blog, whose mutations have no second connection at all.
fn without_second() -> ReadModel {
    ReadModel::builder()
        .view::<Comment>()
        .view::<Post>()
        .view::<User>()
        .second_connection_wait(Duration::ZERO)
        .build()
        .unwrap()
}

#[tokio::test]
async fn rows_that_are_looked_at_before_need_no_second_connection() -> anyhow::Result<()> {
    for sql in [
        "UPDATE tb_comment SET post_id = 3, author_id = 1 WHERE id = 1",
        "DELETE FROM tb_comment WHERE id = 1",
        "DELETE FROM tb_comment WHERE id = 1; INSERT INTO tb_comment VALUES (1, 'New', 3, 1)",
        "SELECT",
    ] {
        let (pool, _) = blog().await;
        let mut m = without_second().mutation(&pool_of(&pool, 1).await).await?;
        m.changing::<Comment>(&[1, 99]).await?;
        execute(&mut m, sql).await;
        m.changed::<Comment>(&[1]); // it may be marked again
        m.commit().await?;
        assert_right(&pool).await;
    }
    Ok(())
}

#[tokio::test]
async fn cascades_are_found_before_they_happen() -> anyhow::Result<()> {
    for sql in [
        "DELETE FROM tb_user WHERE id IN (1, 3)",
        "DELETE FROM tb_user WHERE id = 1; INSERT INTO tb_user VALUES (1, 'Ada')",
    ] {
        let (pool, _) = blog().await;
        let mut m = without_second().mutation(&pool_of(&pool, 1).await).await?;
        m.changing::<User>(&[1, 3]).await?;
        execute(&mut m, sql).await;
        m.commit().await?;
        assert_right(&pool).await;
    }
    Ok(())
}

#[tokio::test]
async fn an_update_after_a_look_syncs_what_embeds_the_row_and_nothing_else() -> anyhow::Result<()> {
    let (pool, _) = blog().await;
    let mut m = without_second().mutation(&pool).await?;
    m.changing::<User>(&[2]).await?;
    execute(&mut m, "UPDATE tb_user SET name = 'Robert' WHERE id = 2").await;
    let report = m.commit().await?;
    // Not the comments that would have gone with the user.
    assert!(report.of::<Comment>().is_none(), "{report}");
    assert_eq!(report.total(), 4, "{report}");
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn rows_of_a_join_table_can_be_looked_at_before() -> anyhow::Result<()> {
    let (pool, _) = blog().await;
    let mut m = without_second().mutation(&pool_of(&pool, 1).await).await?;
    m.changing_rows("tb_post_tag", "tag_id", &[1_i32]).await?;
    execute(&mut m, "DELETE FROM tb_post_tag WHERE tag_id = 1").await;
    let report = m.commit().await?;
    assert_eq!(report.of::<Post>().unwrap().updated, 2, "{report}");
    assert_right(&pool).await;
    let mut m = without_second().mutation(&pool).await?;
    let error = m.changing_rows("tb_posttag", "tag_id", &[1_i32]).await;
    assert!(matches!(error, Err(Error::NoSuchTable { .. })));
    Ok(())
}

/// The mutation could not read the table as it was: it holds the lock of TRUNCATE.
#[tokio::test]
async fn a_table_can_be_truncated_after_a_look() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    m.changing::<Comment>(&[1, 2, 3]).await?;
    execute(&mut m, "TRUNCATE tb_comment").await;
    m.commit().await?;
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn what_was_changed_before_the_look_is_still_read_as_it_was() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    execute(&mut m, "UPDATE tb_comment SET post_id = 2 WHERE id = 1").await;
    m.changed::<Comment>(&[1]);
    m.changing::<Comment>(&[1]).await?;
    execute(&mut m, "UPDATE tb_comment SET post_id = 3 WHERE id = 1").await;
    m.commit().await?;
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn a_look_ends_with_its_savepoint() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let one = pool_of(&pool, 1).await;
    let mut m = model.mutation(&one).await?;
    let mut part = m.savepoint().await?;
    part.changing::<Comment>(&[1]).await?;
    sqlx::raw_sql("DELETE FROM tb_comment WHERE id = 1")
        .execute(&mut *part)
        .await?;
    part.rollback().await?;
    let mut part = m.savepoint().await?;
    part.changing_rows("tb_comment", "id", &[3_i64]).await?;
    let mut inner = part.savepoint().await?;
    sqlx::raw_sql("DELETE FROM tb_comment WHERE id = 3")
        .execute(&mut *inner)
        .await?;
    inner.changed::<Comment>(&[3]); // looked at outside
    inner.release().await?;
    part.release().await?;
    let report = m.commit().await?;
    assert_eq!(report.of::<Post>().unwrap().total(), 1, "{report}");
    assert_right(&pool).await;

    // The locks of the first savepoint are gone as well, and so is what it knew.
    let mut m = model.mutation(&one).await?;
    let mut part = m.savepoint().await?;
    part.changing::<Comment>(&[1]).await?;
    part.rollback().await?;
    run(&pool, "UPDATE tb_comment SET author_id = NULL WHERE id = 1").await;
    execute(&mut m, "DELETE FROM tb_comment WHERE id = 1").await;
    m.changed::<Comment>(&[1]);
    let error = m.commit().await.unwrap_err();
    assert!(matches!(error, Error::NoSecondConnection { .. }), "{error}");
    Ok(())
}

/// Nobody can change what was looked at, or add to what will be deleted.
#[tokio::test]
async fn rows_that_were_looked_at_are_locked_with_those_that_go_with_them() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let mut m = model.mutation(&pool).await?;
    m.changing::<User>(&[1]).await?;
    for sql in [
        "UPDATE tb_user SET name = 'x' WHERE id = 1",
        "INSERT INTO tb_post VALUES (9, 'Nine', 1)",
        "UPDATE tb_post SET author_id = 2 WHERE id = 1",
        "INSERT INTO tb_comment VALUES (9, 'Nine', 1, 3)",
        "UPDATE tb_comment SET author_id = 3 WHERE id = 1",
    ] {
        let mut other = pool.begin().await?;
        sqlx::raw_sql("SET LOCAL lock_timeout = '50ms'")
            .execute(&mut *other)
            .await?;
        let error = sqlx::raw_sql(sql).execute(&mut *other).await.unwrap_err();
        assert!(error.to_string().contains("lock timeout"), "{sql}: {error}");
    }
    execute(&mut m, "DELETE FROM tb_user WHERE id = 1").await;
    m.commit().await?;
    assert_right(&pool).await;
    Ok(())
}

#[tokio::test]
async fn a_second_connection_is_waited_for_with_a_bound() -> anyhow::Result<()> {
    let (pool, _) = blog().await;
    let model = ReadModel::builder()
        .view::<Comment>()
        .view::<Post>()
        .view::<User>()
        .second_connection_wait(Duration::from_millis(200))
        .build()?;
    let two = pool_of(&pool, 2).await;
    let held = two.acquire().await?;
    let mut m = model.mutation(&two).await?;
    execute(&mut m, "UPDATE tb_comment SET post_id = 3 WHERE id = 1").await;
    m.changed::<Comment>(&[1]);
    let start = Instant::now();
    let error = m.commit().await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(error.is_retryable());
    let text = error.to_string();
    assert!(
        text.starts_with(
            "rows of \"public\".\"tb_comment\" may have been moved or deleted, and no"
        ) && text.contains("mark them with `changing` before the statement"),
        "{text}"
    );
    assert_right(&pool).await;
    drop(held);
    Ok(())
}

/// Both hold one of the two server connections, and want the other.
#[tokio::test]
async fn mutations_that_hold_all_connections_of_a_pooler_end() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let options = pooler(&pool.connect_options(), 2).await;
    let clients = small(&options, 10).await;
    let both = tokio::sync::Barrier::new(2);
    let shift = async |comment: i64, post: i64, before: bool| {
        let mut first = true;
        model
            .mutate(&clients, async |m| -> anyhow::Result<()> {
                if before {
                    m.changing::<Comment>(&[comment]).await?;
                }
                sqlx::query("UPDATE tb_comment SET post_id = $2 WHERE id = $1")
                    .bind(comment)
                    .bind(post)
                    .execute(&mut **m)
                    .await?;
                m.changed::<Comment>(&[comment]);
                if std::mem::take(&mut first) {
                    both.wait().await;
                }
                Ok(())
            })
            .await
    };
    for before in [true, false] {
        let post = if before { 3 } else { 2 };
        let work = async { tokio::join!(shift(1, post, before), shift(2, post, before)) };
        let (one, two) = tokio::time::timeout(Duration::from_secs(60), work).await?;
        let retries = one?.1.retries + two?.1.retries;
        assert_eq!(retries > 0, !before, "{retries}");
        assert_right(&pool).await;
    }
    Ok(())
}

/// A role whose rows are those of a tenant, which a setting names.
async fn tenants(pool: &PgPool) -> PgConnectOptions {
    let options = pool.connect_options();
    let role = format!("tenant_of_{}", options.get_database().unwrap());
    let sql = format!(
        "ALTER TABLE tb_comment ADD COLUMN tenant text NOT NULL DEFAULT 'a';
         ALTER TABLE tb_comment ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON tb_comment USING (tenant = current_setting('app.tenant', true));
         CREATE ROLE \"{role}\" LOGIN;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \"{role}\""
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(pool)
        .await
        .unwrap();
    (*options).clone().username(&role)
}

const MOVE: &str = "UPDATE tb_comment SET post_id = 3 WHERE id = 1";

/// The pool sets up each of its connections, and no other connection is used.
#[tokio::test]
async fn the_second_connection_is_set_up_by_the_pool() -> anyhow::Result<()> {
    let (pool, model) = blog().await;
    let tenants = PgPoolOptions::new()
        .max_connections(2)
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::query("SET app.tenant = 'a'")
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .connect_with(tenants(&pool).await)
        .await?;
    for (post, hold) in [(3, false), (2, true)] {
        let held = if hold {
            Some(tenants.acquire().await?)
        } else {
            None
        };
        let (_, report) = model
            .mutate(&tenants, async |m| -> anyhow::Result<()> {
                sqlx::query("UPDATE tb_comment SET post_id = $1 WHERE id = 1")
                    .bind(post)
                    .execute(&mut **m)
                    .await?;
                m.changed::<Comment>(&[1]);
                Ok(())
            })
            .await
            .map_or_else(
                |error| (None, Some(error.to_string())),
                |done| (Some(done.1), None),
            );
        // Without a second connection it is an error, because row security might hide the row from
        // a look before the work begins.
        assert_eq!(report.is_some(), hold, "{report:?}");
        drop(held);
        assert_right(&pool).await;
    }
    tenants.close().await;
    Ok(())
}

/// A setting that only the mutation has made.
#[tokio::test]
async fn rows_that_row_security_hides_from_other_connections_are_looked_at_before()
-> anyhow::Result<()> {
    const TENANT: &str = "SELECT set_config('app.tenant', 'a', true)";
    let (pool, model) = blog().await;
    let tenants = small(&tenants(&pool).await, 4).await;
    let mut m = model.mutation(&tenants).await?;
    execute(&mut m, TENANT).await;
    m.changing::<Comment>(&[1]).await?;
    execute(&mut m, MOVE).await;
    let report = m.commit().await?;
    assert_eq!(report.of::<Post>().unwrap().updated, 2, "{report}");
    assert_right(&pool).await;

    let mut m = model.mutation(&tenants).await?;
    execute(&mut m, TENANT).await;
    execute(&mut m, "UPDATE tb_comment SET post_id = 1 WHERE id = 1").await;
    m.changed::<Comment>(&[1]);
    let error = m.commit().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "row security hides the rows 1 of \"public\".\"tb_comment\" from other connections, or they \
         are new, so that their former values cannot be read; mark them with `changing` before the \
         statement that changes them, and new rows with `inserted`"
    );
    assert_right(&pool).await;

    let mut m = model.mutation(&tenants).await?;
    execute(&mut m, TENANT).await;
    execute(
        &mut m,
        "INSERT INTO tb_comment (id, content, post_id, author_id) VALUES (9, 'New', 2, 2)",
    )
    .await;
    m.inserted::<Comment>(&[9]);
    m.changed::<Tag>(&[1]);
    m.commit().await?;
    assert_right(&pool).await;
    tenants.close().await;
    Ok(())
}

/// Nor do those that follow: what could not be had is not waited for again at once.
#[tokio::test]
async fn a_mutation_does_not_wait_where_another_has_lately_waited_in_vain() -> anyhow::Result<()> {
    let (pool, _) = blog().await;
    let wait = Duration::from_secs(1);
    let model = ReadModel::builder()
        .view::<Comment>()
        .view::<Post>()
        .view::<User>()
        .second_connection_wait(wait)
        .build()?;
    let two = pool_of(&pool, 2).await;
    let _held = two.acquire().await?;
    for (post, waits) in [(3, true), (2, false), (3, false)] {
        let start = Instant::now();
        let (_, report) = model
            .mutate(&two, async |m| -> anyhow::Result<()> {
                sqlx::query("UPDATE tb_comment SET post_id = $1 WHERE id = 1")
                    .bind(post)
                    .execute(&mut **m)
                    .await?;
                m.changed::<Comment>(&[1]);
                Ok(())
            })
            .await?;
        assert_eq!(report.retries, 1);
        assert_eq!(start.elapsed() >= wait, waits, "{:?}", start.elapsed());
        assert_right(&pool).await;
    }
    Ok(())
}
