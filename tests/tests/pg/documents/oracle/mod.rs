//! Tests that after each random change and sync, documents equal those computed in plain Rust.
//!
//! The base tables have no foreign keys, so that rows may refer to missing rows. For more cases:
//! `PROPTEST_CASES=1000 cargo test -p fraiseql-tests --test pg documents::oracle`.

mod apply;
mod base;
mod changes;
mod views;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fraiseql_runtime::{ReadModel, TView};
use fraiseql_tests::run;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use sqlx::PgPool;

use self::apply::{Touched, apply};
use self::base::{Base, same_zero};
use self::changes::{Change, How, change, how};
use self::views::{
    Article, Member, sync_all_articles, sync_all_members, sync_article, sync_member,
};

const TABLES: &str = "
CREATE TABLE people (
    name text PRIMARY KEY, full_name text NOT NULL, rating float8, balance numeric NOT NULL, born date);
CREATE TABLE articles (
    id int8 PRIMARY KEY, author text NOT NULL, editor text, title text NOT NULL,
    created_at timestamptz NOT NULL, deleted boolean NOT NULL, meta jsonb NOT NULL);
CREATE INDEX ON articles (author);
CREATE TABLE remarks (
    id int4 PRIMARY KEY, article int8 NOT NULL, author text NOT NULL, content text NOT NULL,
    at timestamp NOT NULL, hidden boolean NOT NULL);
CREATE INDEX ON remarks (article);
CREATE TABLE tags (id int2 PRIMARY KEY, label text NOT NULL);
CREATE TABLE article_tags (article int8, tag int2, PRIMARY KEY (article, tag));
";

/// Applies one step and compares everything.
async fn step(
    pool: &PgPool,
    base: &mut Base,
    pending: &mut Touched,
    change: &Change,
    how: How,
) -> anyhow::Result<()> {
    pending.change(base, change);
    let mut transaction = pool.begin().await?;
    apply(base, change, &mut transaction).await?;
    pending.change(base, change);
    let articles: Vec<i64> = pending.articles.iter().copied().collect();
    let people: Vec<String> = pending.people.iter().cloned().collect();
    if matches!(how, How::Transaction) {
        sync_article(&mut transaction, &articles).await?;
        sync_member(&mut transaction, &people).await?;
    }
    transaction.commit().await?;
    match how {
        How::Transaction => {}
        How::Pool => {
            sync_article(pool, &articles).await?;
            sync_member(pool, &people).await?;
        }
        How::Full => {
            sync_all_articles(pool).chunk(2).await?;
            sync_all_members(pool).chunk(2).await?;
        }
        How::Later => return Ok(()),
    }
    *pending = Touched::default();
    compare(pool, base).await
}

async fn compare(pool: &PgPool, base: &Base) -> anyhow::Result<()> {
    let stored: Vec<(i64, Value, String, DateTime<Utc>, i64)> = sqlx::query_as(
        "SELECT id, data, title, created_at, remark_count FROM tv_article ORDER BY id",
    )
    .fetch_all(pool)
    .await?;
    let expected: BTreeMap<i64, Value> = base
        .articles
        .keys()
        .filter_map(|id| Some((*id, base.article(*id)?)))
        .collect();
    let documents: BTreeMap<i64, Value> = stored.iter().map(|row| (row.0, row.1.clone())).collect();
    anyhow::ensure!(
        documents == expected,
        "articles\n stored {documents:#?}\n expected {expected:#?}"
    );
    for (id, data, title, created_at, remark_count) in stored {
        let row = &base.articles[&id];
        anyhow::ensure!(
            row.title == title && row.created_at == created_at,
            "promoted of {id}"
        );
        anyhow::ensure!(
            data["remarkCount"] == remark_count,
            "promoted count of {id}"
        );
    }
    let stored: BTreeMap<String, Value> = sqlx::query_as("SELECT name, data FROM people_documents")
        .fetch_all(pool)
        .await?
        .into_iter()
        .map(|(name, data): (String, Value)| (name, same_zero(data)))
        .collect();
    let expected: BTreeMap<String, Value> = base
        .people
        .keys()
        .filter_map(|name| Some((name.clone(), base.member(name)?)))
        .collect();
    anyhow::ensure!(
        stored == expected,
        "people\n stored {stored:#?}\n expected {expected:#?}"
    );
    // Also as structs, in both directions.
    let keys: Vec<i64> = documents.keys().copied().collect();
    let typed = Article::find_many(pool, &keys).await?;
    anyhow::ensure!(typed.len() == keys.len());
    for (document, typed) in documents.values().zip(&typed) {
        anyhow::ensure!(
            *document == serde_json::from_str::<Value>(&serde_json::to_string(typed)?)?
        );
    }
    Ok(())
}

#[test]
fn documents_equal_those_computed_in_rust_after_every_step() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let pool = runtime.block_on(async {
        let pool = fraiseql_tests::pool().await;
        run(&pool, TABLES).await;
        let model = ReadModel::builder()
            .view::<Article>()
            .view::<Member>()
            .build();
        model
            .expect("two views")
            .migrate(&pool)
            .await
            .expect("migrated");
        pool
    });
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(50);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    });
    let steps = proptest::collection::vec((change(), how()), 60);
    let result = runner.run(&steps, |steps| {
        runtime
            .block_on(async {
                run(&pool, "TRUNCATE people, articles, remarks, tags, article_tags, tv_article, people_documents").await;
                let (mut base, mut pending) = (Base::default(), Touched::default());
                for (change, how) in &steps {
                    step(&pool, &mut base, &mut pending, change, *how).await?;
                }
                anyhow::Ok(())
            })
            .map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
