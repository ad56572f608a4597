//! Tests that each sync, batch and failure is traced and counted with its view, mode and keys.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Once;

use fraiseql_runtime::{Beyond, Limits};
use fraiseql_tests::run;
use fraiseql_tests::world::blog::{
    ADA, Author, deadlocked, delete_post, logged, post, posts, refuse_post_2, rename,
    sync_all_posts, sync_post, verify_post,
};
use fraiseql_tests::world::wait_for_a_lock;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

/// Keeps what is traced under `fraiseql::sync`, on threads that ask for it, as text: level, spans,
/// fields.
struct Keeper;

thread_local! {
    /// None on threads that did not ask.
    static EVENTS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

struct Fields(BTreeMap<&'static str, String>);

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Fields {
    fn text(mut self) -> String {
        let mut text = self.0.remove("message").unwrap_or_default();
        for (name, value) in self.0 {
            if name != "duration_ms" {
                write!(text, " {name}={value}").unwrap();
            }
        }
        text
    }
}

impl<S> tracing_subscriber::Layer<S> for Keeper
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        id: &tracing::Id,
        context: tracing_subscriber::layer::Context<'_, S>,
    ) {
        let mut fields = Fields(BTreeMap::new());
        attributes.record(&mut fields);
        let span = context.span(id).unwrap();
        let text = format!("{}{{{}}}", span.name(), fields.text().trim());
        span.extensions_mut().insert(text);
    }

    fn on_event(
        &self,
        event: &tracing::Event<'_>,
        context: tracing_subscriber::layer::Context<'_, S>,
    ) {
        let metadata = event.metadata();
        if metadata.target() != "fraiseql::sync" || EVENTS.with_borrow(Option::is_none) {
            return;
        }
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        let spans: Vec<String> = context
            .event_scope(event)
            .into_iter()
            .flatten()
            .map(|span| {
                span.extensions()
                    .get::<String>()
                    .cloned()
                    .unwrap_or_default()
            })
            .collect();
        let text = format!(
            "{} {}: {}",
            metadata.level(),
            spans.join(" "),
            fields.text()
        );
        EVENTS.with_borrow_mut(|events| events.as_mut().unwrap().push(text));
    }
}

/// What this thread traces, until it is dropped.
struct Capture;

impl Capture {
    /// From now on.
    fn start() -> Self {
        // One subscriber for the process: what callsites cache is right for one only, or for
        // none. Other tests run on other threads, where nothing is kept.
        static INSTALL: Once = Once::new();
        INSTALL.call_once(|| {
            use tracing_subscriber::layer::SubscriberExt as _;
            let subscriber = tracing_subscriber::registry().with(Keeper);
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        EVENTS.set(Some(Vec::new()));
        Self
    }

    fn take(&self) -> Vec<String> {
        EVENTS.replace(Some(Vec::new())).unwrap()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        EVENTS.set(None);
    }
}

#[tokio::test]
async fn a_call_is_a_span_and_its_batches_are_events() -> anyhow::Result<()> {
    let (pool, _, model) = logged(2).await;
    let capture = Capture::start();
    sync_post(&pool, &[post(1)]).await?;
    let events = capture.take();
    let span = "sync{entity=\"post\" keys=1 mode=\"sync\"}";
    assert!(
        events[0].starts_with(&format!("TRACE {span}: statement sql=\"WITH input AS")),
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

/// The span is left while the sync waits: what another task traces then is not in it.
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
    let (pool, _, _) = logged(2).await;
    let mut odd = pool.acquire().await?;
    sqlx::raw_sql("SET TimeZone = 'Asia/Kathmandu'")
        .execute(&mut *odd)
        .await?;
    let capture = Capture::start();
    sync_all_posts(&mut odd).await?;
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

    // A transaction that has synced is open; then one that has locked the document.
    let first = [post(1)];
    for (has, event) in [
        (
            Has::Synced,
            "another transaction has synced and is not over",
        ),
        (
            Has::Locked,
            "documents that others wrote meanwhile are built again count=1",
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

/// What another transaction has done with a document.
#[derive(Clone, Copy)]
enum Has {
    Synced,
    Locked,
}

/// A change of post 1 that waits for no sync in a transaction.
async fn comment(pool: &PgPool) {
    sqlx::query("INSERT INTO tb_comment VALUES (gen_random_uuid(), $1, $2, 'more')")
        .bind(post(1))
        .bind(ADA)
        .execute(pool)
        .await
        .unwrap();
}

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
async fn a_session_that_does_not_fit_says_so() -> anyhow::Result<()> {
    const SAID: &str = "TimeZone, extra_float_digits or the isolation level of the session do not \
                        fit; run again with those that do";
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

/// Counters by name and labels, and how many values each histogram has.
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
    let (pool, _, model) = logged(3).await;
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let _guard = metrics::set_default_local_recorder(&recorder);
    fraiseql_runtime::describe_metrics();
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
    // Those that are left to a full sync depend on it, too.
    let mut m = model.mutation(&pool).await?;
    m.limits(Limits {
        beyond: Beyond::Leave,
        ..few
    });
    m.changed::<Author>(&[ADA]);
    let left = m.commit().await?.left[0].at_least;

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
async fn registered_counters_are_there_at_zero() -> anyhow::Result<()> {
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
    // No counter that appears later.
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
    assert!(
        events[..2]
            .iter()
            .all(|text| text.starts_with("TRACE : statement")),
        "{events:#?}"
    );
    assert_eq!(
        events[2..],
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
