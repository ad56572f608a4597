//! Tests that a view table that differs from the one that `migrate` would create is found.

use fraiseql_runtime::check::{FindingKind, Severity};

use super::{Post, check, error, model, only, planted, sql, warning};

#[tokio::test]
async fn a_view_table_is_compared_with_the_one_that_migrate_would_create() {
    let finding = error::<Post>("DROP TABLE tv_post", FindingKind::MissingViewTable).await;
    assert_eq!(finding.path, "Post");
    let finding = error::<Post>(
        "ALTER TABLE tv_post DROP COLUMN title",
        FindingKind::OutdatedViewTable,
    )
    .await;
    assert_eq!(
        finding.message,
        "tv_post is older than the struct: it lacks the column title and the index \
         tv_post_title_idx"
    );
    warning::<Post>(
        "DROP INDEX tv_post_title_idx",
        FindingKind::OutdatedViewTable,
    )
    .await;
    warning::<Post>(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tv_post_title_idx'::regclass",
        FindingKind::InvalidIndex,
    )
    .await;
    for changed in [
        "ALTER TABLE tv_post ALTER COLUMN title TYPE varchar",
        "ALTER TABLE tv_post ALTER COLUMN data TYPE json",
        "ALTER TABLE tv_post ALTER COLUMN id TYPE int4",
    ] {
        error::<Post>(changed, FindingKind::ViewColumnType).await;
    }
    error::<Post>(
        "ALTER TABLE tv_post DROP CONSTRAINT tv_post_pkey",
        FindingKind::ViewKey,
    )
    .await;
    let pool = planted::<Post>("ALTER TABLE tv_post RENAME id TO post_id").await;
    let report = check::<Post>(&pool).await;
    assert_eq!(report.findings().len(), 1, "{report}");
    assert_eq!(
        sql(&report.findings()[0]),
        ["DROP TABLE \"public\".\"tv_post\""]
    );
    let view = "DROP TABLE tv_post; CREATE VIEW tv_post AS SELECT 1 AS id";
    error::<Post>(view, FindingKind::NotATable).await;
}

#[tokio::test]
async fn a_promoted_column_of_another_type_has_one_remedy_that_keeps_its_values() {
    let pool = planted::<Post>(
        "INSERT INTO tv_post (id, title, data, version, synced_xid, updated_at)
             VALUES (1, '7', '{}', 1, pg_current_xact_id(), now());
         ALTER TABLE tv_post ALTER COLUMN title TYPE int8 USING title::int8",
    )
    .await;
    let migration = model::<Post>().migrate(&pool).await.unwrap();
    let [left] = migration.drift.as_slice() else {
        panic!("{migration}");
    };
    let afterwards = "sync all of posts afterwards";
    assert!(left.why.contains(afterwards), "{left}");
    let finding = only::<Post>(&pool, Severity::Error, FindingKind::ViewColumnType).await;
    assert_eq!(sql(&finding), [left.remedy.as_str()]);
    assert_eq!(
        left.remedy,
        "ALTER TABLE \"public\".\"tv_post\" ALTER COLUMN \"title\" TYPE text USING \"title\"::text"
    );
    assert_eq!(
        finding.message,
        "tv_post.title is bigint, but should be text; after the change, sync all of posts"
    );
    let kept: String = sqlx::query_scalar("SELECT title FROM tv_post")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(kept, "7");
}
