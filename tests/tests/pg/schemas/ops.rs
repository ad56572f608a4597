//! Syncs, mutations and what operators run, in one schema beside another.

use fraiseql_runtime::rebuild::RebuildState;
use fraiseql_runtime::{Capture, Recorder, SyncLog};
use fraiseql_tests::{run, without_server};

use super::world::{
    Author, Comment, Post, SCHEMAS, User, model, run_in, sync_all_posts, sync_post, verify_post,
};
use super::{assert_right, synced};

#[tokio::test]
async fn marks_are_of_the_schema() -> anyhow::Result<()> {
    let (pool, models) = synced(None).await?;
    let mut m = models[0].mutation(&pool).await?;
    m.strict();
    m.changing::<Comment>(&[1]).await?;
    sqlx::query("UPDATE customer_7.tb_comment SET post_id = 3 WHERE id = 1")
        .execute(&mut *m)
        .await?;
    sqlx::query("UPDATE customer_7.tb_user SET name = 'Renamed' WHERE id = 2")
        .execute(&mut *m)
        .await?;
    m.changed::<Author>(&[2]);
    sqlx::query("INSERT INTO customer_7.tb_post_tag VALUES (1, 1)")
        .execute(&mut *m)
        .await?;
    m.changed_rows("tb_post_tag", "post_id", &[1_i64])?;
    let report = m.commit().await?;
    assert!(report.of::<Post>().unwrap().updated > 1, "{report}");
    assert!(report.of::<User>().is_some());
    assert_right(&pool, &models, "a mutation").await?;

    let dependents = models[1].dependents::<Author>(&pool, &[2]).await?;
    assert!(!dependents.keys::<Post>().is_empty());
    let by_name = models[1]
        .dependents_of_rows(&pool, "tb_tag", "id", &[1])
        .await?;
    let by_whole_name = models[0]
        .dependents_of_rows(&pool, "customer_7.tb_tag", "id", &[1])
        .await?;
    assert_eq!(by_name.keys::<Post>(), [2, 4]);
    assert_eq!(by_whole_name.keys::<Post>(), [1, 2, 4]);
    // A table that all of them share.
    let mut m = models[1].mutation(&pool).await?;
    run(
        &pool,
        "UPDATE shared.tb_country SET name = 'Nederland' WHERE code = 'NL'",
    )
    .await;
    m.changed_rows("shared.tb_country", "code", &["NL".to_owned()])?;
    m.commit().await?;
    models[0].sync_all(&pool).await?;
    assert_right(&pool, &models, "a change of a shared table").await
}

#[tokio::test]
async fn typed_functions_take_the_schema_from_their_target() -> anyhow::Result<()> {
    let (pool, models) = synced(None).await?;
    for schema in SCHEMAS {
        run_in(
            &pool,
            schema,
            "UPDATE tb_post SET title = title || '!'; DELETE FROM tb_post WHERE id = 4",
        )
        .await;
    }
    assert_eq!(sync_post(models[0].on(&pool), &[1, 4]).await?.deleted, 1);
    assert_eq!(
        verify_post(models[0].on(&pool)).await?.drifted.of::<Post>(),
        [2, 3]
    );
    assert_eq!(
        verify_post(models[1].on(&pool))
            .await?
            .orphaned
            .of::<Post>(),
        [4]
    );
    let mut tx = pool.begin().await?;
    assert_eq!(sync_all_posts(models[0].on(&mut tx)).await?.updated, 2);
    tx.commit().await?;
    for model in &models {
        model.verify(&pool).repair().await?;
    }
    assert_right(&pool, &models, "repairs").await?;

    let recorder = Recorder::new();
    sync_post(models[1].on(&recorder), &[7]).await?;
    recorder.assert_synced::<Post>(&[7]);
    Ok(())
}

#[tokio::test]
async fn rebuild_check_and_advise_are_of_the_schema() -> anyhow::Result<()> {
    for capture in [None, Some(Capture::Queue), Some(Capture::AtCommit)] {
        let (pool, models) = synced(capture).await?;
        run_in(&pool, SCHEMAS[1], "TRUNCATE tv_post").await;
        assert!(
            models[0]
                .rebuild_status(&pool)
                .await?
                .iter()
                .all(|view| view.state == RebuildState::Done)
        );
        assert!(models[1].migrate(&pool).await?.needs_rebuild());
        models[1].rebuild(&pool).await?;
        assert_right(&pool, &models, "a rebuild").await?;
        for model in &models {
            let report = without_server(model.check(&pool).await?);
            assert!(report.findings().is_empty(), "{report}");
            assert!(model.advise(&pool).await?.of::<Post>().is_some());
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_log_and_dead_letters_are_of_the_schema() -> anyhow::Result<()> {
    let (pool, _) = synced(None).await?;
    let log = SyncLog::new(pool.clone());
    let model = model()
        .sync_log(log.clone())
        .capture(Capture::Queue)
        .build()?;
    model.migrate_schemas(&pool, SCHEMAS).await.into_result()?;
    let [first, second] = [model.in_schema(SCHEMAS[0])?, model.in_schema(SCHEMAS[1])?];
    sync_post(second.on(&pool), &[1]).await?;
    for (schema, rows) in [("customer_7", 0), ("\"Cust\"\"omer.8\"", 1)] {
        let sql = format!("SELECT count(*) FROM {schema}.sync_log");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&pool)
            .await?;
        assert_eq!(count, rows, "{schema}");
    }
    // A document that cannot be built, of one of them.
    run_in(&pool, SCHEMAS[1], "ALTER TYPE state ADD VALUE 'lost'").await;
    run_in(
        &pool,
        SCHEMAS[1],
        "UPDATE tb_post SET state = 'lost' WHERE id = 1",
    )
    .await;
    let worker = |model: &fraiseql_runtime::ReadModel| model.worker(&pool).max_attempts(1);
    worker(&first).drain().await?;
    assert_eq!(second.changes(&pool).await?.pending, 1);
    worker(&second).drain().await?;
    assert_eq!(first.dead_letters(&pool).await?.len(), 0);
    let letters = second.dead_letters(&pool).await?;
    assert_eq!(
        (letters[0].entity, &*letters[0].keys),
        ("post", &["1".to_owned()][..])
    );
    let of_post = fraiseql_runtime::worker::Letters::keys::<Post>(&[1]);
    assert_eq!(first.retry(&pool, of_post.clone()).await?, 0);
    assert_eq!(second.retry(&pool, of_post).await?, 1);
    Ok(())
}
