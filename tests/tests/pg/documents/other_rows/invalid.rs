//! Tests that a value without a place in the document makes it invalid, and is reported with its path.

use fraiseql_tests::run;

use super::TABLES;
use super::structs::{First, Lists, sync_first, sync_lists};

#[tokio::test]
async fn a_null_in_the_first_row_or_a_list_is_reported() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let model = fraiseql_runtime::ReadModel::builder()
        .view::<First>()
        .view::<Lists>()
        .build()?;
    model.migrate(&pool).await?;
    model.sync_all(&pool).await?;
    run(
        &pool,
        "ALTER TABLE tb_label ALTER COLUMN name DROP NOT NULL;
         UPDATE tb_label SET name = NULL;
         DELETE FROM tb_project_label;
         INSERT INTO tb_project_label VALUES (1, 1, 1, 0)",
    )
    .await;
    let report = sync_first(&pool, &[1, 2]).await?;
    let invalid: Vec<String> = report.invalid.iter().map(ToString::to_string).collect();
    assert_eq!(invalid.len(), 1, "{report}");
    assert!(invalid[0].contains("label.name"), "{invalid:?}");
    let report = sync_lists(&pool, &[1, 2]).await?;
    let invalid: Vec<String> = report.invalid.iter().map(ToString::to_string).collect();
    assert_eq!(invalid.len(), 1, "{report}");
    assert!(
        invalid[0].contains("labels") && invalid[0].contains("lastLabels"),
        "{invalid:?}"
    );
    let lists = fraiseql_runtime::ReadModel::builder()
        .view::<Lists>()
        .build()?;
    let report = lists.check(&pool).await?.to_string();
    assert!(
        report.contains("write `Vec<Option<String>>`")
            && report.contains(
                "tb_label.name can be null, and the elements of the field are not Options"
            ),
        "{report}"
    );
    Ok(())
}
