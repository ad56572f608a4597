//! Tests that `migrate` finds an index by its definition, and creates what is missing.

use fraiseql_runtime::TView;
use fraiseql_tests::run;
use fraiseql_tests::world::model;
use sqlx::{AssertSqlSafe, PgPool};

use super::{
    ascending, descending, first, hashed, including, lowered, lowered_too, notes, partial, repair,
    searched, searched_simply, second, unique,
};

#[tokio::test]
async fn an_index_with_the_expected_name_and_another_definition_is_reported() {
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
            let names: Vec<&str> = migration.drift.iter().map(|l| l.what.as_str()).collect();
            let case = format!("{} / {} / {comment}", before.sql, wanted.sql);
            if !expected {
                assert_eq!(names, Vec::<&str>::new(), "{case}");
                continue;
            }
            assert_eq!(names, [r#"index "public"."by_title""#], "{case}");
            assert!(migration.drift[0].why.contains(&wanted.sql), "{case}");
            repair(pool, &migration.drift).await;
            let again = model::<B>().migrate(pool).await.unwrap();
            assert_eq!(again.created, [r#"index "public"."by_title""#], "{case}");
            assert_eq!(again.drift, [], "{case}");
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
async fn an_index_that_was_created_beforehand_is_recognized_by_its_name() {
    let pool = notes().await;
    model::<first::Note>().migrate(&pool).await.unwrap();
    let plan = model::<second::Note>().migration_plan(&pool).await.unwrap();
    for sql in &plan {
        let sql = sql.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY");
        // An operator who creates the indexes by hand may omit the comments.
        if !sql.starts_with("COMMENT") {
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&pool)
                .await
                .unwrap();
        }
    }
    let migration = model::<second::Note>().migrate(&pool).await.unwrap();
    fraiseql_tests::assert_up_to_date(&migration);
}

#[tokio::test]
async fn an_invalid_index_is_reported() {
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
    assert_eq!(migration.drift.len(), 1, "{migration}");
    assert!(migration.drift[0].why.contains("not valid"), "{migration}");
    repair(&pool, &migration.drift).await;
    let again = model::<ascending::Note>().migrate(&pool).await.unwrap();
    assert_eq!(again.created, [r#"index "public"."by_title""#]);
}

#[tokio::test]
async fn an_index_that_cannot_be_compared_is_left_to_the_operator() {
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
        assert_eq!(migration.drift.len(), 1, "{settings}: {migration}");
        assert!(
            migration.drift[0].why.contains("temporary tables"),
            "{settings}: {migration}"
        );
        if settings.contains("READ ONLY") {
            repair(&pool, &migration.drift).await;
            let mut transaction = pool.begin().await.unwrap();
            sqlx::raw_sql(settings)
                .execute(&mut *transaction)
                .await
                .unwrap();
            let again = model.migrate(&mut *transaction).await.unwrap();
            fraiseql_tests::assert_up_to_date(&again);
        }
    }
}
