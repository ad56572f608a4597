//! Tests that documents, batches, failures, times and retries are counted.

use std::collections::BTreeMap;

use fraiseql_runtime::mutation::{Limits, OverLimit};
use fraiseql_tests::run;
use fraiseql_tests::world::blog::{
    ADA, Author, deadlocked, delete_post, logged, post, posts, refuse_post_2, rename,
    sync_all_posts, sync_post, verify_post,
};

use super::capture::Capture;

#[tokio::test]
async fn invalid_documents_are_traced_and_counted() -> anyhow::Result<()> {
    let (pool, _, _) = logged(2).await;
    run(
        &pool,
        "ALTER TABLE tv_post ADD CHECK (data->>'title' = 'Post 1')",
    )
    .await;
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let capture = Capture::start();
    sync_all_posts(&pool).connections(2).chunk(1).await?;
    let events = capture.take();
    let warned: Vec<&String> = events
        .iter()
        .filter(|text| text.starts_with("WARN"))
        .collect();
    assert_eq!(warned.len(), 1, "{events:#?}");
    let document = format!(
        "cannot be written entity=\"post\" key=\"{}\" reason=",
        post(2)
    );
    assert!(warned[0].contains(&document), "{warned:?}");
    let metrics = snapshot(&recorder);
    assert_eq!(metrics["documents_total{entity=post,outcome=invalid}"], 1.0);
    assert_eq!(
        metrics["documents_total{entity=post,outcome=inserted}"],
        1.0
    );
    assert_eq!(
        metrics["batches_total{entity=post,mode=full,success=true}"],
        2.0
    );
    Ok(())
}

/// The counters by name and labels, and the number of values of each histogram.
fn snapshot(recorder: &metrics_util::debugging::DebuggingRecorder) -> BTreeMap<String, f64> {
    use metrics_util::debugging::DebugValue;
    recorder
        .snapshotter()
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, _, _, value)| {
            let (_, key) = key.into_parts();
            let mut labels: Vec<String> = key
                .labels()
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            labels.sort();
            let value = match value {
                DebugValue::Counter(count) => count as f64,
                DebugValue::Gauge(value) => value.into_inner(),
                DebugValue::Histogram(values) => {
                    values.iter().map(|value| value.into_inner()).sum()
                }
            };
            let name = key.name().trim_start_matches("fraiseql_sync_");
            (format!("{name}{{{}}}", labels.join(",")), value)
        })
        .collect()
}

#[tokio::test]
async fn documents_batches_retries_and_errors_are_counted() -> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let (pool, _, model) = logged(3).await;
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let _guard = metrics::set_default_local_recorder(&recorder);
    fraiseql_runtime::sync::describe_metrics();
    sync_all_posts(&pool).chunk(2).await?;
    rename(&pool, "Countess").await;
    deadlocked(&pool, |pool| async move {
        sync_post(&pool, &posts(1..=2)).await
    })
    .await?;
    sync_post(model.on(&pool), &posts(1..=3)).await?;
    delete_post(&pool, &[post(3)]).await?;
    run(&pool, "DELETE FROM tv_post").await;
    refuse_post_2(&pool).await;
    sync_post(&pool, &[post(2)]).await.unwrap_err();
    let mut metrics = snapshot(&recorder);
    let retries = metrics.remove("retries_total{entity=post}");
    assert!(
        retries.is_some_and(|count| (1.0..=5.0).contains(&count)),
        "{retries:?}"
    );
    let mut seconds = 0.0;
    let mut failed = 0;
    metrics.retain(|name, value| {
        let time = name.starts_with("batch_duration_seconds");
        if time {
            assert!(*value > 0.0, "{name}");
            seconds += *value;
            failed += usize::from(name.contains("mode=sync,success=false"));
        }
        !time
    });
    assert_eq!(failed, 1, "the time of the batch that failed");
    assert!(
        seconds > 0.9 && seconds < 60.0,
        "the deadlock took a second: {seconds}"
    );
    let expected = [
        ("batch_documents{entity=post,mode=delete}", 1.0),
        ("batch_documents{entity=post,mode=full}", 3.0),
        ("batch_documents{entity=post,mode=sync}", 5.0),
        ("batches_total{entity=post,mode=delete,success=true}", 1.0),
        ("batches_total{entity=post,mode=full,success=true}", 2.0),
        ("batches_total{entity=post,mode=sync,success=false}", 1.0),
        ("batches_total{entity=post,mode=sync,success=true}", 2.0),
        ("documents_total{entity=post,outcome=deleted}", 1.0),
        ("documents_total{entity=post,outcome=inserted}", 3.0),
        ("documents_total{entity=post,outcome=unchanged}", 2.0),
        ("documents_total{entity=post,outcome=updated}", 3.0),
        ("errors_total{entity=post,mode=sync}", 1.0),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(metrics, BTreeMap::from(expected));
    Ok(())
}

#[tokio::test]
async fn dependents_times_and_retries_of_mutations_are_measured() -> anyhow::Result<()> {
    let (pool, _, model) = logged(3).await;
    sync_all_posts(&pool).await?;
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let mut runs = 0;
    let (_, report) = model
        .mutate(&pool, async |m| -> anyhow::Result<()> {
            runs += 1;
            if runs == 1 {
                let deadlock = "DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$";
                sqlx::raw_sql(deadlock).execute(&mut **m).await?;
            }
            sqlx::raw_sql("UPDATE tb_user SET full_name = 'Countess'")
                .execute(&mut **m)
                .await?;
            m.changed::<Author>(&[ADA]);
            Ok(())
        })
        .await?;
    assert_eq!((runs, report.retries, report.changed()), (2, 1, 3));
    let mut m = model.mutation(&pool).await?;
    let few = Limits {
        documents: 2,
        ..Limits::default()
    };
    m.limits(few);
    m.changed::<Author>(&[ADA]);
    m.commit().await.unwrap_err();
    // Documents that are deferred to a full sync are dependents, too.
    let mut m = model.mutation(&pool).await?;
    m.limits(Limits {
        over_limit: OverLimit::Defer,
        ..few
    });
    m.changed::<Author>(&[ADA]);
    let left = m.commit().await?.deferred[0].at_least;

    let mut metrics = snapshot(&recorder);
    let mut time = |success: bool| {
        let name = format!("fraiseql_mutation_commit_duration_seconds{{success={success}}}");
        metrics.remove(&name)
    };
    assert!(time(true).is_some_and(|seconds| seconds > 0.0));
    assert!(time(false).is_some_and(|seconds| seconds > 0.0));
    metrics.retain(|name, _| name.starts_with("fraiseql_mutation"));
    let documents = 3.0 + left as f64;
    let expected = [
        ("fraiseql_mutation_dependents{}", documents),
        ("fraiseql_mutation_retries_total{}", 1.0),
        ("fraiseql_mutation_view_dependents{entity=post}", documents),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(metrics, BTreeMap::from(expected));
    Ok(())
}

#[tokio::test]
async fn registered_counters_exist_with_value_zero() -> anyhow::Result<()> {
    let (pool, _, model) = logged(2).await;
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let _guard = metrics::set_default_local_recorder(&recorder);
    model.register_metrics();
    let before = snapshot(&recorder);
    assert!(before.values().all(|value| *value == 0.0), "{before:#?}");
    sync_post(&pool, &[post(1)]).await?;
    refuse_post_2(&pool).await;
    sync_post(&pool, &[post(2)]).await.unwrap_err();
    delete_post(&pool, &[post(1)]).await?;
    verify_post(&pool).await?;
    // No counter appears only later.
    for name in snapshot(&recorder)
        .keys()
        .filter(|name| name.contains("_total{"))
    {
        assert!(before.contains_key(name), "{name} is not registered");
    }
    Ok(())
}

#[tokio::test]
async fn a_verification_is_traced_and_counted() -> anyhow::Result<()> {
    let (pool, _, model) = logged(5).await;
    sync_all_posts(&pool).await?;
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let capture = Capture::start();
    assert!(verify_post(&pool).await?.is_clean());
    let events = capture.take();
    // Whether it is a replica, the settings, the keys, the comparison.
    assert!(
        events[..4]
            .iter()
            .all(|text| text.starts_with("TRACE : statement")),
        "{events:#?}"
    );
    assert_eq!(
        events[4..],
        ["DEBUG : documents are as they should be checked=5 entity=\"post\""]
    );
    run(
        &pool,
        "UPDATE tb_post SET title = 'x' WHERE id = '00000000-0000-0000-0000-000000000001';
         DELETE FROM tv_post WHERE id = '00000000-0000-0000-0000-000000000002';
         DELETE FROM tb_post WHERE id = '00000000-0000-0000-0000-000000000003'",
    )
    .await;
    model.verify(&pool).repair().await?;
    let events = capture.take();
    assert_eq!(
        events.last().map(String::as_str),
        Some(
            "WARN : documents are not as they should be checked=5 drifted=1 entity=\"post\" invalid=0 \
             missing=1 orphaned=1 repaired=3"
        )
    );
    let mut metrics = snapshot(&recorder);
    metrics.retain(|name, _| name.contains("verify"));
    let expected = [
        (
            "fraiseql_verify_documents_total{entity=post,outcome=drifted}",
            1.0,
        ),
        (
            "fraiseql_verify_documents_total{entity=post,outcome=missing}",
            1.0,
        ),
        (
            "fraiseql_verify_documents_total{entity=post,outcome=orphaned}",
            1.0,
        ),
        (
            "fraiseql_verify_documents_total{entity=post,outcome=right}",
            7.0,
        ),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(metrics, BTreeMap::from(expected));
    Ok(())
}
