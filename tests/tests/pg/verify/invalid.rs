//! Tests that documents that cannot be built are listed, and that all others are compared.

use fraiseql_runtime::TView;
use fraiseql_runtime::verify::VerifyReport;
use fraiseql_tests::{run, world};

use super::{HARM, found, posts, verify_post, verify_published};

#[tokio::test]
async fn documents_that_cannot_be_built_are_listed_and_the_others_compared() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    run(
        &pool,
        "UPDATE post SET score = 'NaN' WHERE id IN (3, 58);
         INSERT INTO author VALUES (3, NULL);
         UPDATE comment SET author_id = 3 WHERE id = 20",
    )
    .await;
    let expect = |report: &VerifyReport| {
        assert_eq!(found(report), (vec![7], vec![8], vec![9]));
        let invalid: Vec<_> = report
            .invalid
            .iter()
            .map(|document| (document.key.as_str(), document.reason.as_str()))
            .collect();
        assert_eq!(
            invalid,
            [
                ("1", "comments[0].author.name: is null"),
                ("3", "score: NaN cannot be represented"),
                ("58", "score: NaN cannot be represented"),
            ]
        );
        assert_eq!((report.checked, report.more_invalid), (60, 0));
        assert!(
            report.to_string().contains(
                "1 orphaned, 3 invalid\n  drifted: 7\n  missing: 8\n  orphaned: 9\n  1: comments[0].author.name: is null\n"
            ),
            "{report}"
        );
    };
    for chunk in [5, 1000] {
        expect(&verify_post(&pool).chunk(chunk).await?);
    }
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql("SET TRANSACTION READ ONLY")
        .execute(&mut *transaction)
        .await?;
    expect(&verify_post(&mut transaction).await?);
    transaction.commit().await?;
    // A document that cannot be built cannot be repaired.
    let report = verify_post(&pool).repair().await?;
    assert_eq!(report.repaired.as_ref().map(|r| r.changed()), Some(3));
    let report = verify_post(&pool).await?;
    assert_eq!(report.invalid.len(), 3);
    assert_eq!(report.wrong(), 3);
    Ok(())
}

#[derive(Debug, TView)]
#[tview(table = "post", view = "tv_quotient")]
#[allow(dead_code)]
struct Quotient {
    id: i64,
    score: Option<f64>,
    #[tview(expr = "100 / {}.divisor")]
    quotient: i32,
}

#[tokio::test]
async fn an_expression_that_fails_is_found_by_halving() -> anyhow::Result<()> {
    let pool = posts().await;
    let model = world::model::<Quotient>();
    model.migrate(&pool).await?;
    sync_all_quotients(&pool).await?;
    run(
        &pool,
        "UPDATE post SET divisor = 0 WHERE id IN (17, 40); UPDATE post SET divisor = 5 WHERE id = 41;
         UPDATE post SET score = 'NaN' WHERE id = 42; DELETE FROM tv_quotient WHERE id = 16",
    )
    .await;
    let report = verify_quotient(&pool).explain(5).await?;
    assert_eq!(found(&report), (vec![41], vec![16], vec![]));
    let invalid: Vec<_> = report
        .invalid
        .iter()
        .map(|document| (document.key.as_str(), document.reason.as_str()))
        .collect();
    assert_eq!(
        invalid,
        [
            ("17", "quotient: division by zero"),
            ("40", "quotient: division by zero"),
            ("42", "score: NaN cannot be represented")
        ]
    );
    assert_eq!(
        report.explained[0].differences[0].to_string(),
        "quotient: stored 100, should be 20"
    );
    Ok(())
}

#[tokio::test]
async fn of_many_invalid_documents_the_first_are_kept_and_all_are_counted() -> anyhow::Result<()> {
    let pool = posts().await;
    run(
        &pool,
        "INSERT INTO post (id, title, author_id, score) SELECT i, '', 1, 'NaN' FROM generate_series(101, 1300) AS i",
    )
    .await;
    let report = verify_published(&pool).await?;
    assert_eq!((report.invalid.len(), report.more_invalid), (1000, 200));
    assert_eq!((report.checked, report.wrong()), (1260, 1200));
    assert!(report.to_string().ends_with("\n  and 1195 more invalid"));
    Ok(())
}

/// Any other failure is an error, and leaves the caller's transaction usable.
#[tokio::test]
async fn other_failures_of_the_database_are_errors() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, "DROP TABLE comment CASCADE").await;
    let error = verify_post(&pool).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("verifying \"public\".\"tv_post\": "),
        "{error}"
    );
    let mut transaction = pool.begin().await?;
    assert!(verify_post(&mut transaction).await.is_err());
    assert!(verify_published(&mut transaction).await?.is_clean());
    // Also where rows are counted.
    sqlx::raw_sql("ALTER TABLE post RENAME TO other")
        .execute(&mut *transaction)
        .await?;
    let result = verify_published(&mut transaction).on_progress(|_| {}).await;
    assert!(result.is_err());
    sqlx::raw_sql("ALTER TABLE other RENAME TO post")
        .execute(&mut *transaction)
        .await?;
    assert!(verify_published(&mut transaction).await?.is_clean());
    transaction.commit().await?;
    Ok(())
}
