//! Tests that each call is a span, and its batches, failures and retries are events in it.

use fraiseql_tests::run;
use fraiseql_tests::world::blog::{
    ADA, deadlocked, delete_post, logged, post, posts, refuse_post_2, rename, sync_all_posts,
    sync_post,
};
use fraiseql_tests::world::wait_for_a_lock;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::capture::Capture;

/// What an open transaction has done with the document.
#[derive(Clone, Copy)]
enum Has {
    Synced,
    Locked,
}

/// A change of post 1 that does not wait for a sync in a transaction.
async fn comment(pool: &PgPool) {
    sqlx::query("INSERT INTO tb_comment VALUES (gen_random_uuid(), $1, $2, 'more')")
        .bind(post(1))
        .bind(ADA)
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_call_is_a_span_and_its_batches_are_events() -> anyhow::Result<()> {
    let (pool, _, model) = logged(2).await;
    let capture = Capture::start();
    sync_post(&pool, &[post(1)]).await?;
    let events = capture.take();
    let span = "sync{entity=\"post\" keys=1 mode=\"sync\"}";
    assert!(
        events[0].starts_with(&format!("TRACE {span}: statement sql=\"INSERT INTO")),
        "{events:#?}"
    );
    assert_eq!(
        events.last().unwrap(),
        &format!(
            "DEBUG {span}: batch written count=1 deleted=0 entity=\"post\" inserted=1 invalid=0 keys={} \
             mode=\"sync\" retries=0 unchanged=0 updated=0",
            post(1)
        )
    );
    sync_all_posts(model.on(&pool)).chunk(1).await?;
    let events = capture.take();
    let batches = events.iter().filter(|text| {
        text.starts_with("DEBUG sync{entity=\"post\" mode=\"full\"}: batch written")
    });
    assert_eq!(batches.count(), 2, "{events:#?}");
    let mut tx = pool.begin().await?;
    delete_post(&mut tx, &[post(1)]).await?;
    tx.commit().await?;
    let events = capture.take();
    assert_eq!(events.len(), 2, "{events:#?}");
    assert!(events[0].contains("mode=\"delete\"}: statement sql=\"DELETE FROM"));
    assert!(events[1].contains("batch written count=1 deleted=1"));
    Ok(())
}

/// The span is not entered while the sync waits: events of other tasks are not in it.
#[tokio::test]
async fn a_span_is_not_entered_while_its_call_waits() -> anyhow::Result<()> {
    let (pool, _, _) = logged(2).await;
    let capture = Capture::start();
    let (first, second) = ([post(1)], posts(1..=2));
    let aside = async {
        for _ in 0..50 {
            tracing::info!(target: "fraiseql::sync", "aside");
            tokio::task::yield_now().await;
        }
    };
    let (one, two, ()) = tokio::join!(sync_post(&pool, &first), delete_post(&pool, &second), aside);
    one?;
    two?;
    let events = capture.take();
    assert!(
        events.iter().filter(|text| *text == "INFO : aside").count() == 50,
        "{events:#?}"
    );
    for event in events.iter().filter(|text| text.contains("batch written")) {
        let (span, text) = event.split_once(": ").unwrap();
        assert_eq!(
            span.contains("mode=\"sync\""),
            text.contains("mode=\"sync\""),
            "{event}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_error_is_traced_once_and_counted() -> anyhow::Result<()> {
    let (pool, _, model) = logged(2).await;
    refuse_post_2(&pool).await;
    let capture = Capture::start();
    sync_post(model.on(&pool), &[post(2)]).await.unwrap_err();
    let events = capture.take();
    let errors: Vec<&String> = events
        .iter()
        .filter(|text| text.starts_with("ERROR"))
        .collect();
    assert_eq!(errors.len(), 1, "{events:#?}");
    assert!(
        errors[0].contains("sync failed entity=\"post\" error=syncing"),
        "{errors:?}"
    );
    assert!(
        errors[0].ends_with("mode=\"sync\" retryable=false"),
        "{errors:?}"
    );
    assert!(
        events.iter().any(|text| text.contains("batch failed")),
        "{events:#?}"
    );
    Ok(())
}

#[tokio::test]
async fn retries_rebuilds_and_sessions_are_traced() -> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let (pool, _, _) = logged(2).await;
    let mut unusual = pool.acquire().await?;
    sqlx::raw_sql("SET TimeZone = 'Asia/Kathmandu'")
        .execute(&mut *unusual)
        .await?;
    let capture = Capture::start();
    sync_all_posts(&mut unusual).await?;
    let events = capture.take();
    assert!(
        events
            .iter()
            .any(|text| text.starts_with("DEBUG") && text.contains("TimeZone")),
        "{events:#?}"
    );
    rename(&pool, "Countess").await;
    deadlocked(&pool, |pool| async move {
        sync_post(&pool, &posts(1..=2)).await
    })
    .await?;
    let events = capture.take();
    let retried = events
        .iter()
        .find(|text| text.starts_with("WARN"))
        .unwrap_or_else(|| panic!("no retry in {events:#?}"));
    assert!(
        retried.contains("batch is run again entity=\"post\" error="),
        "{retried}"
    );
    assert!(retried.ends_with("retry=1"), "{retried}");

    // First a transaction that has synced is open; then one that has locked the document.
    let first = [post(1)];
    for (has, event) in [
        (
            Has::Synced,
            "another transaction has synced and is still open",
        ),
        (
            Has::Locked,
            "documents that another transaction wrote meanwhile are built again count=1",
        ),
    ] {
        let mut writer = pool.begin().await?;
        match has {
            Has::Synced => {
                sqlx::query("UPDATE tb_post SET title = 'Newer' WHERE id = $1")
                    .bind(post(1))
                    .execute(&mut *writer)
                    .await?;
                sync_post(&mut writer, &first).await?;
            }
            Has::Locked => {
                sqlx::query("SELECT FROM tv_post WHERE id = $1 FOR UPDATE")
                    .bind(post(1))
                    .execute(&mut *writer)
                    .await?;
            }
        }
        comment(&pool).await;
        capture.take();
        let commit = async {
            wait_for_a_lock(&pool).await;
            writer.commit().await
        };
        let (report, commit) = tokio::join!(sync_post(&pool, &first), commit);
        commit?;
        report?;
        let events = capture.take();
        assert!(
            events.iter().any(|text| text.contains(event)),
            "{events:#?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_failing_log_is_traced() -> anyhow::Result<()> {
    let (pool, _, model) = logged(1).await;
    run(&pool, "DROP TABLE sync_log").await;
    let capture = Capture::start();
    sync_post(model.on(&pool), &[post(1)]).await?;
    let events = capture.take();
    assert!(
        events.iter().any(|text| text.starts_with("WARN")
            && text.contains("the sync log could not be written error=writing")),
        "{events:#?}"
    );
    Ok(())
}

#[tokio::test]
async fn unsuitable_session_settings_are_traced() -> anyhow::Result<()> {
    const SAID: &str = "TimeZone, extra_float_digits or the isolation level of the session are unsuitable; writing again with suitable ones";
    let (pool, _, _) = logged(1).await;
    let capture = Capture::start();
    sync_post(&pool, &[post(1)]).await?;
    let said = |events: Vec<String>| events.iter().any(|text| text.contains(SAID));
    assert!(!said(capture.take()));
    for setting in [
        "SET TimeZone = 'Asia/Tokyo'",
        "SET default_transaction_isolation = 'repeatable read'",
    ] {
        let other = PgPoolOptions::new()
            .max_connections(1)
            .connect_with((*pool.connect_options()).clone())
            .await?;
        sqlx::raw_sql(setting).execute(&other).await?;
        sync_post(&other, &[post(1)]).await?;
        assert!(said(capture.take()), "{setting}");
    }
    Ok(())
}
