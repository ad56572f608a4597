//! Tests that missing tables, schemas and columns are found, and that similar names are suggested.

use fraiseql_runtime::TView;
use fraiseql_runtime::check::{FindingKind, Remedy, Severity};
use fraiseql_tests::run;

use super::{Post, TABLES, check, error, only, sql, warning};

#[tokio::test]
async fn a_missing_table_is_one_error_without_its_columns() {
    let finding = error::<Post>("DROP TABLE tb_comment", FindingKind::MissingTable).await;
    assert_eq!(finding.message, "there is no table tb_comment");
    assert_eq!(finding.path, "Post.comments");
    assert_eq!(finding.also, ["Post.comment_count"]);
    assert_eq!(finding.view.unwrap().table.name, "tv_post");
}

#[tokio::test]
async fn a_table_with_a_similar_name_or_in_another_schema_is_suggested() {
    let renamed = "ALTER TABLE tb_label RENAME TO tb_labels";
    let finding = error::<Post>(renamed, FindingKind::MissingTable).await;
    assert_eq!(
        finding.remedies,
        [Remedy::Rust("table = \"tb_labels\"".into())]
    );
    let moved = "CREATE SCHEMA app; ALTER TABLE tb_label SET SCHEMA app";
    let finding = error::<Post>(moved, FindingKind::MissingTable).await;
    assert_eq!(
        finding.remedies,
        [Remedy::Rust("table = \"app.tb_label\"".into())]
    );
}

#[derive(TView)]
#[tview(table = "aap.tb_thing", view = "aap.tv_thing")]
#[allow(dead_code)]
struct Thing {
    id: i64,
    name: String,
}

#[tokio::test]
async fn a_missing_schema_is_one_error_without_its_tables() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, "CREATE SCHEMA app").await;
    let report = check::<Thing>(&pool).await;
    let [finding] = report.findings() else {
        panic!("{report}");
    };
    assert_eq!(finding.kind, FindingKind::MissingSchema);
    assert_eq!(finding.message, "there is no schema `aap`");
}

#[derive(TView)]
#[tview(table = "tb_label", view = "read.tv_label")]
#[allow(dead_code)]
struct LabelElsewhere {
    id: i64,
    name: String,
}

#[tokio::test]
async fn a_missing_schema_of_a_view_table_is_reported_with_its_statement() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let finding = only::<LabelElsewhere>(&pool, Severity::Error, FindingKind::MissingSchema).await;
    assert_eq!(sql(&finding), ["CREATE SCHEMA \"read\""]);
    let missing = only::<LabelElsewhere>(&pool, Severity::Error, FindingKind::MissingViewTable);
    assert_eq!(missing.await.remedies, [Remedy::Migrate]);
}

#[tokio::test]
async fn a_column_with_a_similar_name_is_suggested() {
    let renamed = "ALTER TABLE tb_post RENAME title TO \"titleText\";
        ALTER TABLE tb_post RENAME \"titleText\" TO titel";
    let finding = error::<Post>(renamed, FindingKind::MissingColumn).await;
    assert_eq!(finding.path, "Post.title");
    assert_eq!(
        finding.message,
        "tb_post has no column `title`; did you mean `titel`?"
    );
    assert_eq!(
        finding.remedies,
        [Remedy::Rust("#[tview(column = \"titel\")]".into())]
    );
    let renamed = "ALTER TABLE tb_post RENAME author_id TO author";
    let finding = error::<Post>(renamed, FindingKind::MissingColumn).await;
    assert_eq!(finding.path, "Post.author");
}

#[tokio::test]
async fn a_missing_column_is_reported_with_its_statement() {
    let finding = error::<Post>(
        "ALTER TABLE tb_post DROP COLUMN rank",
        FindingKind::MissingColumn,
    )
    .await;
    assert_eq!(
        sql(&finding),
        ["ALTER TABLE \"public\".\"tb_post\" ADD COLUMN \"rank\" int4"]
    );
}

#[tokio::test]
async fn a_column_to_order_by_must_exist_and_be_sortable() {
    let dropped = "ALTER TABLE tb_comment DROP COLUMN created_at";
    let finding = error::<Post>(dropped, FindingKind::MissingColumn).await;
    assert!(
        finding.message.contains("which is its order_by"),
        "{finding}"
    );
    let json = "ALTER TABLE tb_comment ALTER COLUMN created_at TYPE json USING to_json(created_at)";
    let finding = error::<Post>(json, FindingKind::OrderBy).await;
    assert_eq!(
        finding.message,
        "tb_comment.created_at is json, which has no order to sort by"
    );
}

#[tokio::test]
async fn a_view_as_base_table_is_one_warning() {
    let view = "ALTER TABLE tb_label RENAME TO labels;
        CREATE VIEW tb_label AS SELECT * FROM labels";
    let finding = warning::<Post>(view, FindingKind::NotATable).await;
    assert!(
        finding.message.starts_with("tb_label is a view"),
        "{finding}"
    );
    let view = "ALTER TABLE tb_user RENAME TO users;
        CREATE MATERIALIZED VIEW tb_user AS SELECT * FROM users;
        CREATE UNIQUE INDEX ON tb_user (id)";
    let finding = warning::<Post>(view, FindingKind::NotATable).await;
    assert!(finding.message.contains("cannot be locked"), "{finding}");
}
