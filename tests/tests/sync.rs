//! Sync on a real PostgreSQL: what is written, skipped and deleted, on each target.

use fraiseql_runtime::{Error, ReadModel, SyncReport, TView};
use fraiseql_tests::blog::{Post, blog, delete_post, sync_all_posts, sync_post};
use fraiseql_tests::run;
use fraiseql_tests::watched::wait_for_a_lock;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

const ADA: Uuid = Uuid::from_u128(0xada);
const BOB: Uuid = Uuid::from_u128(0xb0b);

/// The key of the post `n`.
fn post(n: u32) -> Uuid {
    Uuid::from_u128(u128::from(n))
}

fn posts(range: std::ops::RangeInclusive<u32>) -> Vec<Uuid> {
    range.map(post).collect()
}

/// Two users, and posts 1 to `count` by Ada, each with one comment by Bob.
async fn seeded(count: u32) -> PgPool {
    let pool = blog().await;
    seed(&pool, count).await;
    pool
}

async fn seed(pool: &PgPool, count: u32) {
    sqlx::query("INSERT INTO tb_user VALUES ($1, 'ada', 'Ada Lovelace'), ($2, 'bob', 'Bob')")
        .bind(ADA)
        .bind(BOB)
        .execute(pool)
        .await
        .unwrap();
    sqlx::query(
        "WITH new AS (
             INSERT INTO tb_post (id, author_id, title, created_at)
             SELECT key, $1, 'Post ' || n, '2026-01-01'::timestamptz + n * interval '1 minute'
             FROM unnest($2::uuid[]) WITH ORDINALITY AS keys (key, n)
             RETURNING id)
         INSERT INTO tb_comment SELECT gen_random_uuid(), id, $3, 'First!' FROM new",
    )
    .bind(ADA)
    .bind(posts(1..=count))
    .bind(BOB)
    .execute(pool)
    .await
    .unwrap();
}

fn counts(report: &SyncReport) -> [u64; 4] {
    [
        report.inserted,
        report.updated,
        report.unchanged,
        report.deleted,
    ]
}

async fn count(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tv_post")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// A comment on the first post. It does not wait for a sync that is in a transaction: that
/// one locks the users whose names it embeds.
async fn comment(pool: &PgPool, content: &str) {
    sqlx::query("INSERT INTO tb_comment VALUES (gen_random_uuid(), $1, $2, $3)")
        .bind(post(1))
        .bind(BOB)
        .bind(content)
        .execute(pool)
        .await
        .unwrap();
}

async fn rename(pool: &PgPool, name: &str) {
    sqlx::query("UPDATE tb_user SET full_name = $1 WHERE id = $2")
        .bind(name)
        .bind(ADA)
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn documents_are_inserted_skipped_updated_and_deleted() -> anyhow::Result<()> {
    let pool = seeded(3).await;
    let keys = posts(1..=3);
    assert_eq!(counts(&sync_post(&pool, &keys).await?), [3, 0, 0, 0]);
    assert_eq!(counts(&sync_post(&pool, &keys).await?), [0, 0, 3, 0]);
    sqlx::query("UPDATE tb_post SET title = 'New' WHERE id = $1")
        .bind(post(2))
        .execute(&pool)
        .await?;
    sqlx::query("DELETE FROM tb_post WHERE id = $1")
        .bind(post(3))
        .execute(&pool)
        .await?;
    let report = sync_post(&pool, &keys).await?;
    assert_eq!(counts(&report), [0, 1, 1, 1]);
    assert!(!report.duration.is_zero());
    let found = Post::find(&pool, post(2)).await?.expect("it was synced");
    assert_eq!(found.title, "New");
    assert_eq!(found.author.full_name, "Ada Lovelace");
    assert_eq!(found.comments[0].author.username, "bob");
    assert_eq!(found.comment_count, 1);
    assert_eq!(found.editor, None);
    assert_eq!(Post::find(&pool, post(3)).await?, None);
    Ok(())
}

#[tokio::test]
async fn duplicates_unknown_keys_and_empty_lists_are_fine() -> anyhow::Result<()> {
    let pool = seeded(2).await;
    assert_eq!(counts(&sync_post(&pool, &[]).await?), [0; 4]);
    let keys = [post(2), post(1), post(2), ADA, post(1), post(2)];
    assert_eq!(counts(&sync_post(&pool, &keys).await?), [2, 0, 0, 0]);
    assert_eq!(counts(&sync_post(&pool, &[ADA]).await?), [0; 4]);
    let mut transaction = pool.begin().await?;
    assert_eq!(counts(&sync_post(&mut transaction, &[]).await?), [0; 4]);
    let keys = [post(9), post(1), post(1)];
    assert_eq!(
        counts(&sync_post(&mut transaction, &keys).await?),
        [0, 0, 1, 0]
    );
    Ok(())
}

#[tokio::test]
async fn a_list_longer_than_a_batch_is_synced_whole() -> anyhow::Result<()> {
    let pool = seeded(1_203).await;
    let mut keys = posts(1..=1_203);
    keys.reverse();
    assert_eq!(counts(&sync_post(&pool, &keys).await?), [1_203, 0, 0, 0]);
    rename(&pool, "Countess").await;
    let mut transaction = pool.begin().await?;
    let report = sync_post(&mut transaction, &keys).await?;
    assert_eq!(counts(&report), [0, 1_203, 0, 0]);
    transaction.commit().await?;
    assert_eq!(counts(&sync_all_posts(&pool).await?), [0, 0, 1_203, 0]);
    Ok(())
}

#[tokio::test]
async fn an_equal_document_is_not_touched() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    sync_post(&pool, &[post(1)]).await?;
    let version = "SELECT version, ctid::text, xmin::text, xmax::text FROM tv_post";
    let before: (i64, String, String, String) = sqlx::query_as(version).fetch_one(&pool).await?;
    // A change that is not in the document.
    run(&pool, "UPDATE tb_user SET bio = 'Mathematician'").await;
    sync_post(&pool, &[post(1)]).await?;
    let after: (i64, String, String, String) = sqlx::query_as(version).fetch_one(&pool).await?;
    assert_eq!(before, after, "no new row version, not even a lock");
    assert_eq!(after.0, 1);
    rename(&pool, "Countess").await;
    sync_post(&pool, &[post(1)]).await?;
    let changed: (i64, String, String, String) = sqlx::query_as(version).fetch_one(&pool).await?;
    assert_eq!(changed.0, 2);
    Ok(())
}

#[tokio::test]
async fn a_moved_comment_updates_both_posts() -> anyhow::Result<()> {
    let pool = seeded(2).await;
    sync_post(&pool, &posts(1..=2)).await?;
    sqlx::query("UPDATE tb_comment SET post_id = $1")
        .bind(post(2))
        .execute(&pool)
        .await?;
    assert_eq!(
        counts(&sync_post(&pool, &posts(1..=2)).await?),
        [0, 2, 0, 0]
    );
    let both = Post::find_many(&pool, &posts(1..=2)).await?;
    assert_eq!(
        [both[0].comments.len(), both[1].comments.len()],
        [0, 2],
        "the old parent lost it, the new one has it"
    );
    assert_eq!([both[0].comment_count, both[1].comment_count], [0, 2]);
    Ok(())
}

#[tokio::test]
async fn a_full_sync_inserts_updates_and_removes_orphans() -> anyhow::Result<()> {
    let pool = seeded(25).await;
    let mut seen = Vec::new();
    let report = sync_all_posts(&pool)
        .chunk(10)
        .on_progress(|progress| seen.push((progress.chunks, progress.report.total())))
        .await?;
    assert_eq!(counts(&report), [25, 0, 0, 0]);
    assert_eq!(seen, [(1, 10), (2, 20), (3, 25)]);
    run(
        &pool,
        "DELETE FROM tb_post WHERE title IN ('Post 1', 'Post 10', 'Post 25')",
    )
    .await;
    run(
        &pool,
        "UPDATE tb_post SET title = 'x' WHERE title = 'Post 7'",
    )
    .await;
    let report = sync_all_posts(&pool).chunk(7).await?;
    assert_eq!(counts(&report), [0, 1, 21, 3]);
    assert_eq!(count(&pool).await, 22);
    run(&pool, "TRUNCATE tb_post CASCADE").await;
    assert_eq!(counts(&sync_all_posts(&pool).await?), [0, 0, 0, 22]);
    assert_eq!(counts(&sync_all_posts(&pool).await?), [0; 4]);
    Ok(())
}

#[tokio::test]
async fn delete_removes_documents_whose_rows_exist() -> anyhow::Result<()> {
    let pool = seeded(3).await;
    sync_all_posts(&pool).await?;
    let report = delete_post(&pool, &[post(1), post(1), ADA]).await?;
    assert_eq!(counts(&report), [0, 0, 0, 1]);
    let mut transaction = pool.begin().await?;
    delete_post(&mut transaction, &[post(2)]).await?;
    transaction.rollback().await?;
    assert_eq!(count(&pool).await, 2);
    assert_eq!(counts(&delete_post(&pool, &[]).await?), [0; 4]);
    Ok(())
}

#[tokio::test]
async fn in_a_transaction_documents_appear_with_its_commit_or_not_at_all() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    let mut transaction = pool.begin().await?;
    sync_post(&mut transaction, &[post(1)]).await?;
    assert_eq!(count(&pool).await, 0, "not before the commit");
    transaction.rollback().await?;
    assert_eq!(count(&pool).await, 0);

    let mut transaction = pool.begin().await?;
    sqlx::query("UPDATE tb_post SET title = 'Inside'")
        .execute(&mut *transaction)
        .await?;
    // As a transaction, and as the connection it derefs to.
    sync_post(&mut transaction, &[post(1)]).await?;
    let report = sync_post(&mut *transaction, &[post(1)]).await?;
    assert_eq!(counts(&report), [0, 0, 1, 0]);
    transaction.commit().await?;
    let found = Post::find(&pool, post(1)).await?.expect("committed");
    assert_eq!(found.title, "Inside");

    // A row that the transaction wrote twice, and one that it deleted.
    let mut transaction = pool.begin().await?;
    for title in ["One", "Two"] {
        sqlx::query("UPDATE tb_post SET title = $1")
            .bind(title)
            .execute(&mut *transaction)
            .await?;
        let report = sync_post(&mut transaction, &[post(1)]).await?;
        assert_eq!(counts(&report), [0, 1, 0, 0]);
    }
    sqlx::query("DELETE FROM tb_post")
        .execute(&mut *transaction)
        .await?;
    let report = sync_post(&mut transaction, &[post(1)]).await?;
    assert_eq!(counts(&report), [0, 0, 0, 1]);
    transaction.commit().await?;
    Ok(())
}

#[tokio::test]
async fn a_plain_connection_works_too() -> anyhow::Result<()> {
    let pool = seeded(2).await;
    let mut connection = pool.acquire().await?;
    assert_eq!(
        counts(&sync_post(&mut connection, &[post(1)]).await?),
        [1, 0, 0, 0]
    );
    assert_eq!(
        counts(&sync_post(&mut *connection, &[post(2)]).await?),
        [1, 0, 0, 0]
    );
    assert_eq!(count(&pool).await, 2);
    Ok(())
}

#[tokio::test]
async fn a_pool_of_one_connection_is_enough() -> anyhow::Result<()> {
    let options = fraiseql_tests::database().await;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await?;
    run(&pool, fraiseql_tests::blog::TABLES).await;
    fraiseql_tests::blog::model().migrate(&pool).await?;
    seed(&pool, 3).await;
    assert_eq!(counts(&sync_all_posts(&pool).chunk(1).await?), [3, 0, 0, 0]);
    assert_eq!(Post::find_many(&pool, &posts(1..=3)).await?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn repeatable_read_is_refused_with_the_reason() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    let mut transaction = pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .execute(&mut *transaction)
        .await?;
    let error = sync_post(&mut transaction, &[post(1)]).await.unwrap_err();
    assert!(matches!(error, Error::RepeatableRead), "{error}");
    assert!(!error.is_retryable());
    transaction.rollback().await?;
    let mut transaction = pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        .execute(&mut *transaction)
        .await?;
    assert_eq!(
        counts(&sync_post(&mut transaction, &[post(1)]).await?),
        [1, 0, 0, 0]
    );
    transaction.commit().await?;
    Ok(())
}

#[tokio::test]
async fn a_refused_document_is_reported_and_a_wrong_statement_is_an_error_that_says_what_was_being_done()
-> anyhow::Result<()> {
    let pool = seeded(2).await;
    run(
        &pool,
        "ALTER TABLE tv_post ADD CHECK (data->>'title' <> 'Post 2')",
    )
    .await;
    let report = sync_post(&pool, &posts(1..=2)).await?;
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    assert_eq!(report.invalid[0].key, post(2).to_string());
    assert!(
        report.invalid[0].reason.contains("tv_post_data_check"),
        "{report:?}"
    );
    run(
        &pool,
        "ALTER TABLE tb_post RENAME COLUMN title TO name; TRUNCATE tv_post",
    )
    .await;
    let error = sync_post(&pool, &posts(1..=2)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("syncing \"public\".\"tv_post\": "),
        "{error}"
    );
    assert_eq!(count(&pool).await, 0);
    Ok(())
}

/// Writes of documents fail so many times, as if another transaction had been in the way.
/// A sequence counts them, because it is not rolled back.
async fn contend(pool: &PgPool, times: i64) {
    run(
        pool,
        "CREATE SEQUENCE writes MINVALUE 0 START 0;
         SELECT nextval('writes');
         CREATE TABLE times AS SELECT 0::int8 AS times;
         CREATE FUNCTION contend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('writes') <= (SELECT times FROM times) THEN
                 RAISE EXCEPTION 'in the way' USING ERRCODE = 'serialization_failure';
             END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER contend AFTER INSERT ON tv_post FOR EACH STATEMENT EXECUTE FUNCTION contend()",
    )
    .await;
    sqlx::query("UPDATE times SET times = $1")
        .bind(times)
        .execute(pool)
        .await
        .unwrap();
}

async fn writes(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT last_value FROM writes")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_serialization_failure_on_a_pool_is_tried_again_five_times() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    contend(&pool, 5).await;
    assert_eq!(counts(&sync_post(&pool, &[post(1)]).await?), [1, 0, 0, 0]);
    assert_eq!(writes(&pool).await, 5 + 1);

    let pool = seeded(1).await;
    contend(&pool, 100).await;
    let error = sync_post(&pool, &[post(1)]).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(writes(&pool).await, 1 + 5);
    Ok(())
}

/// The transaction is the caller's, who must begin it anew: what it has read may be outdated.
#[tokio::test]
async fn a_serialization_failure_in_a_transaction_is_left_to_the_caller() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    contend(&pool, 1).await;
    let mut transaction = pool.begin().await?;
    let error = sync_post(&mut transaction, &[post(1)]).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(writes(&pool).await, 1);
    transaction.rollback().await?;
    assert_eq!(counts(&sync_post(&pool, &[post(1)]).await?), [1, 0, 0, 0]);
    Ok(())
}

#[tokio::test]
async fn find_many_keeps_the_order_of_the_keys() -> anyhow::Result<()> {
    let pool = seeded(3).await;
    sync_all_posts(&pool).await?;
    let found = Post::find_many(&pool, &[post(3), ADA, post(1), post(3)]).await?;
    let keys: Vec<Uuid> = found.iter().map(|post| post.id).collect();
    assert_eq!(keys, [post(3), post(1), post(3)]);
    assert!(Post::find_many(&pool, &[]).await?.is_empty());
    let json = Post::find_json(&pool, post(1)).await?.expect("synced");
    assert!(
        json.get()
            .contains("\"createdAt\": \"2026-01-01T00:01:00+00:00\"")
    );
    Ok(())
}

#[tokio::test]
async fn a_document_of_an_older_struct_is_an_error_with_its_key() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    sync_all_posts(&pool).await?;
    run(&pool, "UPDATE tv_post SET data = data - 'title'").await;
    let error = Post::find(&pool, post(1)).await.unwrap_err();
    assert!(matches!(&error, Error::Document { key, .. } if *key == post(1).to_string()));
    assert!(
        error.to_string().contains("missing field `title`"),
        "{error}"
    );
    Ok(())
}

/// So that a struct can get an optional field before every document has it.
#[tokio::test]
async fn a_document_without_an_optional_field_can_be_read() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    sync_all_posts(&pool).await?;
    run(&pool, "UPDATE tv_post SET data = data - 'editor'").await;
    let found = Post::find(&pool, post(1)).await?.expect("synced");
    assert_eq!(found.editor, None);
    Ok(())
}

/// A view table that was restored from another server has transaction ids of that server,
/// which may lie ahead of this one's.
#[tokio::test]
async fn documents_of_a_restored_table_are_synced() -> anyhow::Result<()> {
    let pool = seeded(3).await;
    sync_all_posts(&pool).await?;
    run(
        &pool,
        "UPDATE tv_post SET synced_xid = '18446744073709551615'",
    )
    .await;
    rename(&pool, "Countess").await;
    assert_eq!(
        counts(&sync_post(&pool, &posts(1..=2)).await?),
        [0, 2, 0, 0]
    );
    let mut transaction = pool.begin().await?;
    let report = sync_post(&mut transaction, &[post(3)]).await?;
    assert_eq!(counts(&report), [0, 1, 0, 0]);
    transaction.commit().await?;
    assert_eq!(counts(&sync_all_posts(&pool).await?), [0, 0, 3, 0]);
    // Also those whose row is gone.
    run(
        &pool,
        "UPDATE tv_post SET synced_xid = '18446744073709551615'; TRUNCATE tb_comment;
         DELETE FROM tb_post",
    )
    .await;
    let report = sync_post(&pool, &posts(1..=1)).await?;
    assert_eq!(counts(&report), [0, 0, 0, 1]);
    assert_eq!(counts(&sync_all_posts(&pool).await?), [0, 0, 0, 2]);
    Ok(())
}

#[tokio::test]
async fn a_field_of_a_megabyte_is_stored_whole() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    let title = "é\"\\\n".repeat(200_000);
    sqlx::query("UPDATE tb_post SET title = $1")
        .bind(&title)
        .execute(&pool)
        .await?;
    sync_post(&pool, &[post(1)]).await?;
    let found = Post::find(&pool, post(1)).await?.expect("it was synced");
    assert!(found.title == title, "{} bytes", found.title.len());
    Ok(())
}

/// The connection is cut in the middle of a transaction: nothing is half written, and the
/// pool goes on.
#[tokio::test]
async fn a_cut_connection_is_an_error_and_leaves_nothing() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    let mut transaction = pool.begin().await?;
    sync_post(&mut transaction, &[post(1)]).await?;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut *transaction)
        .await?;
    sqlx::query("SELECT pg_terminate_backend($1)")
        .bind(pid)
        .execute(&pool)
        .await?;
    let error = sync_post(&mut transaction, &[post(1)]).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    drop(transaction);
    assert_eq!(count(&pool).await, 0);
    assert_eq!(counts(&sync_post(&pool, &[post(1)]).await?), [1, 0, 0, 0]);
    Ok(())
}

/// What the plain upsert loses: the second writer computed its document before it waited.
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
    // The second waits for the first, which commits while it does.
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

/// The guarded statement of a pool: it waits for a document that is being written, finds it
/// newer than its snapshot, and builds it again.
#[tokio::test]
async fn a_sync_on_a_pool_never_replaces_a_newer_document() -> anyhow::Result<()> {
    let pool = seeded(1).await;
    sync_all_posts(&pool).await?;
    let mut writer = pool.begin().await?;
    sqlx::query("UPDATE tb_post SET title = 'Newer'")
        .execute(&mut *writer)
        .await?;
    sync_post(&mut writer, &[post(1)]).await?;
    // Another change, committed, so that the sync on the pool has something to write.
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

/// The row is deleted while another transaction writes its document: that one is newer than the
/// snapshot of the sync that comes to delete it, which waits and looks again.
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

/// On a connection that is in no transaction, a lock ends with its statement and guards nothing.
#[tokio::test]
async fn a_connection_without_a_transaction_is_guarded_as_a_pool_is() -> anyhow::Result<()> {
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
    let model = ReadModel::builder().view::<Slow>().build()?;
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

/// Two first syncs of one document: the loser of the insert builds it again.
#[tokio::test]
async fn a_document_created_from_two_sides_has_both() -> anyhow::Result<()> {
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

/// A root that is deleted while its first document is being written leaves no zombie.
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
    // Its snapshot still has the post; it waits for the document, which then is gone.
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

/// Many syncs of overlapping lists in every order: without an order of their own they
/// deadlock.
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
