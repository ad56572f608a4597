//! Tests that a check leaves its connection and transaction as they were.

use fraiseql_runtime::Error;

use super::expressions::BadExpr;
use super::{Post, check, model, planted};

#[tokio::test]
async fn a_check_leaves_nothing_behind() {
    let pool = planted::<BadExpr>("").await;
    let mut connection = pool.acquire().await.unwrap();
    let report =
        fraiseql_tests::without_server(model::<BadExpr>().check(&mut *connection).await.unwrap());
    assert!(!report.is_ok());
    let (prepared, read_only): (i64, String) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM pg_prepared_statements WHERE from_sql),
                current_setting('transaction_read_only')",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    assert_eq!((prepared, read_only.as_str()), (0, "off"));
}

#[tokio::test]
async fn a_check_inside_a_transaction_leaves_it_as_it_was() {
    let pool = planted::<Post>("").await;
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("ALTER TABLE tb_post ALTER COLUMN title DROP NOT NULL")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let report =
        fraiseql_tests::without_server(model::<Post>().check(&mut *transaction).await.unwrap());
    assert_eq!(
        report.findings().len(),
        1,
        "it sees what is not committed\n{report}"
    );
    sqlx::query("INSERT INTO tb_user VALUES (1, 'Ada')")
        .execute(&mut *transaction)
        .await
        .expect("it can write again");
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_check_does_not_depend_on_the_search_path() {
    let pool = planted::<Post>("").await;
    let mut connection = pool.acquire().await.unwrap();
    sqlx::query("SET search_path = ''")
        .execute(&mut *connection)
        .await
        .unwrap();
    let report =
        fraiseql_tests::without_server(model::<Post>().check(&mut *connection).await.unwrap());
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
}

#[tokio::test]
async fn the_error_lists_all_findings() {
    let pool = planted::<Post>("DROP INDEX tb_comment_post; DROP TABLE tv_post").await;
    let report = check::<Post>(&pool).await;
    let all = report.to_string();
    let error = report.into_result().unwrap_err();
    assert!(matches!(error, Error::Check(_)));
    assert_eq!(
        error.to_string(),
        format!("the read model does not fit the database\n{all}")
    );
    let pool = planted::<Post>("DROP INDEX tb_comment_post").await;
    let report = check::<Post>(&pool)
        .await
        .into_result()
        .expect("a warning is no error");
    assert_eq!(report.warnings().count(), 1);
}
