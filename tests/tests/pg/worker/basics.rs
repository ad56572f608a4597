//! What is deferred is drained; what fails is isolated; what is left is counted.

use std::time::Duration;

use fraiseql_runtime::worker::Letters;
use fraiseql_runtime::{Error, SyncToken, TView as _};
use fraiseql_tests::run;
use fraiseql_tests::world::numbered::{Author, Comment};

use super::stress::assert_right;
use super::world::{Post, User, captured, leave, world};

#[tokio::test]
async fn deferred_documents_are_synced_by_the_worker() {
    let (pool, model) = world(3).await;
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("UPDATE tb_user SET name = 'Countess' WHERE id = 1")
        .execute(&mut *tx)
        .await
        .unwrap();
    let found = model.defer(&mut tx).changed::<Author>(&[1]).await.unwrap();
    assert_eq!(found, 4);
    let token = SyncToken::current(&mut tx).await.unwrap();
    tx.commit().await.unwrap();

    let pending = model.changes(&pool).await.unwrap();
    assert_eq!((pending.pending, pending.dead), (2, 0), "{pending}");
    let wait = model
        .wait_synced(&pool, token)
        .within(Duration::from_millis(30));
    let error = wait.await.unwrap_err();
    assert!(matches!(error, Error::NotSynced { .. }), "{error}");

    let report = model.worker(&pool).drain().await.unwrap();
    assert_eq!(
        (report.changes, report.updated, report.unchanged),
        (2, 4, 0),
        "{report}"
    );
    model.wait_synced(&pool, token).await.unwrap();
    assert!(model.verify(&pool).sample(1.0).await.unwrap().is_clean());
    assert_eq!(model.changes(&pool).await.unwrap().pending, 0);
    assert_eq!(
        Post::find(&pool, 2).await.unwrap().unwrap().author.name,
        "Countess"
    );
}

#[tokio::test]
async fn a_deferred_mutation_leaves_its_documents() {
    let (pool, model) = world(2).await;
    let mut m = model.mutation(&pool).await.unwrap();
    sqlx::query("INSERT INTO tb_comment VALUES (7, 'First!', 1, 1)")
        .execute(&mut *m)
        .await
        .unwrap();
    m.changed::<Comment>(&[7]);
    m.defer();
    let report = m.commit().await.unwrap();
    assert_eq!(report.total(), 0, "{report}");
    let left: Vec<_> = report
        .left
        .iter()
        .map(|left| (left.entity, left.documents))
        .collect();
    assert_eq!(left, [("post", 1), ("user", 1)]);
    assert!(!report.token().is_none());
    assert_eq!(Post::find(&pool, 1).await.unwrap().unwrap().comments, []);

    let drained = model.worker(&pool).drain().await.unwrap();
    assert_eq!(drained.updated, 2, "{drained}");
    model.wait_synced(&pool, report.token()).await.unwrap();
    assert_eq!(
        Post::find(&pool, 1).await.unwrap().unwrap().comments.len(),
        1
    );
}

#[tokio::test]
async fn one_poison_document_among_a_thousand_is_given_up_and_all_others_are_right() {
    let (pool, model) = world(1_000).await;
    run(
        &pool,
        "ALTER TABLE tv_post ADD CONSTRAINT poison CHECK (data->>'title' <> 'poison')",
    )
    .await;
    run(
        &pool,
        "UPDATE tb_post SET title = CASE id WHEN 613 THEN 'poison' ELSE 'new ' || id END",
    )
    .await;
    let all: Vec<i64> = (1..=1_000).collect();
    leave(&pool, &model, &all).await;
    let worker = model.worker(&pool).max_attempts(2);
    let report = worker.drain().await.unwrap();
    assert_eq!(
        (report.updated, report.failed, report.dead),
        (999, 1, 0),
        "{report}"
    );

    // It waits for its second attempt, and nothing else does.
    let pending = model.changes(&pool).await.unwrap();
    assert_eq!(
        (pending.pending, pending.failing, pending.dead),
        (1, 1, 0),
        "{pending}"
    );
    run(&pool, "UPDATE fraiseql_change SET retry_at = now()").await;
    let report = worker.drain().await.unwrap();
    assert_eq!(
        (report.updated, report.failed, report.dead),
        (0, 1, 1),
        "{report}"
    );
    let dead = model.dead_letters(&pool).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(
        (dead[0].entity, dead[0].documents, dead[0].attempts),
        ("post", 1, 2)
    );
    assert_eq!(dead[0].keys, ["613"]);
    assert!(dead[0].error.starts_with("23514: "), "{}", dead[0]);
    let verified = model.verify(&pool).sample(1.0).await.unwrap();
    assert_eq!(verified.of::<Post>().unwrap().drifted.of::<Post>(), [613]);

    // Another change leads to it: still one row, and after the cause is removed none.
    leave(&pool, &model, &[612, 613, 614]).await;
    worker.drain().await.unwrap();
    let pending = model.changes(&pool).await.unwrap();
    assert_eq!((pending.pending, pending.dead), (0, 1), "{pending}");
    run(&pool, "ALTER TABLE tv_post DROP CONSTRAINT poison").await;
    leave(&pool, &model, &[613]).await;
    worker.drain().await.unwrap();
    let pending = model.changes(&pool).await.unwrap();
    assert_eq!((pending.pending, pending.dead), (0, 0), "{pending}");
    assert!(model.verify(&pool).sample(1.0).await.unwrap().is_clean());
}

#[tokio::test]
async fn dead_letters_are_retried_and_discarded() {
    let (pool, model) = world(10).await;
    run(
        &pool,
        "ALTER TABLE tv_post ADD CONSTRAINT poison CHECK (data->>'title' NOT LIKE 'poison%')",
    )
    .await;
    run(
        &pool,
        "UPDATE tb_post SET title = 'poison ' || id WHERE id <= 4",
    )
    .await;
    leave(&pool, &model, &[1, 2, 3, 4, 5]).await;
    let worker = model.worker(&pool).max_attempts(1);
    let report = worker.drain().await.unwrap();
    assert_eq!(report.dead, 4, "{report}");
    let dead = model.dead_letters(&pool).await.unwrap();
    assert_eq!(dead[0].keys, ["1", "2", "3", "4"]);
    assert_eq!(
        model
            .discard(&pool, Letters::keys::<Post>(&[1, 2, 9]))
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        model.discard(&pool, Letters::of::<User>()).await.unwrap(),
        0
    );
    run(&pool, "ALTER TABLE tv_post DROP CONSTRAINT poison").await;
    assert_eq!(model.retry(&pool, &dead[0]).await.unwrap(), 2);
    let report = worker.drain().await.unwrap();
    assert_eq!((report.updated, report.dead), (2, 0), "{report}");
    assert_eq!(model.dead_letters(&pool).await.unwrap(), []);
    // What was discarded is stale, as it says.
    let verified = model.verify(&pool).sample(1.0).await.unwrap();
    assert_eq!(verified.of::<Post>().unwrap().drifted.of::<Post>(), [1, 2]);
}

#[tokio::test]
async fn a_wait_for_dead_letters_ends_at_once() {
    let (pool, model) = world(3).await;
    run(
        &pool,
        "ALTER TABLE tv_post ADD CONSTRAINT poison CHECK (data->>'title' <> 'poison')",
    )
    .await;
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("UPDATE tb_post SET title = 'poison' WHERE id = 2")
        .execute(&mut *tx)
        .await
        .unwrap();
    model.defer(&mut tx).changed::<Post>(&[2]).await.unwrap();
    let token = SyncToken::current(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    model.worker(&pool).max_attempts(1).drain().await.unwrap();
    let wait = model
        .wait_synced(&pool, token)
        .within(Duration::from_secs(60));
    let error = wait.await.unwrap_err().to_string();
    assert!(
        error.contains("documents from 2 on (given up: 23514: "),
        "{error}"
    );
}

/// Marks of rows whose changes were captured are not read again; those of other rows are.
#[tokio::test]
async fn marks_beside_captured_changes_count() {
    let (pool, model) = captured(70).await;
    // Nobody knows of these.
    run(
        &pool,
        "UPDATE tv_post SET data = jsonb_set(data, '{title}', '\"stale\"')",
    )
    .await;
    let mut m = model.mutation(&pool).await.unwrap();
    sqlx::query("UPDATE tb_post SET title = 'one' WHERE id = 1")
        .execute(&mut *m)
        .await
        .unwrap();
    m.changed::<Post>(&[1]);
    let report = m.commit().await.unwrap();
    assert_eq!(report.of::<Post>().unwrap().updated, 1, "{report}");
    let mut m = model.mutation(&pool).await.unwrap();
    sqlx::query("UPDATE tb_post SET title = 'two' WHERE id = 2")
        .execute(&mut *m)
        .await
        .unwrap();
    m.changed::<Post>(&[2, 3]);
    let report = m.commit().await.unwrap();
    assert_eq!(report.of::<Post>().unwrap().updated, 2, "{report}");
    let mut m = model.mutation(&pool).await.unwrap();
    sqlx::query("DELETE FROM tb_post WHERE id = 4")
        .execute(&mut *m)
        .await
        .unwrap();
    m.changed::<Post>(&[4]);
    let report = m.commit().await.unwrap();
    assert_eq!(report.of::<Post>().unwrap().deleted, 1, "{report}");
    assert_eq!(report.of::<User>().unwrap().updated, 1, "{report}");
    let titles: Vec<String> = sqlx::query_scalar("SELECT data->>'title' FROM tv_post ORDER BY id")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(titles[..2], ["one", "two"]);
    assert_eq!((titles.len(), &*titles[3]), (69, "stale"), "{titles:?}");
    assert_ne!(titles[2], "stale");

    // Many marks are not compared.
    let mut m = model.mutation(&pool).await.unwrap();
    sqlx::query("UPDATE tb_post SET title = 'all'")
        .execute(&mut *m)
        .await
        .unwrap();
    m.changed::<Post>(&(1..=70).collect::<Vec<i64>>());
    let report = m.commit().await.unwrap();
    assert_eq!(report.of::<Post>().unwrap().updated, 69, "{report}");
    assert_right(&pool, &model).await;
}
