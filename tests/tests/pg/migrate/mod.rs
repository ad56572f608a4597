//! Tests that `migrate` creates and changes view tables: once, again, concurrently, over older
//! ones.

mod large;

use fraiseql_runtime::{Error, LeftOver, Migration, TView};
use fraiseql_tests::run;
use fraiseql_tests::world::model;
use sqlx::{AssertSqlSafe, PgPool};

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

/// Views of the same table whose index `by_title` differs.
macro_rules! indexed {
    ($($module:ident($($attribute:tt)*))*) => {$(
        mod $module {
            #[derive(fraiseql_runtime::TView)]
            #[tview(table = "notes", index(name = "by_title", $($attribute)*))]
            #[allow(dead_code)]
            pub(crate) struct Note {
                pub(crate) id: i64,
                #[tview(filter)]
                pub(crate) title: String,
            }
        }
    )*};
}

indexed! {
    ascending(on = "title, id")
    descending(on = "title DESC, id")
    unique(on = "title, id", unique)
    partial(on = "title, id", filter = "title <> ''")
    lowered(expr = "lower(title)")
    // The same as the last, written otherwise.
    lowered_too(expr = "LOWER( (title) )")
    including(on = "title", include = "id")
    hashed(on = "title", using = "hash")
    searched(fulltext = "title", language = "english")
    searched_simply(fulltext = "title")
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

/// As a person would, one after the other.
async fn repair(pool: &PgPool, left_over: &[LeftOver]) {
    for left in left_over {
        sqlx::raw_sql(AssertSqlSafe(left.remedy.clone()))
            .execute(pool)
            .await
            .unwrap_or_else(|error| panic!("{error}: {left}"));
    }
}

#[tokio::test]
async fn what_was_created_is_said() {
    let pool = notes().await;
    let migration = model::<first::Note>().migrate(&pool).await.unwrap();
    assert_eq!(
        migration.created,
        [
            r#"table "public"."tv_note""#,
            r#"table "public"."fraiseql_view""#,
        ]
    );
    let migration = model::<second::Note>().migrate(&pool).await.unwrap();
    assert_eq!(
        migration.created,
        [
            r#"column "title" of "public"."tv_note""#,
            r#"column "stars" of "public"."tv_note""#,
            r#"index "public"."tv_note_title_idx""#,
            r#"index "public"."tv_note_stars_idx""#,
        ]
    );
    assert_eq!(migration.left_over, []);
    let again = model::<second::Note>().migrate(&pool).await.unwrap();
    assert_eq!(again, Migration::default());
    assert_eq!(again.to_string(), "nothing was missing");
}

#[tokio::test]
async fn what_nobody_asks_for_is_said_and_not_touched() {
    let pool = notes().await;
    model::<second::Note>().migrate(&pool).await.unwrap();
    run(
        &pool,
        "ALTER TABLE tv_note ADD COLUMN \"Own \"\"Idea\" text UNIQUE;
         CREATE INDEX \"My Index\" ON tv_note (version)",
    )
    .await;
    let before = (columns(&pool).await, indexes(&pool).await);
    let migration = model::<first::Note>().migrate(&pool).await.unwrap();
    assert_eq!((columns(&pool).await, indexes(&pool).await), before);
    assert_eq!(migration.created, Vec::<String>::new());
    let left: Vec<(&str, &str)> = migration
        .left_over
        .iter()
        .map(|left| (left.what.as_str(), left.remedy.as_str()))
        .collect();
    assert_eq!(
        left,
        [
            (
                r#"index "public"."My Index""#,
                r#"DROP INDEX "public"."My Index""#
            ),
            (
                r#"index "public"."tv_note_Own ""Idea_key""#,
                r#"ALTER TABLE "public"."tv_note" DROP CONSTRAINT "tv_note_Own ""Idea_key""#
            ),
            (
                r#"index "public"."tv_note_stars_idx""#,
                r#"DROP INDEX "public"."tv_note_stars_idx""#
            ),
            (
                r#"index "public"."tv_note_title_idx""#,
                r#"DROP INDEX "public"."tv_note_title_idx""#
            ),
            (
                r#"column "title" of "public"."tv_note""#,
                r#"ALTER TABLE "public"."tv_note" DROP COLUMN "title""#
            ),
            (
                r#"column "stars" of "public"."tv_note""#,
                r#"ALTER TABLE "public"."tv_note" DROP COLUMN "stars""#
            ),
            (
                r#"column "Own ""Idea" of "public"."tv_note""#,
                r#"ALTER TABLE "public"."tv_note" DROP COLUMN "Own ""Idea""#
            ),
        ]
    );
    repair(&pool, &migration.left_over).await;
    let again = model::<first::Note>().migrate(&pool).await.unwrap();
    assert_eq!(again, Migration::default());
}

#[tokio::test]
async fn an_index_of_the_right_name_and_another_definition_is_found_out() {
    async fn differs<A: TView, B: TView>(pool: &PgPool, expected: bool) {
        let before = A::statements().ddl.index("by_title").unwrap();
        let wanted = B::statements().ddl.index("by_title").unwrap();
        for comment in [true, false] {
            run(pool, "DROP TABLE IF EXISTS tv_note").await;
            model::<A>().migrate(pool).await.unwrap();
            if !comment {
                run(pool, "COMMENT ON INDEX by_title IS NULL").await;
            }
            let migration = model::<B>().migrate(pool).await.unwrap();
            let names: Vec<&str> = migration
                .left_over
                .iter()
                .map(|l| l.what.as_str())
                .collect();
            let case = format!("{} / {} / {comment}", before.sql, wanted.sql);
            if !expected {
                assert_eq!(names, Vec::<&str>::new(), "{case}");
                continue;
            }
            assert_eq!(names, [r#"index "public"."by_title""#], "{case}");
            assert!(migration.left_over[0].why.contains(&wanted.sql), "{case}");
            repair(pool, &migration.left_over).await;
            let again = model::<B>().migrate(pool).await.unwrap();
            assert_eq!(again.created, [r#"index "public"."by_title""#], "{case}");
            assert_eq!(again.left_over, [], "{case}");
        }
    }

    let pool = notes().await;
    differs::<ascending::Note, descending::Note>(&pool, true).await;
    differs::<ascending::Note, unique::Note>(&pool, true).await;
    differs::<ascending::Note, partial::Note>(&pool, true).await;
    differs::<ascending::Note, including::Note>(&pool, true).await;
    differs::<including::Note, hashed::Note>(&pool, true).await;
    differs::<partial::Note, lowered::Note>(&pool, true).await;
    differs::<searched::Note, searched_simply::Note>(&pool, true).await;
    differs::<lowered::Note, lowered_too::Note>(&pool, false).await;
    differs::<searched::Note, searched::Note>(&pool, false).await;
}

#[tokio::test]
async fn an_index_that_was_built_beforehand_is_found_by_its_name() {
    let pool = notes().await;
    model::<first::Note>().migrate(&pool).await.unwrap();
    let plan = model::<second::Note>().migration_plan(&pool).await.unwrap();
    for sql in &plan {
        let sql = sql.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY");
        // A team of its own mind leaves the comments out.
        if !sql.starts_with("COMMENT") {
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&pool)
                .await
                .unwrap();
        }
    }
    let migration = model::<second::Note>().migrate(&pool).await.unwrap();
    assert_eq!(migration, Migration::default());
}

#[tokio::test]
async fn a_plan_is_what_migrate_would_run_and_changes_nothing() {
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
    assert_eq!(model.migrate(&pool).await.unwrap(), Migration::default());
}

#[tokio::test]
async fn an_index_that_failed_to_build_is_left_over() {
    let pool = notes().await;
    run(&pool, "INSERT INTO notes VALUES (2, 'a', 4)").await;
    model::<first::Note>().migrate(&pool).await.unwrap();
    run(
        &pool,
        "ALTER TABLE tv_note ADD COLUMN title text;
         INSERT INTO tv_note VALUES (1, '{}', 1, '1', now(), NULL, 'a'), (2, '{}', 1, '1', now(), NULL, 'a')",
    )
    .await;
    sqlx::query("CREATE UNIQUE INDEX CONCURRENTLY by_title ON tv_note (title)")
        .execute(&pool)
        .await
        .expect_err("there are two of one title");
    let migration = model::<ascending::Note>().migrate(&pool).await.unwrap();
    assert_eq!(migration.left_over.len(), 1, "{migration}");
    assert!(
        migration.left_over[0].why.contains("not valid"),
        "{migration}"
    );
    repair(&pool, &migration.left_over).await;
    let again = model::<ascending::Note>().migrate(&pool).await.unwrap();
    assert_eq!(again.created, [r#"index "public"."by_title""#]);
}

#[tokio::test]
async fn a_column_of_another_type_is_left_with_the_statement_that_changes_it() {
    let pool = notes().await;
    model::<second::Note>().migrate(&pool).await.unwrap();
    run(
        &pool,
        "ALTER TABLE tv_note ALTER COLUMN stars TYPE text USING stars::text;
         ALTER TABLE tv_note ALTER COLUMN data TYPE json USING data::json",
    )
    .await;
    let migration = model::<second::Note>().migrate(&pool).await.unwrap();
    let remedies: Vec<&str> = migration
        .left_over
        .iter()
        .map(|l| l.remedy.as_str())
        .collect();
    assert_eq!(
        remedies,
        [
            r#"ALTER TABLE "public"."tv_note" ALTER COLUMN "stars" TYPE int4 USING "stars"::int4"#,
            r#"ALTER TABLE "public"."tv_note" ALTER COLUMN "data" TYPE jsonb USING "data"::jsonb"#,
        ]
    );
    assert!(
        migration.left_over[0].why.contains("of type text"),
        "{migration}"
    );
    repair(&pool, &migration.left_over).await;
    let again = model::<second::Note>().migrate(&pool).await.unwrap();
    assert_eq!(again, Migration::default());
}

#[tokio::test]
async fn a_table_that_was_made_for_something_else_is_not_touched() {
    let pool = notes().await;
    run(
        &pool,
        "CREATE TABLE tv_note (id int8 PRIMARY KEY, data jsonb)",
    )
    .await;
    let before = columns(&pool).await;
    let error = model::<second::Note>().migrate(&pool).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"public\".\"tv_note\" is no view table: it has no column \"version\", \
         \"synced_xid\", \"updated_at\"; give the view another with #[tview(view = \"..\")], \
         or move that table out of the way"
    );
    assert!(matches!(error, Error::NotAViewTable { .. }));
    assert_eq!(columns(&pool).await, before);
}

#[tokio::test]
async fn where_nothing_is_missing_it_writes_nothing_and_waits_for_no_lock() {
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
    assert_eq!(migration, Migration::default());
}

#[tokio::test]
async fn an_index_that_cannot_be_compared_is_left_to_a_person() {
    let pool = notes().await;
    let model = model::<lowered::Note>();
    model.migrate(&pool).await.unwrap();
    run(
        &pool,
        "COMMENT ON INDEX by_title IS NULL;
         DO $$ BEGIN
             EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
         END $$;
         DO $$ BEGIN
             CREATE ROLE app_without_temp;
         EXCEPTION WHEN duplicate_object THEN NULL;
         END $$",
    )
    .await;
    for settings in [
        "SET LOCAL ROLE app_without_temp",
        "SET TRANSACTION READ ONLY",
    ] {
        let mut transaction = pool.begin().await.unwrap();
        sqlx::raw_sql(settings)
            .execute(&mut *transaction)
            .await
            .unwrap();
        let migration = model.migrate(&mut *transaction).await.unwrap();
        transaction.rollback().await.unwrap();
        assert_eq!(migration.left_over.len(), 1, "{settings}: {migration}");
        assert!(
            migration.left_over[0].why.contains("temporary tables"),
            "{settings}: {migration}"
        );
        if settings.contains("READ ONLY") {
            repair(&pool, &migration.left_over).await;
            let mut transaction = pool.begin().await.unwrap();
            sqlx::raw_sql(settings)
                .execute(&mut *transaction)
                .await
                .unwrap();
            let again = model.migrate(&mut *transaction).await.unwrap();
            assert_eq!(again, Migration::default());
        }
    }
}
