//! Tests that failures of the search for invalid values are handled.

use fraiseql_tests::run;
use sqlx::PgPool;

use super::{documents, invalid, sensors, sync_sensor};

/// Makes reads of room titles fail: for the writes of documents, in their order, with these
/// SQLSTATEs, and for the search for invalid values with that one.
async fn troubled(writes: &[&str], flaws: Option<&str>) -> PgPool {
    let pool = sensors().await;
    run(
        &pool,
        "CREATE TABLE script (writes text[], flaws text);
         CREATE SEQUENCE writes;
         CREATE FUNCTION trouble(title text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE
             code text := (SELECT CASE WHEN current_query() LIKE '%AS \"flaws\"%' THEN flaws
                 ELSE writes[nextval('writes')] END FROM script);
         BEGIN
             IF code IS NOT NULL THEN RAISE EXCEPTION 'trouble' USING ERRCODE = code; END IF;
             RETURN title;
         END $$;
         ALTER TABLE room RENAME TO rooms;
         CREATE VIEW room AS SELECT id, trouble(title) AS title FROM rooms",
    )
    .await;
    sqlx::query("INSERT INTO script VALUES ($1, $2)")
        .bind(writes)
        .bind(flaws)
        .execute(&pool)
        .await
        .unwrap();
    pool
}

const DIVISION_BY_ZERO: &str = "22012";
const QUERY_CANCELED: &str = "57014";

#[tokio::test]
async fn if_the_search_for_invalid_values_fails_the_batch_is_halved() -> anyhow::Result<()> {
    let pool = troubled(&[DIVISION_BY_ZERO], Some(DIVISION_BY_ZERO)).await;
    let report = sync_sensor(&pool, &[1, 2, 3]).await?;
    assert_eq!((report.inserted, invalid(&report)), (3, vec![]));
    Ok(())
}

/// The document is not invalid: it may be written as soon as the server is able to.
#[tokio::test]
async fn another_failure_of_the_search_for_invalid_values_is_an_error() -> anyhow::Result<()> {
    let pool = troubled(&[DIVISION_BY_ZERO], Some(QUERY_CANCELED)).await;
    let error = sync_sensor(&pool, &[1]).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("looking for the invalid documents of \"public\".\"tv_sensor\": "),
        "{error}"
    );
    assert_eq!(documents(&pool).await, 0);
    Ok(())
}

#[tokio::test]
async fn another_failure_of_a_halved_batch_is_an_error() -> anyhow::Result<()> {
    let pool = troubled(&[DIVISION_BY_ZERO, QUERY_CANCELED], None).await;
    let error = sync_sensor(&pool, &[1, 2]).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("syncing \"public\".\"tv_sensor\": "),
        "{error}"
    );
    assert_eq!(documents(&pool).await, 0);
    Ok(())
}
