//! Tests that what `migrate` does not change is reported with the statement that repairs it.

use fraiseql_runtime::Error;
use fraiseql_tests::run;
use fraiseql_tests::world::model;

use super::{columns, first, indexes, notes, repair, second, tables_of};

#[tokio::test]
async fn unused_columns_and_indexes_are_reported_and_not_changed() {
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
    // The functions of this release.
    assert_eq!(tables_of(&migration), Vec::<&str>::new());
    let left: Vec<(&str, &str)> = migration
        .drift
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
    repair(&pool, &migration.drift).await;
    let again = model::<first::Note>().migrate(&pool).await.unwrap();
    fraiseql_tests::assert_up_to_date(&again);
}

#[tokio::test]
async fn a_column_of_another_type_is_reported_with_the_statement_that_changes_it() {
    let pool = notes().await;
    model::<second::Note>().migrate(&pool).await.unwrap();
    run(
        &pool,
        "ALTER TABLE tv_note ALTER COLUMN stars TYPE text USING stars::text;
         ALTER TABLE tv_note ALTER COLUMN data TYPE json USING data::json",
    )
    .await;
    let migration = model::<second::Note>().migrate(&pool).await.unwrap();
    let remedies: Vec<&str> = migration.drift.iter().map(|l| l.remedy.as_str()).collect();
    assert_eq!(
        remedies,
        [
            r#"ALTER TABLE "public"."tv_note" ALTER COLUMN "stars" TYPE int4 USING "stars"::int4"#,
            r#"ALTER TABLE "public"."tv_note" ALTER COLUMN "data" TYPE jsonb USING "data"::jsonb"#,
        ]
    );
    assert!(
        migration.drift[0].why.contains("of type text"),
        "{migration}"
    );
    repair(&pool, &migration.drift).await;
    let again = model::<second::Note>().migrate(&pool).await.unwrap();
    fraiseql_tests::assert_up_to_date(&again);
}

#[tokio::test]
async fn a_table_that_is_not_a_view_table_is_not_changed() {
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
        "\"public\".\"tv_note\" is not a view table: it has no column \"version\", \"synced_xid\", \"updated_at\"; choose another name with #[tview(view = \"..\")], or rename that table"
    );
    assert!(matches!(error, Error::NotAViewTable { .. }));
    assert_eq!(columns(&pool).await, before);
}
