//! Tests that a recorder replaces a database: it records and reports syncs, and fails on request.

use fraiseql_runtime::error::Operation;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use fraiseql_runtime::sync::{BatchEvent, Mode};
use fraiseql_runtime::{Error, Failure, Keys, ReadModel, Recorder, Result, SyncReport, TView};
use fraiseql_tests::world::blog::{Post, delete_post, post, sync_all_posts, sync_post};
use uuid::Uuid;

#[derive(TView)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct User {
    id: Uuid,
    username: String,
}

#[derive(TView)]
#[allow(dead_code)]
struct Tag {
    id: i32,
}

/// The message of the panic of a failing assertion.
fn failure(assertion: impl FnOnce()) -> String {
    *catch_unwind(AssertUnwindSafe(assertion))
        .expect_err("the assertion passed")
        .downcast::<String>()
        .expect("a text")
}

#[tokio::test]
async fn calls_are_recorded_with_view_mode_and_keys() -> Result<()> {
    let recorder = Recorder::new();
    sync_post(&recorder, &[post(3), post(1), post(3)]).await?;
    sync_post(&recorder, &[post(2), post(1)]).await?;
    delete_post(&recorder, &[post(9)]).await?;
    sync_all_posts(&recorder).await?;
    sync_tag(&recorder, &[7]).await?;
    let calls: Vec<String> = recorder.calls().iter().map(ToString::to_string).collect();
    assert_eq!(calls[1], format!("sync post {}, {}", post(1), post(2)));
    assert_eq!(calls[4], "sync tag 7");
    let call = &recorder.calls()[2];
    assert_eq!((call.entity, call.mode), ("post", Mode::Delete));
    assert_eq!(call.view.name, "tv_post");
    assert_eq!(call.keys, Keys::Uuid(vec![post(9)]));
    assert_eq!(call.error, None);
    // Within a call keys are sorted, as on a database.
    assert_eq!(recorder.synced::<Post>(), [post(1), post(3), post(2)]);
    assert_eq!(recorder.deleted::<Post>(), [post(9)]);
    assert_eq!(recorder.fully_synced::<Post>(), 1);
    assert_eq!(recorder.synced::<Tag>(), [7]);
    assert!(recorder.synced::<User>().is_empty());
    recorder.clear();
    recorder.assert_nothing();
    Ok(())
}

#[tokio::test]
async fn a_call_without_keys_is_not_recorded() -> Result<()> {
    let recorder = Recorder::new();
    recorder.fail_next(Failure::Deadlock);
    assert_eq!(sync_post(&recorder, &[]).await?, SyncReport::default());
    assert_eq!(delete_post(&recorder, &[]).await?, SyncReport::default());
    recorder.assert_nothing();
    assert!(sync_post(&recorder, &[post(1)]).await.is_err());
    Ok(())
}

#[tokio::test]
async fn reports_are_the_configured_ones() -> Result<()> {
    let recorder = Recorder::new();
    assert_eq!(sync_post(&recorder, &[post(1), post(2)]).await?.updated, 2);
    assert_eq!(delete_post(&recorder, &[post(1)]).await?.deleted, 1);
    assert_eq!(sync_all_posts(&recorder).await?.total(), 0);
    let mut report = SyncReport::default();
    report.inserted = 5;
    recorder.reports::<Post>(report);
    assert_eq!(sync_all_posts(&recorder).await?.inserted, 5);
    assert_eq!(sync_tag(&recorder, &[1]).await?.updated, 1);
    Ok(())
}

#[tokio::test]
async fn configured_failures_are_returned_and_failed_calls_record_no_sync() -> Result<()> {
    let recorder = Recorder::new();
    recorder.fail_next(Failure::Deadlock);
    recorder.fail_next(Failure::ConnectionLost);
    let error = sync_post(&recorder, &[post(1)]).await.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(
        error.to_string(),
        "syncing \"public\".\"tv_post\": error returned from database: deadlock detected"
    );
    let error = sync_tag(&recorder, &[1]).await.unwrap_err();
    assert!(!error.is_retryable());
    assert!(error.to_string().contains("connection reset"), "{error}");
    recorder.assert_not_synced::<Post>();
    recorder.assert_no_more();
    assert_eq!(recorder.calls().len(), 2);
    sync_post(&recorder, &[post(1)]).await?;

    recorder.fail::<Post>(Failure::Serialization);
    for _ in 0..2 {
        assert!(
            sync_post(&recorder, &[post(1)])
                .await
                .unwrap_err()
                .is_retryable()
        );
        sync_tag(&recorder, &[1]).await?;
    }
    recorder.fail::<Post>(Failure::Contended);
    let error = sync_all_posts(&recorder).await.unwrap_err();
    assert!(error.is_retryable() && matches!(error, Error::Contended { .. }));
    recorder.heal::<Post>();
    sync_all_posts(&recorder).await?;

    recorder.fail_next(Failure::PoolTimedOut);
    let error = delete_post(&recorder, &[post(1)]).await.unwrap_err();
    assert!(
        error.to_string().starts_with("acquiring a connection"),
        "{error}"
    );
    recorder.fail_next(Failure::RepeatableRead);
    assert!(matches!(
        delete_post(&recorder, &[post(1)]).await,
        Err(Error::RepeatableRead)
    ));
    recorder.fail_next(Failure::database("23505", "duplicate key value"));
    let Err(Error::Database {
        operation,
        table,
        source,
    }) = delete_post(&recorder, &[post(1)]).await
    else {
        panic!("the recorder was set to fail");
    };
    assert_eq!(operation, Operation::Delete);
    assert_eq!(*table.unwrap(), Post::VIEW.table);
    let source = source.into_database_error().expect("of a database");
    assert!(source.is_unique_violation());
    assert_eq!(source.message(), "duplicate key value");
    Ok(())
}

#[tokio::test]
async fn a_failing_assertion_prints_expected_and_recorded_calls() -> Result<()> {
    let recorder = Recorder::new();
    recorder.assert_synced::<Tag>(&[]);
    assert_eq!(
        failure(|| recorder.assert_synced::<Tag>(&[1])),
        "expected these of tag to be synced, and no others: 1\n  missing: 1\nnothing was recorded"
    );
    sync_tag(&recorder, &[1, 2]).await?;
    recorder.fail_next(Failure::Deadlock);
    delete_tag(&recorder, &[3]).await.unwrap_err();
    sync_all_users(&recorder).await?;
    recorder.assert_synced::<Tag>(&[2, 1, 2]);
    let recorded = "\
recorded:
  #  view  mode    keys
  1  tag   sync    1, 2
  2  tag   delete  3  failed: deleting documents of \"public\".\"tv_tag\": error returned from database: deadlock detected
  3  user  full    all";
    assert_eq!(
        failure(|| recorder.assert_synced::<Tag>(&[2, 5])),
        format!(
            "expected these of tag to be synced, and no others: 2, 5\n  missing: 5\n  \
             unexpected: 1\n{recorded}"
        )
    );
    let fails = |assertion: &dyn Fn(), text: &str| {
        assert_eq!(failure(assertion), format!("{text}\n{recorded}"));
    };
    fails(
        &|| recorder.assert_synced::<Tag>(&[]),
        "expected no tag to be synced\n  unexpected: 1, 2",
    );
    fails(
        &|| recorder.assert_not_synced::<Tag>(),
        "expected no tag to be synced",
    );
    fails(
        &|| recorder.assert_not_synced::<User>(),
        "expected no user to be synced",
    );
    fails(
        &|| recorder.assert_deleted::<Tag>(&[3]),
        "expected these of tag to be deleted, and no others: 3\n  missing: 3",
    );
    fails(
        &|| recorder.assert_fully_synced::<Tag>(),
        "expected all of tag to be synced",
    );
    fails(&|| recorder.assert_nothing(), "expected no call at all");
    fails(
        &|| recorder.assert_no_more(),
        "expected no call beyond those that were asserted\n  unexpected: full user",
    );
    recorder.assert_fully_synced::<User>();
    recorder.assert_no_more();
    recorder.assert_not_deleted::<Tag>();
    delete_tag(&recorder, &[3]).await?;
    recorder.assert_deleted::<Tag>(&[3]);
    assert!(
        failure(|| recorder.assert_not_deleted::<Tag>())
            .starts_with("expected no tag to be deleted\n")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn several_tasks_share_one_record() -> anyhow::Result<()> {
    let recorder = Recorder::new();
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let recorder = recorder.clone();
            tokio::spawn(async move { sync_tag(&recorder, &[n]).await })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    recorder.assert_synced::<Tag>(&[0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(recorder.calls().len(), 8);
    Ok(())
}

#[tokio::test]
async fn observers_are_called_by_a_recorder_too() -> Result<()> {
    let observed = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&observed);
    let model = ReadModel::builder()
        .view::<Tag>()
        .observe(move |batch: &BatchEvent<'_>| {
            let outcome = match batch.result {
                Ok(report) => report.total().to_string(),
                Err(error) => error.to_string(),
            };
            let text = format!("{} {} {}: {outcome}", batch.mode, batch.entity, batch.keys);
            list.lock().unwrap().push(text);
        })
        .build()?;
    let recorder = Recorder::new();
    sync_tag(model.on(&recorder), &[1, 2]).await?;
    let held = model.on(recorder.clone());
    delete_tag(&held, &[3]).await?;
    recorder.fail_next(Failure::RepeatableRead);
    sync_all_tags(&held).await.unwrap_err();
    recorder.assert_synced::<Tag>(&[1, 2]);
    recorder.assert_deleted::<Tag>(&[3]);
    let observed = observed.lock().unwrap();
    assert_eq!(observed[..2], ["sync tag 1, 2: 2", "delete tag 3: 1"]);
    assert!(
        observed[2].starts_with("full tag : sync inside a REPEATABLE READ"),
        "{observed:?}"
    );
    assert_eq!(observed.len(), 3, "a failure is reported once");
    Ok(())
}
