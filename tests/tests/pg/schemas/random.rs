//! Random changes in both schemas at once, in each way to sync.

use fraiseql_runtime::{Capture, ReadModel};
use proptest::prelude::*;
use sqlx::{AssertSqlSafe, PgPool};

use super::world::{Author, Comment, Post, SCHEMAS, quoted, run_in};
use super::{assert_right, synced};

/// A change of rows in one schema.
#[derive(Clone, Debug)]
struct Change {
    place: usize,
    sql: String,
    mark: Mark,
}

#[derive(Clone, Copy, Debug)]
enum Mark {
    User(i64),
    Post(i64),
    Comment(i64),
    Link(i64),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let one = (0..2_usize, 0..8, 1..6_i64, 1..4_i64, any::<u16>()).prop_map(|(place, kind, key, other, n)| {
        let (sql, mark) = match kind {
            0 => (format!("UPDATE tb_user SET name = 'U{n}' WHERE id = {other}"), Mark::User(other)),
            1 => (format!("UPDATE tb_user SET country = 'NO' WHERE id = {other}"), Mark::User(other)),
            2 => (format!("UPDATE tb_post SET title = 'P{n}' WHERE id = {key}"), Mark::Post(key)),
            3 => (format!("UPDATE tb_post SET author_id = {other} WHERE id = {key}"), Mark::Post(key)),
            4 => (format!("INSERT INTO tb_comment VALUES ({n} + 100, 'C{n}', {other}, {other}) ON CONFLICT DO NOTHING"), Mark::Comment(i64::from(n) + 100)),
            5 => (format!("UPDATE tb_comment SET post_id = {other} WHERE id = {key}"), Mark::Comment(key)),
            6 => (format!("DELETE FROM tb_comment WHERE id = {key}"), Mark::Comment(key)),
            _ => (format!("INSERT INTO tb_post_tag SELECT {other}, 1 + {key} % 2 ON CONFLICT DO NOTHING"), Mark::Link(other)),
        };
        Change { place, sql, mark }
    });
    prop::collection::vec(one, 1..8)
}

async fn apply(
    pool: &PgPool,
    models: &[ReadModel; 2],
    change: &Change,
    marks: bool,
) -> anyhow::Result<()> {
    let mut m = models[change.place].mutation(pool).await?;
    if marks {
        match change.mark {
            Mark::User(key) => m.changing::<Author>(&[key]).await?,
            Mark::Post(key) => m.changing::<Post>(&[key]).await?,
            Mark::Comment(key) => m.changing::<Comment>(&[key]).await?,
            Mark::Link(key) => m.changing_rows("tb_post_tag", "post_id", &[key]).await?,
        }
    }
    let sql = format!(
        "SET LOCAL search_path = {}; {}",
        quoted(SCHEMAS[change.place]),
        change.sql
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *m).await?;
    m.commit().await?;
    Ok(())
}

fn all_are_right(capture: Option<Capture>, by_worker: bool) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (pool, models) = runtime.block_on(synced(capture)).unwrap();
    let config = ProptestConfig {
        cases: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(changes in changes())| {
        runtime.block_on(async {
            for change in &changes {
                if by_worker || capture == Some(Capture::AtCommit) {
                    run_in(&pool, SCHEMAS[change.place], &change.sql).await;
                } else {
                    apply(&pool, &models, change, capture.is_none()).await.unwrap();
                }
            }
            if by_worker {
                for model in &models {
                    model.worker(&pool).drain().await.unwrap();
                }
            }
            assert_right(&pool, &models, &format!("{changes:?}")).await.unwrap();
        });
    });
}

#[test]
fn by_marks() {
    all_are_right(None, false);
}

#[test]
fn by_captured_changes() {
    all_are_right(Some(Capture::Queue), false);
}

#[test]
fn by_a_worker() {
    all_are_right(Some(Capture::Queue), true);
}

#[test]
fn by_the_commit_of_any_transaction() {
    all_are_right(Some(Capture::AtCommit), false);
}
