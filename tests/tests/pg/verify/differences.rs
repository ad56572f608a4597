//! Tests that a verification finds missing, drifted and orphaned documents, and no others.

use fraiseql_tests::run;

use super::samples::Word;
use super::{
    HARM, found, posts, stored, sync_all_posts, sync_published, verify_part, verify_post,
    verify_published,
};

#[tokio::test]
async fn correct_documents_are_not_reported() -> anyhow::Result<()> {
    let pool = posts().await;
    let before = stored(&pool).await;
    let report = verify_post(&pool).await?;
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.checked, report.wrong()), (60, 0));
    assert_eq!(report.repaired, None);
    assert!(report.duration > std::time::Duration::ZERO);
    let line = report.to_string();
    assert!(
        line.starts_with("\"public\".\"tv_post\": 60 checked in ")
            && line.ends_with("s: 0 drifted, 0 missing, 0 orphaned"),
        "{line}"
    );
    // A repair has nothing to write.
    let report = verify_post(&pool).repair().await?;
    assert_eq!(report.repaired.map(|repaired| repaired.total()), Some(0));
    assert_eq!(stored(&pool).await, before);
    Ok(())
}

#[tokio::test]
async fn each_kind_of_fault_is_found_and_nothing_is_written() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    let before = stored(&pool).await;
    let report = verify_post(&pool).await?;
    assert_eq!(found(&report), (vec![7], vec![8], vec![9]));
    assert_eq!((report.checked, report.wrong()), (60, 3));
    assert!(!report.is_clean());
    let text = report.to_string();
    assert!(
        text.ends_with(
            ": 1 drifted, 1 missing, 1 orphaned\n  drifted: 7\n  missing: 8\n  orphaned: 9"
        ),
        "{text}"
    );
    assert_eq!(stored(&pool).await, before);
    // A report has no documents of another view.
    assert_eq!(report.drifted.of::<Word>(), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn data_and_promoted_columns_are_compared() -> anyhow::Result<()> {
    let pool = posts().await;
    for (change, key) in [
        (
            "UPDATE tv_post SET data = data || '{\"title\": \"x\"}' WHERE id = 3",
            3,
        ),
        ("UPDATE tv_post SET data = data - 'score' WHERE id = 4", 4),
        (
            "UPDATE tv_post SET data = jsonb_set(data, '{comments,0,author,name}', '\"x\"') WHERE id = 5",
            5,
        ),
        (
            "UPDATE tv_post SET written = written + '1us' WHERE id = 6",
            6,
        ),
        ("UPDATE tv_post SET score = NULL WHERE id = 7", 7),
        ("UPDATE comment SET text = NULL WHERE post_id = 8", 8),
    ] {
        sqlx::raw_sql(change).execute(&pool).await?;
        let report = verify_post(&pool).await?;
        assert_eq!(found(&report), (vec![key], vec![], vec![]), "{change}");
        assert_eq!(sync_all_posts(&pool).await?.updated, 1);
    }
    // Bookkeeping columns are not compared.
    run(
        &pool,
        "UPDATE tv_post SET version = 9, updated_at = 'epoch'",
    )
    .await;
    assert!(verify_post(&pool).await?.is_clean());
    Ok(())
}

#[tokio::test]
async fn a_document_of_a_row_that_the_filter_excludes_is_orphaned() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, "UPDATE post SET draft = true WHERE id IN (3, 4)").await;
    let report = verify_published(&pool).await?;
    assert_eq!(found(&report), (vec![], vec![], vec![3, 4]));
    assert_eq!(report.checked, 60);
    sync_published(&pool, &[3, 4]).await?;
    let report = verify_published(&pool).await?;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.checked, 58);
    run(&pool, "UPDATE post SET draft = false WHERE id = 3").await;
    let report = verify_published(&pool).await?;
    assert_eq!(found(&report), (vec![], vec![3], vec![]));
    Ok(())
}

#[tokio::test]
async fn text_documents_are_compared_as_text() -> anyhow::Result<()> {
    let pool = posts().await;
    run(
        &pool,
        r#"UPDATE tv_published SET data = '{"title":"post 5","id":5,"score":5.1}' WHERE id = 5;
           UPDATE tv_published SET data = '{"id":6,"title":"x","score":6.1}' WHERE id = 6;
           UPDATE tv_published SET data = '{"id":7,"title":"post 7","score":7.10}' WHERE id = 7"#,
    )
    .await;
    let report = verify_published(&pool).explain(9).await?;
    assert_eq!(found(&report), (vec![5, 6, 7], vec![], vec![]));
    let lines: Vec<String> = report.explained[0]
        .differences
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        lines,
        [
            r#"the document's text: stored {"title":"post 5","id":5,"score":5.1}, should be {"id":5,"title":"post 5","score":5.1}"#
        ]
    );
    assert_eq!(report.explained[1].differences[0].path, "title");
    assert_eq!(
        report.explained[2].differences[0].to_string(),
        r#"the document's text: stored .."post 7","score":7.10}, should be .."post 7","score":7.1}"#
    );
    Ok(())
}

#[tokio::test]
async fn a_view_in_partitions_is_verified() -> anyhow::Result<()> {
    let pool = posts().await;
    run(
        &pool,
        "UPDATE post SET title = 'new' WHERE id IN (2, 3, 5);
         DELETE FROM tv_part WHERE id = 8;
         INSERT INTO tv_part SELECT 99, title, data, 1, '3', now() FROM tv_part WHERE id = 1",
    )
    .await;
    let report = verify_part(&pool).chunk(7).await?;
    assert_eq!(found(&report), (vec![2, 3, 5], vec![8], vec![99]));
    verify_part(&pool).repair().await?;
    assert!(verify_part(&pool).await?.is_clean());
    Ok(())
}
