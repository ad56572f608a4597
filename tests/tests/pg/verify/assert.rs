//! Tests that `assert_synced` passes on synced tables, and otherwise reports what differs.

use fraiseql_runtime::assert_synced;
use fraiseql_tests::run;

use super::{HARM, model, posts, stored, sync_part, sync_post, sync_published, verify_post};

/// The message of a panic, with `tests/verify.rs` in place of the caller's file and line.
async fn panics(work: impl Future<Output = ()> + Send + 'static, line: u32) -> String {
    let panic = tokio::spawn(work).await.unwrap_err().into_panic();
    let text = panic.downcast_ref::<String>().expect("it has a text");
    let place = format!("{}:{line}:", file!());
    let (before, after) = text
        .split_once(&place)
        .unwrap_or_else(|| panic!("no {place} in {text}"));
    let before = before.rsplit_once(' ').map_or("", |(before, _)| before);
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before} tests/verify.rs{after}")
}

#[tokio::test]
async fn the_assertion_passes_on_synced_documents() {
    let pool = posts().await;
    assert_synced(&model(), &pool).await;
    let mut transaction = pool.begin().await.unwrap();
    sqlx::raw_sql("UPDATE post SET title = 'new' WHERE id = 7")
        .execute(&mut *transaction)
        .await
        .unwrap();
    sync_post(&mut transaction, &[7]).await.unwrap();
    sync_published(&mut transaction, &[7]).await.unwrap();
    sync_part(&mut transaction, &[7]).await.unwrap();
    assert_synced(&model(), &mut transaction).await;
    transaction.rollback().await.unwrap();
    assert_synced(&model(), &pool).await;
}

#[tokio::test]
async fn a_forgotten_sync_is_reported_with_the_differences() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, HARM).await;
    run(
        &pool,
        "UPDATE comment SET author_id = 1, text = NULL WHERE id = 1;
         INSERT INTO comment VALUES (99, 4, 'new', 2);
         UPDATE post SET written = '2026-08-01 00:00:00+00' WHERE id = 5;
         UPDATE tv_post SET score = 0 WHERE id = 6;
         UPDATE tv_published SET data = '{\"id\": 3}' WHERE id = 3",
    )
    .await;
    let before = stored(&pool).await;
    let line = line!() + 2;
    let target = pool.clone();
    let work = async move { assert_synced(&model(), &target).await };
    insta::assert_snapshot!(panics(work, line).await);
    assert_eq!(stored(&pool).await, before, "nothing is repaired");
    Ok(())
}

#[tokio::test]
async fn an_invalid_document_is_not_reported_as_a_forgotten_sync() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, "UPDATE post SET score = 'NaN' WHERE id = 7").await;
    let line = line!() + 1;
    let work = async move { assert_synced(&model(), &pool).await };
    assert_eq!(
        panics(work, line).await,
        "2 documents differ from the base tables, at tests/verify.rs\n\
         \"public\".\"tv_post\": 60 checked: 0 drifted, 0 missing, 0 orphaned, 1 invalid\n  \
           7: score: NaN cannot be represented\n\
         \"public\".\"tv_published\": 60 checked: 0 drifted, 0 missing, 0 orphaned, 1 invalid\n  \
           7: score: NaN cannot be represented"
    );
    Ok(())
}

#[tokio::test]
async fn the_assertion_fails_if_the_query_fails() -> anyhow::Result<()> {
    let pool = posts().await;
    run(&pool, "DROP TABLE tv_post").await;
    let line = line!() + 1;
    let work = async move { assert_synced(&model(), &pool).await };
    let text = panics(work, line).await;
    assert!(
        text.starts_with("documents cannot be verified, at tests/verify.rs: ")
            && text.contains("migrate"),
        "{text}"
    );
    Ok(())
}

/// JSON around a value that is left out is left out as well.
#[tokio::test]
async fn reported_differences_are_few_and_shortened() -> anyhow::Result<()> {
    let pool = posts().await;
    run(
        &pool,
        "UPDATE post SET title = repeat('ä', 200) WHERE id = 30;
         UPDATE tv_post SET data = '[]' WHERE id = 31;
         UPDATE tv_post SET data = jsonb_build_object('comments', '{}'::jsonb) || data - 'comments' || '{\"comments\": {}}'
             WHERE id = 32;
         INSERT INTO comment SELECT 1000 + i, 33, 'x', 1 FROM generate_series(1, 15) AS i",
    )
    .await;
    let report = verify_post(&pool).explain(10).await?;
    let explained: Vec<String> = report
        .explained
        .iter()
        .map(|explained| {
            let lines: Vec<String> = explained
                .differences
                .iter()
                .map(ToString::to_string)
                .collect();
            format!(
                "{}: {} and {} more",
                explained.key,
                lines.join("; "),
                explained.more
            )
        })
        .collect();
    insta::assert_snapshot!(explained.join("\n"));
    let one = verify_post(&pool).explain(1).chunk(1).await?;
    assert_eq!((one.explained.len(), one.drifted.total()), (1, 4));
    Ok(())
}
