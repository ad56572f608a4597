//! Tests that a rebuild that is dropped, killed or run twice resumes where it stopped.

use std::future::IntoFuture as _;

use fraiseql_runtime::rebuild::{RebuildOutcome, RebuildState};
use fraiseql_runtime::{Error, TView};
use sqlx::{AssertSqlSafe, PgPool};

use super::{deployed, new, old, rebuild_when_free, status, until, wrong};

#[tokio::test]
async fn a_dropped_rebuild_resumes_where_it_stopped() -> anyhow::Result<()> {
    let pool = deployed(1000).await;
    let (reached, at_five) = tokio::sync::oneshot::channel();
    let mut reached = Some(reached);
    let model = new();
    {
        let rebuild = model
            .rebuild(&pool)
            .chunk(50)
            .on_progress(|_, progress| {
                if progress.chunks == 5 {
                    reached.take().map(|reached| reached.send(()));
                }
            })
            .into_future();
        tokio::select! {
            _ = rebuild => panic!("it is not done so soon"),
            _ = at_five => {}
        }
    }
    let status = status(&model, &pool).await;
    assert!(
        matches!(
            status.state,
            RebuildState::Interrupted | RebuildState::Running
        ),
        "{status}"
    );
    assert!(status.done >= 200, "{status}");
    assert_eq!(status.position, Some(status.done.to_string()));
    assert!(status.to_string().ends_with(" of 1000"), "{status}");

    let report = rebuild_when_free(&model, &pool, 50).await;
    let view = &report.views[0];
    assert_eq!(view.outcome, RebuildOutcome::Rebuilt);
    let from = view.resumed_at.as_ref().expect("it went on").to_string();
    let from: u64 = from.parse()?;
    assert!(from >= status.done, "{from}");
    assert_eq!(view.report.total(), 1000 - from);
    assert_eq!(wrong(&pool).await, 0);
    assert_eq!(model.rebuild_status(&pool).await?[0].done, 1000);
    Ok(())
}

/// A trigger that terminates the backend of every statement from the third to `last`.
async fn lose(pool: &PgPool, last: i64) {
    let sql = format!(
        "CREATE SEQUENCE statements;
         CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$
         DECLARE number int8 = nextval('statements');
         BEGIN
             IF number BETWEEN 3 AND {last} THEN
                 PERFORM pg_terminate_backend(pg_backend_pid());
                 PERFORM pg_sleep(10);
             END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER lose AFTER INSERT ON tv_post FOR EACH STATEMENT EXECUTE FUNCTION lose()"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(pool)
        .await
        .unwrap();
}

async fn statements(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT last_value FROM statements")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_killed_session_is_replaced_and_the_rebuild_resumes() -> anyhow::Result<()> {
    let pool = deployed(1000).await;
    lose(&pool, 3).await;
    let report = new().rebuild(&pool).chunk(100).await?;
    let view = &report.views[0];
    assert_eq!(view.outcome, RebuildOutcome::Rebuilt);
    assert_eq!(
        view.resumed_at.as_ref().map(ToString::to_string).as_deref(),
        Some("200")
    );
    assert_eq!(view.report.total(), 1000);
    assert_eq!(
        statements(&pool).await,
        10 + 1 + 1,
        "ten chunks, one of them twice, and the documents that the lost session has marked"
    );
    assert_eq!(wrong(&pool).await, 0);
    Ok(())
}

#[tokio::test]
async fn a_rebuild_whose_sessions_are_always_killed_fails_and_the_next_resumes()
-> anyhow::Result<()> {
    let pool = deployed(1000).await;
    lose(&pool, 6).await;
    let error = new().rebuild(&pool).chunk(100).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    assert_eq!(
        statements(&pool).await,
        2 + 4,
        "on three further connections"
    );
    let status = status(&new(), &pool).await;
    assert_eq!(
        (status.done, status.position.as_deref()),
        (200, Some("200"))
    );
    let report = rebuild_when_free(&new(), &pool, 100).await;
    assert_eq!(report.views[0].report.total(), 800);
    assert_eq!(wrong(&pool).await, 0);
    Ok(())
}

#[tokio::test]
async fn of_two_concurrent_rebuilds_one_runs_and_the_other_reports_it() -> anyhow::Result<()> {
    let pool = deployed(500).await;
    // The first rebuild waits for a document in the second chunk.
    let mut holder = pool.begin().await?;
    sqlx::query("SELECT FROM tv_post WHERE id = 150 FOR UPDATE")
        .execute(&mut *holder)
        .await?;
    let first = tokio::spawn({
        let pool = pool.clone();
        async move { new().rebuild(&pool).chunk(100).await }
    });
    until(async || status(&new(), &pool).await.done == 100).await;

    let now = status(&new(), &pool).await;
    assert_eq!(now.state, RebuildState::Running);
    assert_eq!(
        now.to_string(),
        "\"public\".\"tv_post\": running, 100 of 500"
    );
    assert!(now.started_at <= now.updated_at && now.finished_at.is_none());
    // As other sessions see it.
    let row: (String, i64, String, String, i64, i64) = sqlx::query_as(
        "SELECT view, shape, state, position, done, expected FROM fraiseql_view
         WHERE state = 'running' AND started_at <= updated_at AND finished_at IS NULL",
    )
    .fetch_one(&pool)
    .await?;
    let shape = new::Post::statements().shape;
    let text = str::to_owned;
    assert_eq!(
        row,
        (
            text("tv_post"),
            shape,
            text("running"),
            text("100"),
            100,
            500
        )
    );

    for model in [new(), old()] {
        let second = model.rebuild(&pool).await?;
        assert_eq!(second.views[0].outcome, RebuildOutcome::InProgress);
        assert!(!second.is_complete());
        assert_eq!(second.views[0].report.total(), 0);
    }
    assert_eq!(status(&new(), &pool).await.done, 100);
    holder.rollback().await?;
    let report = first.await??;
    assert_eq!(report.views[0].report.updated, 500);
    assert_eq!(wrong(&pool).await, 0);
    Ok(())
}
