//! Statements that fail as a whole, databases that lack something, and what is told about it.

use std::time::Duration;

use fraiseql_runtime::worker::Letters;
use fraiseql_runtime::{Capture, TView as _};
use fraiseql_tests::run;
use fraiseql_tests::world::worked::model_with;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::stress::assert_right;
use super::world::{Post, captured, world};

#[tokio::test]
async fn a_database_that_was_not_migrated_is_an_error_that_says_so() {
    let pool = fraiseql_tests::pool().await;
    let model = model_with(Capture::Queue);
    let error = model
        .worker(&pool)
        .run(std::future::pending())
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("fraiseql_change"), "{text}");
    assert!(text.ends_with("; run ReadModel::migrate"), "{text}");
}

/// A function of the user that waits for longer than the statement may take: it is the statement that is
/// cancelled, and with it the whole batch.
#[tokio::test]
async fn a_change_that_no_batch_survives_is_set_aside_and_the_others_go_on() {
    fraiseql_tests::needs_sessions();
    let (pool, model) = captured(60).await;
    run(
        &pool,
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF NEW.data->>'title' = 'slow' THEN PERFORM pg_sleep(60); END IF; RETURN NEW; END $$;
         CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON tv_post FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    .await;
    for post in 1..=60_i64 {
        let title = if post == 33 {
            "slow".to_owned()
        } else {
            format!("new {post}")
        };
        sqlx::query("UPDATE tb_post SET title = $1 WHERE id = $2")
            .bind(title)
            .bind(post)
            .execute(&pool)
            .await
            .unwrap();
    }
    let options = (*pool.connect_options())
        .clone()
        .options([("statement_timeout", "300ms")]);
    let impatient = PgPoolOptions::new()
        .max_connections(2)
        .connect_with(options)
        .await
        .unwrap();
    let worker = model.worker(&impatient).max_attempts(1);
    let health = worker.health();
    let running = tokio::spawn(worker.run(std::future::pending()));
    let mut waited = Duration::ZERO;
    loop {
        let changes = model.changes(&pool).await.unwrap();
        if (changes.pending, changes.dead) == (0, 1) {
            break;
        }
        assert!(
            waited < Duration::from_secs(30),
            "{changes}, {:?}",
            health.last_error()
        );
        waited += Duration::from_millis(20);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    running.abort();
    let verified = model.verify(&pool).sample(1.0).await.unwrap();
    assert_eq!(verified.of::<Post>().unwrap().drifted.of::<Post>(), [33]);
    let dead = model.dead_letters(&pool).await.unwrap();
    assert_eq!(
        (&*dead[0].table, dead[0].entity),
        (r#""public"."tb_post""#, "")
    );
    assert!(dead[0].error.contains("statement timeout"), "{}", dead[0]);

    run(&pool, "DROP TRIGGER slow ON tv_post").await;
    assert_eq!(model.retry(&pool, Letters::all()).await.unwrap(), 1);
    model.worker(&pool).drain().await.unwrap();
    assert_right(&pool, &model).await;
    assert_eq!(Post::find(&pool, 33).await.unwrap().unwrap().title, "slow");
}

#[tokio::test]
async fn a_worker_survives_lost_connections_and_says_whether_it_is_alive() {
    let (pool, model) = captured(20).await;
    let worker = model.worker(&pool);
    let health = worker.health();
    assert!(!health.is_alive(Duration::from_secs(60)));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(worker.run(async { drop(stopped.await) }));
    let admin: PgPool = fraiseql_tests::pool_of((*pool.connect_options()).clone()).await;
    for round in 0..10 {
        sqlx::query("UPDATE tb_user SET name = $1 WHERE id = 1")
            .bind(round.to_string())
            .execute(&admin)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(15)).await;
        run(
            &admin,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND query LIKE '%fraiseql_%' AND pid <> pg_backend_pid()",
        )
        .await;
    }
    // Another run waits for what this one has not drained.
    model.worker(&admin).drain().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(health.is_alive(Duration::from_secs(5)), "{health:?}");
    assert_eq!(health.lag(), None);
    assert_eq!(health.last_error(), None);
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
    assert!(!health.is_alive(Duration::from_secs(60)));
    assert_right(&admin, &model).await;
}

#[tokio::test]
async fn observers_and_the_log_see_what_workers_do() {
    use std::sync::{Arc, Mutex};

    use fraiseql_runtime::sync::BatchEvent;
    use fraiseql_runtime::{ReadModel, SyncLog};

    let (pool, _) = world(10).await;
    let log = SyncLog::new(pool.clone());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let model = ReadModel::builder()
        .view::<Post>()
        .sync_log(log.clone())
        .observe(move |batch: &BatchEvent<'_>| {
            let error = batch.result.err().map(ToString::to_string);
            noted
                .lock()
                .unwrap()
                .push((batch.entity, batch.keys.to_string(), error));
        })
        .build()
        .unwrap();
    model.migrate(&pool).await.unwrap();
    run(
        &pool,
        "ALTER TABLE tv_post ADD CONSTRAINT poison CHECK (data->>'title' <> 'poison')",
    )
    .await;
    run(
        &pool,
        "UPDATE tb_post SET title = CASE id WHEN 3 THEN 'poison' ELSE 'new' END",
    )
    .await;
    let mut tx = pool.begin().await.unwrap();
    model.defer(&mut tx).resync::<Post>(&[2, 3]).await.unwrap();
    tx.commit().await.unwrap();
    model.worker(&pool).drain().await.unwrap();
    let seen = seen.lock().unwrap().clone();
    assert_eq!((seen[0].0, &*seen[0].1, &seen[0].2), ("post", "2", &None));
    let error = seen[1].2.as_deref().unwrap();
    assert!(
        error.starts_with("the worker could not write the documents 3 of"),
        "{error}"
    );
    assert!(error.ends_with("; they are tried again later"), "{error}");
    let logged = log.recent(10).await.unwrap();
    let mut logged: Vec<_> = logged.iter().map(|row| (row.keys, row.success)).collect();
    logged.sort_unstable();
    assert_eq!(logged, [(1, false), (1, true)]);
}
