//! Tests that concurrent syncs lose no change and leave no document without a row.

use fraiseql_runtime::TView;
use fraiseql_tests::world::blog::{Post, sync_all_posts, sync_post};
use fraiseql_tests::world::wait_for_a_lock;
use fraiseql_tests::{run, world};

use super::{BOB, comment, count, counts, post, posts, rename, seeded};

/// The lost update of a plain upsert: the second writer computed its document before it waited.
#[tokio::test]
async fn two_writers_of_one_document_lose_nothing_in_their_transactions() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    sync_all_posts(&pool).await?;
    let mut first = pool.begin().await?;
    let mut second = pool.begin().await?;
    for (transaction, text) in [
        (&mut first, "from the first"),
        (&mut second, "from the second"),
    ] {
        sqlx::query("INSERT INTO tb_comment VALUES (gen_random_uuid(), $1, $2, $3)")
            .bind(post(1))
            .bind(BOB)
            .bind(text)
            .execute(&mut **transaction)
            .await?;
    }
    sync_post(&mut first, &[post(1)]).await?;
    // The second sync waits for the first, which commits meanwhile.
    let waiting = tokio::spawn(async move {
        let report = sync_post(&mut second, &[post(1)]).await?;
        second.commit().await?;
        anyhow::Ok(report)
    });
    wait_for_a_lock(&pool).await;
    first.commit().await?;
    assert_eq!(counts(&waiting.await??), [0, 1, 0, 0]);
    let found = Post::find(&pool, post(1)).await?.expect("synced");
    assert_eq!(found.comment_count, 3, "both comments and the seeded one");
    Ok(())
}

/// The guarded statement on a pool: it waits for a document that is being written, finds it newer
/// than its snapshot, and builds it again.
#[tokio::test]
async fn a_sync_on_a_pool_never_replaces_a_newer_document() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    sync_all_posts(&pool).await?;
    let mut writer = pool.begin().await?;
    sqlx::query("UPDATE tb_post SET title = 'Newer'")
        .execute(&mut *writer)
        .await?;
    sync_post(&mut writer, &[post(1)]).await?;
    // Another committed change, so that the sync on the pool has something to write.
    comment(&pool, "Committed").await;
    let waiting = {
        let pool = pool.clone();
        tokio::spawn(async move { sync_post(&pool, &[post(1)]).await })
    };
    wait_for_a_lock(&pool).await;
    writer.commit().await?;
    assert_eq!(counts(&waiting.await??), [0, 1, 0, 0]);
    let found = Post::find(&pool, post(1)).await?.expect("synced");
    assert_eq!(found.title, "Newer");
    assert_eq!(found.comment_count, 2);
    Ok(())
}

/// The row is deleted while another transaction writes its document, which is newer than the
/// snapshot of the sync that deletes it. That sync waits and looks again.
#[tokio::test]
async fn a_document_that_is_being_written_is_deleted_after_its_row() -> anyhow::Result<()> {
    let pool = seeded(2).await;
    sync_all_posts(&pool).await?;
    let mut writer = pool.begin().await?;
    sqlx::query("UPDATE tb_user SET full_name = 'Countess'")
        .execute(&mut *writer)
        .await?;
    sync_post(&mut writer, &posts(1..=2)).await?;
    sqlx::query("DELETE FROM tb_post WHERE id = $1")
        .bind(post(1))
        .execute(&pool)
        .await?;
    let waiting = {
        let pool = pool.clone();
        tokio::spawn(async move { sync_post(&pool, &posts(1..=2)).await })
    };
    wait_for_a_lock(&pool).await;
    writer.commit().await?;
    assert_eq!(counts(&waiting.await??), [0, 0, 1, 1]);
    assert_eq!(count(&pool).await, 1);
    Ok(())
}

/// On a connection without a transaction, a lock ends with its statement and guards nothing.
#[tokio::test]
async fn a_connection_without_a_transaction_is_guarded_like_a_pool() -> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    #[derive(TView)]
    #[tview(table = "slow")]
    #[allow(dead_code)]
    struct Slow {
        id: i32,
        title: String,
        #[tview(expr = "wait({}.id)")]
        waited: bool,
    }
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE slow (id int4 PRIMARY KEY, title text NOT NULL);
         INSERT INTO slow VALUES (1, 'first');
         CREATE FUNCTION wait(id int4) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
             IF current_setting('test.wait', true) = 'yes' THEN
                 PERFORM pg_advisory_xact_lock(1);
             END IF;
             RETURN true;
         END $$",
    )
    .await;
    let model = world::model::<Slow>();
    model.migrate(&pool).await?;
    sync_slow(&pool, &[1]).await?;
    run(&pool, "UPDATE slow SET title = 'older'").await;

    let mut holder = pool.begin().await?;
    sqlx::raw_sql("SELECT pg_advisory_xact_lock(1)")
        .execute(&mut *holder)
        .await?;
    let mut connection = pool.acquire().await?;
    sqlx::raw_sql("SET test.wait = 'yes'")
        .execute(&mut *connection)
        .await?;
    let waiting = tokio::spawn(async move {
        let report = sync_slow(&mut connection, &[1]).await;
        connection.close().await?;
        anyhow::Ok(report?)
    });
    wait_for_a_lock(&pool).await;
    run(&pool, "UPDATE slow SET title = 'newer'").await;
    assert_eq!(counts(&sync_slow(&pool, &[1]).await?), [0, 1, 0, 0]);
    holder.commit().await?;
    waiting.await??;
    let found = Slow::find(&pool, 1).await?.expect("it was synced");
    assert_eq!(found.title, "newer");
    Ok(())
}

/// Two first syncs of one document: the one whose insert conflicts builds it again.
#[tokio::test]
async fn a_document_created_by_two_syncs_has_both_changes() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    let mut first = pool.begin().await?;
    sqlx::query("UPDATE tb_comment SET content = 'Edited'")
        .execute(&mut *first)
        .await?;
    sync_post(&mut first, &[post(1)]).await?;
    comment(&pool, "Committed").await;
    let waiting = {
        let pool = pool.clone();
        tokio::spawn(async move { sync_post(&pool, &[post(1)]).await })
    };
    wait_for_a_lock(&pool).await;
    first.commit().await?;
    waiting.await??;
    let found = Post::find(&pool, post(1)).await?.expect("synced");
    let texts: Vec<&str> = found.comments.iter().map(|c| c.content.as_str()).collect();
    assert!(texts.contains(&"Edited"), "{texts:?}");
    assert_eq!(found.comment_count, 2);
    Ok(())
}

/// A root that is deleted while its first document is being written leaves no document.
#[tokio::test]
async fn a_row_deleted_while_its_document_is_built_leaves_no_document() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    sync_all_posts(&pool).await?;
    let mut deleter = pool.begin().await?;
    sqlx::query("DELETE FROM tb_post")
        .execute(&mut *deleter)
        .await?;
    sync_post(&mut deleter, &[post(1)]).await?;
    rename(&pool, "Countess").await;
    // Its snapshot still has the post; it waits for the document, which is then gone.
    let waiting = {
        let pool = pool.clone();
        tokio::spawn(async move { sync_post(&pool, &[post(1)]).await })
    };
    wait_for_a_lock(&pool).await;
    deleter.commit().await?;
    waiting.await??;
    assert_eq!(count(&pool).await, 0);
    Ok(())
}

/// Many syncs of overlapping lists in every order: without a lock order they would deadlock.
#[tokio::test(flavor = "multi_thread")]
async fn overlapping_batches_do_not_deadlock() -> anyhow::Result<()> {
    let pool = seeded(40).await;
    sync_all_posts(&pool).await?;
    let mut tasks = Vec::new();
    for worker in 0..4_u32 {
        let pool = pool.clone();
        tasks.push(tokio::spawn(async move {
            for round in 0..15_u32 {
                let mut keys = posts(1..=40);
                keys.rotate_left((worker * 11 + round) as usize % 40);
                let mut transaction = pool.begin().await?;
                sqlx::query("INSERT INTO tb_comment VALUES (gen_random_uuid(), $1, $2, 'more')")
                    .bind(post(worker + 1))
                    .bind(BOB)
                    .execute(&mut *transaction)
                    .await?;
                sync_post(&mut transaction, &keys).await?;
                transaction.commit().await?;
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    assert_eq!(counts(&sync_all_posts(&pool).await?), [0, 0, 40, 0]);
    Ok(())
}
