//! Tests that indexes of large view tables are created while documents are written.

use std::time::Duration;

use fraiseql_tests::run;
use fraiseql_tests::world::model;
use sqlx::PgPool;

mod before {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "note")]
    #[allow(dead_code)]
    pub(crate) struct Note {
        pub id: i64,
        #[tview(filter)]
        pub stars: i32,
    }
}

mod after {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "note", index(on = "stars DESC", name = "by_stars"))]
    #[allow(dead_code)]
    pub(crate) struct Note {
        pub id: i64,
        #[tview(filter)]
        pub stars: i32,
    }
}

/// A view table with this number of documents, without the index.
async fn notes(documents: i32) -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE note (id int8 PRIMARY KEY, stars int4 NOT NULL)",
    )
    .await;
    sqlx::query("INSERT INTO note SELECT i, i % 5 FROM generate_series(1, $1) AS i")
        .bind(documents)
        .execute(&pool)
        .await
        .unwrap();
    model::<before::Note>().migrate(&pool).await.unwrap();
    before::sync_all_notes(&pool).await.unwrap();
    run(&pool, "ANALYZE tv_note").await;
    pool
}

/// Whether the index is valid; `None` if it does not exist.
async fn valid(pool: &PgPool) -> Option<bool> {
    sqlx::query_scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('by_stars')")
        .fetch_optional(pool)
        .await
        .unwrap()
}

const CREATED: [&str; 1] = [r#"index "public"."by_stars""#];

#[tokio::test]
async fn documents_are_written_while_an_index_is_created() -> anyhow::Result<()> {
    let pool = notes(10_000).await;
    // The creation of the index has to wait for this transaction.
    let mut holder = pool.begin().await?;
    sqlx::query("UPDATE tv_note SET updated_at = now() WHERE id = 1")
        .execute(&mut *holder)
        .await?;
    let migration = tokio::spawn({
        let pool = pool.clone();
        async move { model::<after::Note>().migrate(&pool).await }
    });
    let waits = async {
        while valid(&pool).await.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waits).await?;
    assert_eq!(valid(&pool).await, Some(false), "it is being built");

    run(&pool, "UPDATE note SET stars = 9 WHERE id = 2").await;
    let written = before::sync_note(&pool, &[2]);
    let written = tokio::time::timeout(Duration::from_secs(20), written).await??;
    assert_eq!(written.updated, 1);
    // Another instance neither waits for the index nor drops it.
    let same = model::<after::Note>();
    let other = same.migrate(&pool);
    let other = tokio::time::timeout(Duration::from_secs(20), other).await??;
    assert_eq!(other.created, Vec::<String>::new());
    assert_eq!(other.drift.len(), 1);
    assert!(other.drift[0].why.contains("another session"), "{other}");

    holder.commit().await?;
    assert_eq!(migration.await??.created, CREATED);
    assert_eq!(valid(&pool).await, Some(true));
    let again = model::<after::Note>().migrate(&pool).await?;
    fraiseql_tests::assert_up_to_date(&again);
    Ok(())
}

#[tokio::test]
async fn the_invalid_index_of_a_failed_attempt_is_replaced() -> anyhow::Result<()> {
    let pool = notes(10_000).await;
    sqlx::query("CREATE UNIQUE INDEX CONCURRENTLY by_stars ON tv_note (stars)")
        .execute(&pool)
        .await
        .expect_err("many have the same");
    assert_eq!(valid(&pool).await, Some(false));
    let migration = model::<after::Note>().migrate(&pool).await?;
    assert_eq!(migration.created, CREATED);
    assert_eq!(migration.drift, []);
    assert_eq!(valid(&pool).await, Some(true));
    Ok(())
}

/// Its size decides, because there are no statistics.
#[tokio::test]
async fn the_size_of_a_table_without_statistics_decides_whether_it_is_large() -> anyhow::Result<()>
{
    let pool = notes(10).await;
    run(
        &pool,
        "ALTER TABLE tv_note SET (autovacuum_enabled = off);
         INSERT INTO tv_note (id, data, version, synced_xid, updated_at)
         SELECT i, '{}', 1, '3', now() FROM generate_series(100, 120000) AS i",
    )
    .await;
    let mut holder = pool.begin().await?;
    sqlx::query("UPDATE tv_note SET updated_at = now() WHERE id = 1")
        .execute(&mut *holder)
        .await?;
    let migration = tokio::spawn({
        let pool = pool.clone();
        async move { model::<after::Note>().migrate(&pool).await }
    });
    let waits = async {
        while valid(&pool).await.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waits)
        .await
        .expect("others see it only if it is created concurrently");
    holder.commit().await?;
    assert_eq!(migration.await??.created, CREATED);
    Ok(())
}

#[tokio::test]
async fn in_the_callers_transaction_and_on_a_small_table_the_index_is_not_created_concurrently()
-> anyhow::Result<()> {
    let pool = notes(10_000).await;
    let mut transaction = pool.begin().await?;
    let migration = model::<after::Note>().migrate(&mut transaction).await?;
    assert_eq!(migration.created, CREATED);
    transaction.rollback().await?;
    assert_eq!(valid(&pool).await, None);

    let pool = notes(100).await;
    sqlx::query("CREATE UNIQUE INDEX CONCURRENTLY by_stars ON tv_note (stars)")
        .execute(&pool)
        .await
        .expect_err("many have the same");
    let migration = model::<after::Note>().migrate(&pool).await?;
    assert_eq!(migration.created, Vec::<String>::new());
    assert!(migration.drift[0].why.contains("not valid"), "{migration}");
    Ok(())
}

#[tokio::test]
async fn a_failed_index_returns_its_error_and_releases_the_lock() -> anyhow::Result<()> {
    mod unique {
        #[derive(fraiseql_runtime::TView)]
        #[tview(table = "note", index(on = "stars", unique, name = "by_stars"))]
        #[allow(dead_code)]
        pub(crate) struct Note {
            pub id: i64,
            #[tview(filter)]
            pub stars: i32,
        }
    }
    let pool = notes(10_000).await;
    for _ in 0..2 {
        let error = model::<unique::Note>().migrate(&pool).await.unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("creating index \"public\".\"by_stars\": "),
            "{error}"
        );
    }
    // The lock is free, so that another attempt replaces the invalid index.
    let migration = model::<after::Note>().migrate(&pool).await?;
    assert_eq!(migration.created, CREATED);
    Ok(())
}
