//! The worker and transactions that hold locks: it waits for a moment, goes on with everything else, and is the
//! one that gives way.

use std::time::{Duration, Instant};

use fraiseql_runtime::{Capture, TView as _};
use fraiseql_tests::{pool_of, run};

use super::stress::assert_right;
use super::world::{Post, User, captured, leave, next_model, world};

#[tokio::test]
async fn a_locked_document_is_left_and_all_others_are_written() {
    let (pool, model) = world(300).await;
    run(&pool, "UPDATE tb_post SET title = 'new ' || id").await;
    let other = pool_of((*pool.connect_options()).clone()).await;
    let mut holder = other.begin().await.unwrap();
    sqlx::query("SELECT FROM tv_post WHERE id IN (70, 71, 200) FOR UPDATE")
        .execute(&mut *holder)
        .await
        .unwrap();
    leave(&pool, &model, &(1..=300).collect::<Vec<i64>>()).await;
    let worker = model.worker(&pool);
    let draining = tokio::spawn(async move { worker.drain().await.unwrap() });
    let start = Instant::now();
    loop {
        let right: i64 =
            sqlx::query_scalar("SELECT count(*) FROM tv_post WHERE data->>'title' LIKE 'new%'")
                .fetch_one(&other)
                .await
                .unwrap();
        if right == 297 {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{right} of 297");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It is no attempt, however often it is tried.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let changes = model.changes(&other).await.unwrap();
    assert_eq!(
        (changes.pending, changes.failing, changes.dead),
        (3, 0, 0),
        "{changes}"
    );
    holder.rollback().await.unwrap();
    let report = draining.await.unwrap();
    assert_eq!((report.updated, report.dead), (300, 0), "{report}");
    assert_right(&pool, &model).await;
}

/// A transaction that holds a document and wants another one, while the worker holds that one and wants the first.
#[tokio::test]
async fn in_a_deadlock_with_the_application_the_worker_gives_way() {
    let (pool, model) = world(2_000).await;
    let other = pool_of((*pool.connect_options()).clone()).await;
    for round in 0..5 {
        sqlx::query("UPDATE tb_post SET title = $1 || id")
            .bind(format!("round {round} "))
            .execute(&pool)
            .await
            .unwrap();
        let mut holder = other.begin().await.unwrap();
        sqlx::query("SELECT FROM tv_post WHERE id = 2000 FOR UPDATE")
            .execute(&mut *holder)
            .await
            .unwrap();
        leave(&pool, &model, &(1..=2_000).collect::<Vec<i64>>()).await;
        let worker = model.worker(&pool);
        let draining = tokio::spawn(async move { worker.drain().await.unwrap() });
        fraiseql_tests::world::wait_for_a_lock(&other).await;
        // The worker has the first ones.
        sqlx::query("SELECT FROM tv_post WHERE id <= 100 ORDER BY id FOR UPDATE")
            .execute(&mut *holder)
            .await
            .expect("the application is not the victim");
        holder.commit().await.unwrap();
        let report = draining.await.unwrap();
        assert_eq!((report.updated, report.dead), (2_000, 0), "{report}");
    }
    assert_right(&pool, &model).await;
}

/// A session looks for deadlocks once, when it has waited for long. A worker that waits with documents in its hands
/// closes a circle in which another session may be just about to look.
#[tokio::test]
async fn a_session_that_waits_for_long_is_not_the_victim_of_a_worker() {
    let (pool, model) = captured(20).await;
    let other = pool_of((*pool.connect_options()).clone()).await;
    // The worker is to write the document of the post first, and then to wait for the new user.
    run(
        &pool,
        "INSERT INTO tb_user VALUES (300, 'Carl'); UPDATE tb_post SET title = 'new' WHERE id = 1",
    )
    .await;
    let mut second = other.begin().await.unwrap();
    sqlx::query("SELECT FROM tb_post WHERE id = 9 FOR UPDATE")
        .execute(&mut *second)
        .await
        .unwrap();
    let mut first = other.begin().await.unwrap();
    sqlx::raw_sql(
        "SET LOCAL deadlock_timeout = '500ms'; UPDATE tb_user SET name = 'Carla' WHERE id = 300",
    )
    .execute(&mut *first)
    .await
    .unwrap();
    let waiting = tokio::spawn(async move {
        let post = sqlx::query("SELECT FROM tb_post WHERE id = 9 FOR UPDATE")
            .execute(&mut *first)
            .await;
        post.expect("the session is not the victim");
        first.commit().await.unwrap();
    });
    tokio::time::sleep(Duration::from_millis(350)).await;
    let worker = model.worker(&pool);
    let draining = tokio::spawn(async move { worker.drain().await.unwrap() });
    tokio::time::sleep(Duration::from_millis(60)).await;
    sqlx::query("SELECT FROM tv_post WHERE id = 1 FOR UPDATE")
        .execute(&mut *second)
        .await
        .unwrap();
    second.commit().await.unwrap();
    waiting.await.unwrap();
    draining.await.unwrap();
    model.worker(&pool).drain().await.unwrap();
    assert_right(&pool, &model).await;
}

#[tokio::test]
async fn a_truncated_table_is_a_full_sync_of_its_views() {
    let (pool, model) = captured(1_000).await;
    run(
        &pool,
        "INSERT INTO tb_comment SELECT i, 'c', i, 1 FROM generate_series(1, 1000) AS i",
    )
    .await;
    model.sync_all(&pool).await.unwrap();
    run(
        &pool,
        "TRUNCATE tb_comment; INSERT INTO tb_comment VALUES (1, 'one', 1, 2)",
    )
    .await;
    let report = model.worker(&pool).drain().await.unwrap();
    assert_eq!(report.full_syncs, 2, "{report}");
    assert_right(&pool, &model).await;
    assert_eq!(User::find(&pool, 2).await.unwrap().unwrap().comments, 1);

    // Of all tables: nothing is left.
    run(&pool, "TRUNCATE tb_user, tb_post, tb_comment, tb_post_tag").await;
    model.worker(&pool).drain().await.unwrap();
    assert_right(&pool, &model).await;
    assert_eq!(
        Post::find(&pool, 1).await.unwrap().map(|post| post.id),
        None
    );
}

#[tokio::test]
async fn batches_go_on_while_a_view_is_synced_as_a_whole() {
    let (pool, model) = captured(20_000).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(model.worker(&pool).run(async { drop(stopped.await) }));
    run(
        &pool,
        "UPDATE tb_user SET name = 'Countess' WHERE id = 1; TRUNCATE tb_comment",
    )
    .await;
    for round in 0..20 {
        sqlx::query("UPDATE tb_post SET title = $1 WHERE id = 20000")
            .bind(round.to_string())
            .execute(&pool)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    model.worker(&pool).drain().await.unwrap();
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
    assert_right(&pool, &model).await;
}

/// A key that is changed while the worker holds its change, and again afterwards.
#[tokio::test]
async fn a_document_that_is_changed_while_it_is_drained_has_the_last_change() {
    let (pool, model) = captured(50).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(model.worker(&pool).run(async { drop(stopped.await) }));
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for round in 0..300 {
                    sqlx::query("UPDATE tb_post SET title = $1 WHERE id = 7")
                        .bind(format!("{writer} {round}"))
                        .execute(&pool)
                        .await
                        .unwrap();
                    // The worker is to drain many times meanwhile, however fast the server is.
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    model.worker(&pool).drain().await.unwrap();
    stop.send(()).unwrap();
    let report = running.await.unwrap().unwrap();
    assert!(report.batches > 5, "it was drained meanwhile: {report}");
    assert_right(&pool, &model).await;
}

#[tokio::test]
async fn documents_of_an_eventual_view_are_left_by_every_mutation() {
    let (pool, _) = world(3).await;
    let model = next_model(Capture::Off);
    model.migrate(&pool).await.unwrap();
    model.sync_all(&pool).await.unwrap();
    for by_rows in [false, true] {
        let mut m = model.mutation(&pool).await.unwrap();
        sqlx::query("UPDATE tb_post SET author_id = 3 - author_id WHERE id = 1 OR title = $1")
            .bind(by_rows.to_string())
            .execute(&mut *m)
            .await
            .unwrap();
        match by_rows {
            // The function of the database, and statement by statement.
            false => m.inserted::<User>(&[1, 2]),
            true => m
                .changed_rows("tb_user", "name", &["Ada".to_owned(), "Bob".to_owned()])
                .unwrap(),
        }
        let report = m.commit().await.unwrap();
        assert_eq!(report.of::<User>().unwrap().updated, 2, "{report}");
        assert_eq!(
            (report.left[0].entity, report.left.len()),
            ("post", 1),
            "{report}"
        );
        assert!(!report.token().is_none());
        model.worker(&pool).drain().await.unwrap();
        model.wait_synced(&pool, report.token()).await.unwrap();
        assert_right(&pool, &model).await;
    }
}
