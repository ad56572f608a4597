//! Tests that `migrate` creates view tables and columns, repeatedly and concurrently.

use fraiseql_runtime::TView as _;
use fraiseql_tests::world::model;
use sqlx::AssertSqlSafe;

use super::{columns, first, indexes, lowered, notes, repair, searched, second, tables_of};

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
            named("shape", "bigint"),
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
    // A reader whose lock conflicts with any change of the table.
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
async fn instances_can_migrate_at_the_same_time() {
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

#[tokio::test]
async fn the_migration_lists_what_it_created() {
    let pool = notes().await;
    let migration = model::<first::Note>().migrate(&pool).await.unwrap();
    assert_eq!(
        tables_of(&migration),
        [
            r#"table "public"."tv_note""#,
            r#"table "public"."fraiseql_view""#,
            r#"table "public"."fraiseql_change""#,
        ]
    );
    // Those that sync the documents of the view, and those of the read model.
    let functions = [
        "lock_note",
        "write_note",
        "sync_note",
        "find",
        "dependents",
        "embedded",
        "flush",
        "drain",
    ];
    for (what, name) in migration.created[3..].iter().zip(functions) {
        let begin = format!(r#"function "public"."fraiseql_{name}_"#);
        assert!(what.starts_with(&begin), "{what}");
    }
    assert_eq!(migration.created.len(), 3 + functions.len());
    let migration = model::<second::Note>().migrate(&pool).await.unwrap();
    assert_eq!(
        tables_of(&migration),
        [
            r#"column "title" of "public"."tv_note""#,
            r#"column "stars" of "public"."tv_note""#,
            r#"index "public"."tv_note_title_idx""#,
            r#"index "public"."tv_note_stars_idx""#,
        ]
    );
    assert_eq!(migration.drift, []);
    assert_eq!(migration.unfilled, [second::Note::VIEW.table]);
    second::sync_all_notes(&pool).await.unwrap();
    let again = model::<second::Note>().migrate(&pool).await.unwrap();
    fraiseql_tests::assert_up_to_date(&again);
    // The functions of the first release, but for the one that both have.
    assert_eq!(again.left_over.len(), 7, "{again}");
    repair(&pool, &again.left_over).await;
    let again = model::<second::Note>().migrate(&pool).await.unwrap();
    assert_eq!(again.to_string(), "nothing was missing");
}

#[tokio::test]
async fn a_plan_lists_the_statements_of_migrate_and_changes_nothing() {
    let pool = notes().await;
    let model = model::<lowered::Note>();
    let plan = model.migration_plan(&pool).await.unwrap();
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('tv_note') IS NOT NULL")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(!exists);
    assert!(plan[0].starts_with("CREATE TABLE"), "{plan:?}");
    for sql in plan {
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&pool)
            .await
            .unwrap();
    }
    assert_eq!(
        model.migration_plan(&pool).await.unwrap(),
        Vec::<String>::new()
    );
    fraiseql_tests::assert_up_to_date(&model.migrate(&pool).await.unwrap());
}

#[tokio::test]
async fn migrating_an_up_to_date_database_writes_nothing_and_waits_for_no_lock() {
    let pool = notes().await;
    model::<searched::Note>().migrate(&pool).await.unwrap();
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE tv_note IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *holder)
        .await
        .unwrap();
    let mut reader = pool.begin().await.unwrap();
    sqlx::raw_sql("SET TRANSACTION READ ONLY; SET LOCAL lock_timeout = '10s'")
        .execute(&mut *reader)
        .await
        .unwrap();
    let migration = model::<searched::Note>()
        .migrate(&mut *reader)
        .await
        .unwrap();
    fraiseql_tests::assert_up_to_date(&migration);
}
