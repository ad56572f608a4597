//! Setting up view tables: once, again, at the same time, and over older ones.

use fraiseql_runtime::{Error, ReadModel, TView};
use fraiseql_tests::run;
use sqlx::PgPool;

const TABLES: &str = "CREATE TABLE notes (id int8 PRIMARY KEY, title text NOT NULL, stars int4);
    INSERT INTO notes VALUES (1, 'a', 5)";

mod first {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "notes")]
    #[allow(dead_code)]
    pub(crate) struct Note {
        pub(crate) id: i64,
        pub(crate) title: String,
    }
}

mod second {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "notes")]
    #[allow(dead_code)]
    pub(crate) struct Note {
        pub(crate) id: i64,
        #[tview(filter, sort)]
        pub(crate) title: String,
        #[tview(sort)]
        pub(crate) stars: Option<i32>,
    }
}

fn model<V: TView>() -> ReadModel {
    ReadModel::builder().view::<V>().build().unwrap()
}

async fn notes() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    pool
}

async fn columns(pool: &PgPool) -> Vec<(String, String)> {
    sqlx::query_as(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = 'tv_note'::regclass AND attnum > 0 ORDER BY attnum",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

async fn indexes(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'tv_note' ORDER BY indexname",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_view_table_has_its_columns_and_indexes() {
    let pool = notes().await;
    model::<second::Note>().migrate(&pool).await.unwrap();
    let named = |name: &str, ty: &str| (name.to_owned(), ty.to_owned());
    assert_eq!(
        columns(&pool).await,
        [
            named("id", "bigint"),
            named("title", "text"),
            named("stars", "integer"),
            named("data", "jsonb"),
            named("version", "bigint"),
            named("synced_xid", "xid8"),
            named("updated_at", "timestamp with time zone"),
        ]
    );
    assert_eq!(
        indexes(&pool).await,
        [
            "CREATE UNIQUE INDEX tv_note_pkey ON public.tv_note USING btree (id) WITH (fillfactor='85')",
            "CREATE INDEX tv_note_stars_idx ON public.tv_note USING btree (stars, id)",
            "CREATE INDEX tv_note_title_idx ON public.tv_note USING btree (title, id)",
        ]
        .map(|sql| sql.replace(" WITH (fillfactor='85')", ""))
    );
}

#[tokio::test]
async fn migrating_again_changes_and_locks_nothing() {
    let pool = notes().await;
    let model = model::<second::Note>();
    model.migrate(&pool).await.unwrap();
    let before = (columns(&pool).await, indexes(&pool).await);
    // A reader that would block, and be blocked by, any change of the table.
    let mut reader = pool.begin().await.unwrap();
    sqlx::query("SELECT * FROM tv_note")
        .execute(&mut *reader)
        .await
        .unwrap();
    let again = model.migrate(&pool);
    tokio::time::timeout(std::time::Duration::from_secs(20), again)
        .await
        .expect("it waits for no lock")
        .unwrap();
    assert_eq!((columns(&pool).await, indexes(&pool).await), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_start_at_once_are_fine() {
    let pool = notes().await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { model::<second::Note>().migrate(&pool).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(indexes(&pool).await.len(), 3);
}

#[tokio::test]
async fn new_promoted_columns_are_added_and_filled_by_the_next_sync() {
    let pool = notes().await;
    model::<first::Note>().migrate(&pool).await.unwrap();
    first::sync_all_notes(&pool).await.unwrap();
    model::<second::Note>().migrate(&pool).await.unwrap();
    let report = second::sync_all_notes(&pool).await.unwrap();
    assert_eq!(report.updated, 1);
    let promoted: (String, Option<i32>) = sqlx::query_as("SELECT title, stars FROM tv_note")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(promoted, ("a".to_owned(), Some(5)));
    assert_eq!(second::sync_all_notes(&pool).await.unwrap().unchanged, 1);
}

#[tokio::test]
async fn migrate_takes_a_connection_or_a_transaction_too() {
    let pool = notes().await;
    let mut transaction = pool.begin().await.unwrap();
    model::<first::Note>()
        .migrate(&mut *transaction)
        .await
        .unwrap();
    transaction.rollback().await.unwrap();
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('tv_note') IS NOT NULL")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(!exists, "it was rolled back with the rest");
}

#[test]
fn two_views_cannot_share_a_view_table() {
    let error = ReadModel::builder()
        .view::<first::Note>()
        .view::<second::Note>()
        .build()
        .unwrap_err();
    assert!(matches!(error, Error::DuplicateView { .. }));
    assert!(
        error.to_string().contains("\"public\".\"tv_note\""),
        "{error}"
    );
}
