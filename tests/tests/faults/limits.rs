//! Tests that a statement that times out, or fails for a reason that is not its document, is an
//! error and leaves no partial sync.

use std::time::Duration;

use fraiseql_runtime::{Error, ReadModel, SyncLog, TView};
use fraiseql_tests::run;
use fraiseql_tests::world::blog::{
    Post, delete_post, migrated, migrated_on, post, posts, sync_all_posts, sync_post,
};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::posts::{NONE, change, database, wrong};

/// The SQLSTATE and the operation of an error.
fn failure(error: &Error) -> (String, String) {
    let Error::Database {
        operation,
        table,
        source,
    } = error
    else {
        panic!("{error}");
    };
    let code = source.as_database_error().and_then(|error| error.code());
    let table = table.as_ref().map(ToString::to_string);
    (
        code.unwrap_or_default().into_owned(),
        format!("{operation} {}", table.unwrap_or_default()),
    )
}

async fn with(pool: &PgPool, setting: &'static str) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .connect_with(database(pool).options([(setting, "150ms")]))
        .await
        .unwrap()
}

/// Another session holds the document for longer than the timeout of this one.
#[tokio::test]
async fn a_sync_that_times_out_is_an_error_and_leaves_nothing_partial() -> anyhow::Result<()> {
    for (setting, code) in [("statement_timeout", "57014"), ("lock_timeout", "55P03")] {
        let pool = migrated(5).await;
        sync_all_posts(&pool).await?;
        run(&pool, "UPDATE tb_user SET full_name = 'Countess'").await;
        let impatient = with(&pool, setting).await;
        let mut holder = pool.begin().await?;
        sqlx::query("SELECT FROM tv_post WHERE id = $1 FOR UPDATE")
            .bind(post(3))
            .execute(&mut *holder)
            .await?;

        let error = sync_post(&impatient, &posts(1..=5)).await.unwrap_err();
        assert_eq!(
            failure(&error),
            (
                code.to_owned(),
                r#"locking documents of "public"."tv_post""#.to_owned()
            )
        );
        assert!(!error.is_retryable());
        // Documents that are free are written before the sync waits for the others.
        assert_eq!(wrong(&pool).await, [post(3)]);
        run(&pool, "UPDATE tb_user SET full_name = 'Duchess'").await;
        // A full sync keeps the chunks that it has completed.
        let error = sync_all_posts(&impatient).chunk(2).await.unwrap_err();
        assert_eq!(failure(&error).0, code);
        assert_eq!(wrong(&pool).await, [post(3), post(5)]);

        // In a transaction, what was written before is kept, and the transaction can continue.
        let mut writer = impatient.begin().await?;
        change(&mut writer, post(1), 1).await?;
        let error = sync_post(&mut writer, &posts(2..=5)).await.unwrap_err();
        assert_eq!(failure(&error).0, code);
        sync_post(&mut writer, &[post(1)]).await?;
        writer.commit().await?;
        let left = wrong(&pool).await;
        assert!(left == [post(3), post(5)], "{left:?}");

        holder.rollback().await?;
        sync_post(&impatient, &posts(3..=5)).await?;
        assert_eq!(wrong(&pool).await, NONE);
    }
    Ok(())
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_the_base_tables_are_kept() -> anyhow::Result<()> {
    let pool = migrated(3).await;
    sync_all_posts(&pool).await?;
    run(
        &pool,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF NEW.data->>'title' = 'Title 2' THEN
                 RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON tv_post
             FOR EACH ROW EXECUTE FUNCTION full_disk()",
    )
    .await;
    let mut writer = pool.begin().await?;
    for n in 1..=3 {
        change(&mut writer, post(n), u64::from(n)).await?;
    }
    let error = sync_post(&mut writer, &posts(1..=3)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"syncing "public"."tv_post": error returned from database: no space left on device"#
    );
    assert_eq!(failure(&error).0, "53100");
    writer.commit().await?;
    assert_eq!(wrong(&pool).await, posts(1..=3), "rows, no documents");
    let error = sync_post(&pool, &posts(1..=3)).await.unwrap_err();
    assert_eq!(failure(&error).0, "53100");
    assert_eq!(wrong(&pool).await, posts(1..=3), "all or none");
    run(&pool, "DROP TRIGGER full_disk ON tv_post").await;
    sync_post(&pool, &posts(1..=3)).await?;
    assert_eq!(wrong(&pool).await, NONE);
    Ok(())
}

/// An error raised by the view table concerns one document, and the rest of its batch is written.
#[tokio::test]
async fn a_violated_constraint_names_the_document_and_the_base_tables_are_kept()
-> anyhow::Result<()> {
    let pool = migrated(3).await;
    sync_all_posts(&pool).await?;
    run(
        &pool,
        "ALTER TABLE tv_post ADD CONSTRAINT small CHECK (data->>'title' <> 'Title 2')",
    )
    .await;
    for inside in [true, false] {
        let mut writer = pool.begin().await?;
        for n in 1..=3 {
            change(&mut writer, post(n), u64::from(n)).await?;
        }
        let report = if inside {
            let report = sync_post(&mut writer, &posts(1..=3)).await?;
            writer.commit().await?;
            report
        } else {
            writer.commit().await?;
            sync_post(&pool, &posts(1..=3)).await?
        };
        let error = report.ensure_valid().unwrap_err().to_string();
        assert!(
            error.contains(&post(2).to_string()) && error.contains("small"),
            "{error}"
        );
        assert_eq!(wrong(&pool).await, [post(2)]);
    }
    Ok(())
}

/// On a pool of one connection, no operation waits for a second.
#[tokio::test]
async fn every_operation_runs_on_a_pool_of_one_connection() -> anyhow::Result<()> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(5))
        .connect_with(fraiseql_tests::database().await)
        .await?;
    migrated_on(&pool, 10).await;
    let log = SyncLog::new(pool.clone());
    let model = ReadModel::builder()
        .view::<Post>()
        .sync_log(log.clone())
        .build()?;
    model.migrate(&pool).await?;
    model.check(&pool).await?;
    let target = model.on(pool.clone());
    assert_eq!(
        sync_all_posts(&target)
            .chunk(3)
            .connections(4)
            .await?
            .inserted,
        10
    );
    run(&pool, "UPDATE tb_user SET full_name = 'Countess'").await;
    assert_eq!(sync_post(&target, &posts(1..=4)).await?.updated, 4);
    delete_post(&target, &[post(1)]).await?;
    assert_eq!(log.recent(20).await?.len(), 4 + 1 + 1);
    // A document that the database refuses: it is searched for, and the others are written.
    run(
        &pool,
        "ALTER TABLE tv_post ADD CHECK (data->>'title' <> 'Post 7') NOT VALID",
    )
    .await;
    run(&pool, "UPDATE tb_user SET full_name = 'Lady'").await;
    assert_eq!(sync_post(&target, &posts(5..=8)).await?.invalid.len(), 1);
    let mut writer = pool.begin().await?;
    change(&mut writer, post(2), 2).await?;
    sync_post(&mut writer, &[post(2)]).await?;
    sync_all_posts(&mut writer).connections(4).await?;
    writer.commit().await?;
    assert_eq!(wrong(&pool).await, [post(7)]);
    assert_eq!(Post::find_many(&pool, &posts(1..=3)).await?.len(), 3);
    model.migrate(&pool).await?;
    Ok(())
}
