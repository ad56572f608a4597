//! An oracle: documents computed in plain Rust from the base rows, compared with the view
//! tables after every step of random inserts, updates, deletes, moves and syncs.
//!
//! The base tables have no foreign keys, so that rows may also refer to nothing. More cases:
//! `PROPTEST_CASES=1000 cargo test -p fraiseql-tests --test oracle`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::run;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sqlx::PgPool;

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

#[derive(Embed)]
#[tview(table = "people")]
#[allow(dead_code)]
struct Person {
    #[tview(key)]
    name: String,
    full_name: String,
    rating: Option<f64>,
    balance: Decimal,
    born: Option<NaiveDate>,
}

#[derive(Embed)]
#[tview(table = "remarks")]
#[allow(dead_code)]
struct Remark {
    id: i32,
    content: String,
    at: NaiveDateTime,
    #[tview(one(fk = "author"))]
    author: Option<Person>,
}

#[derive(Embed)]
#[tview(table = "tags")]
#[allow(dead_code)]
struct Tag {
    id: i16,
    label: String,
}

#[derive(TView)]
#[tview(table = "articles", filter = "NOT deleted")]
#[allow(dead_code)]
struct Article {
    id: i64,
    #[tview(filter)]
    title: String,
    #[tview(sort)]
    created_at: DateTime<Utc>,
    meta: Value,
    #[tview(one(fk = "author"))]
    author: Option<Person>,
    #[tview(one(fk = "editor"))]
    editor: Option<Person>,
    #[tview(many(fk = "article", order_by = "at DESC", limit = 3, filter = "NOT hidden"))]
    remarks: Vec<Remark>,
    #[tview(many(through(table = "article_tags", fk = "article", to = "tag")))]
    tags: Vec<Tag>,
    #[tview(count(table = "remarks", fk = "article"), sort)]
    remark_count: i64,
    #[tview(sum(table = "remarks", fk = "article", expr = "length({}.content)"))]
    letters: i64,
    #[tview(max(table = "remarks", fk = "article", expr = "{}.at"))]
    last_at: Option<NaiveDateTime>,
    #[tview(exists(table = "remarks", fk = "article", filter = "hidden"))]
    has_hidden: bool,
}

#[derive(Embed)]
#[tview(table = "articles", filter = "NOT deleted")]
#[allow(dead_code)]
struct ArticleOfPerson {
    id: i64,
    title: String,
}

/// With text keys, and stored as text.
#[derive(TView)]
#[tview(
    table = "people",
    view = "people_documents",
    data = "json",
    plural = "members"
)]
#[allow(dead_code)]
struct Member {
    #[tview(key)]
    name: String,
    balance: Decimal,
    rating: Option<f64>,
    #[tview(many(fk = "author", order_by = "created_at, id DESC"))]
    articles: Vec<ArticleOfPerson>,
    #[tview(count(table = "articles", fk = "author", filter = "NOT deleted"))]
    article_count: i64,
}

/// The base tables in Rust.
#[derive(Clone, Debug, Default)]
struct Base {
    people: BTreeMap<String, PersonRow>,
    articles: BTreeMap<i64, ArticleRow>,
    remarks: BTreeMap<i32, RemarkRow>,
    tags: BTreeMap<i16, String>,
    article_tags: BTreeSet<(i64, i16)>,
}

#[derive(Clone, Debug)]
struct PersonRow {
    full_name: String,
    rating: Option<f64>,
    balance: Decimal,
    born: Option<NaiveDate>,
}

#[derive(Clone, Debug)]
struct ArticleRow {
    author: String,
    editor: Option<String>,
    title: String,
    created_at: DateTime<Utc>,
    deleted: bool,
    meta: Value,
}

#[derive(Clone, Debug)]
struct RemarkRow {
    article: i64,
    author: String,
    content: String,
    at: NaiveDateTime,
    hidden: bool,
}

impl Base {
    fn person(&self, name: &str) -> Value {
        let Some(row) = self.people.get(name) else {
            return Value::Null;
        };
        json!({
            "name": name,
            "fullName": row.full_name,
            "rating": row.rating.map(number),
            "balance": row.balance.to_string(),
            "born": row.born.map(|born| born.to_string()),
        })
    }

    fn article(&self, id: i64) -> Option<Value> {
        let row = self.articles.get(&id).filter(|row| !row.deleted)?;
        let remarks = || self.remarks.iter().filter(|(_, r)| r.article == id);
        let mut visible: Vec<_> = remarks().filter(|(_, r)| !r.hidden).collect();
        visible.sort_by_key(|(id, r)| (std::cmp::Reverse(r.at), **id));
        let tags: Vec<Value> = self
            .tags
            .iter()
            .filter(|(tag, _)| self.article_tags.contains(&(id, **tag)))
            .map(|(tag, label)| json!({ "id": tag, "label": label }))
            .collect();
        Some(json!({
            "id": id,
            "title": row.title,
            "createdAt": format!("{}+00:00", timestamp(row.created_at.naive_utc())),
            "meta": row.meta,
            "author": self.person(&row.author),
            "editor": row.editor.as_ref().map_or(Value::Null, |name| self.person(name)),
            "remarks": visible.iter().take(3).map(|(id, r)| json!({
                "id": id,
                "content": r.content,
                "at": timestamp(r.at),
                "author": self.person(&r.author),
            })).collect::<Vec<_>>(),
            "tags": tags,
            "remarkCount": remarks().count(),
            "letters": remarks().map(|(_, r)| r.content.chars().count()).sum::<usize>(),
            "lastAt": remarks().map(|(_, r)| r.at).max().map(timestamp),
            "hasHidden": remarks().any(|(_, r)| r.hidden),
        }))
    }

    fn member(&self, name: &str) -> Option<Value> {
        let row = self.people.get(name)?;
        let mut articles: Vec<_> = self
            .articles
            .iter()
            .filter(|(_, a)| a.author == name && !a.deleted)
            .collect();
        articles.sort_by_key(|(id, a)| (a.created_at, std::cmp::Reverse(**id)));
        Some(json!({
            "name": name,
            "balance": row.balance.to_string(),
            "rating": row.rating.map(number),
            "articles": articles.iter()
                .map(|(id, a)| json!({ "id": id, "title": a.title })).collect::<Vec<_>>(),
            "articleCount": articles.len(),
        }))
    }
}

/// 1.0 and 1 are the same number; PostgreSQL writes the second.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
        return json!(value as i64);
    }
    json!(value)
}

/// `-0`, which a `json` document keeps, is the number 0, which `jsonb` stores.
fn same_zero(mut value: Value) -> Value {
    match &mut value {
        Value::Number(n) if n.as_f64() == Some(0.0) => return json!(0),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| *item = same_zero(item.take())),
        Value::Object(map) => map
            .values_mut()
            .for_each(|item| *item = same_zero(item.take())),
        _ => {}
    }
    value
}

/// As PostgreSQL writes it: no trailing zeros in the fraction.
fn timestamp(at: NaiveDateTime) -> String {
    let text = at.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[derive(Clone, Debug)]
enum Change {
    Person(u8, Option<(String, Option<f64>, i64, Option<i32>)>),
    Article(u8, ArticleChange),
    Remark(u8, RemarkChange),
    Tag(u8, Option<String>),
    TagArticle(u8, u8, bool),
}

#[derive(Clone, Debug)]
enum ArticleChange {
    Put {
        author: u8,
        editor: Option<u8>,
        title: String,
        at: i64,
        meta: Value,
    },
    Move(u8),
    Hide(bool),
    Delete,
}

#[derive(Clone, Debug)]
enum RemarkChange {
    Put {
        article: u8,
        author: u8,
        content: String,
        at: i64,
        hidden: bool,
    },
    Move(u8),
    Delete,
}

/// How the sync after a change runs.
#[derive(Clone, Copy, Debug)]
enum How {
    Pool,
    Transaction,
    Full,
    /// Not now; what is left is synced with the next.
    Later,
}

/// Keys that a careless quoting, casing or ordering would mix up.
const NAMES: [&str; 5] = ["ada", "Ada", "ä'\"\\", "{a,\"b\"}", "\u{1f600} \t\n"];

fn name(index: u8) -> String {
    NAMES[usize::from(index) % NAMES.len()].to_owned()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just(r"C:\new\table".to_owned()),
        Just("{\"json\": [1, \"\\u0000\"]}".to_owned()),
        Just("NULL".to_owned()),
        Just("'; DROP TABLE articles; --".to_owned()),
        Just("é\u{301}\u{202e}\u{10ffff}\u{feff}".to_owned()),
        Just("x".repeat(5_000)),
        "[^\u{0}]{0,20}",
    ]
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.1),
        Just(1.0 / 3.0),
        Just(-0.0),
        Just(1e-300),
        Just(1.797_693_134_862_315_7e308),
        Just(5e-324),
        Just(2.5),
        -1e6..1e6,
    ]
}

fn meta() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!({ "snake_case": { "b": [null, true], "a": "\u{1f600}\\\"" } })),
        Just(json!([1, 2.5, "x"])),
        text().prop_map(Value::String),
    ]
}

/// Microseconds around 2000, and at the edges that the types have in common.
fn micros() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(0),
        Just(-62_135_596_800_000_000),
        Just(253_402_300_799_999_999),
        900_000_000_000_000..1_000_000_000_000_000_i64,
        (0..20_i64).prop_map(|n| n * 100_000),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let person = (
        text(),
        proptest::option::of(float()),
        any::<i64>(),
        proptest::option::of(-100_000..100_000),
    );
    let article = prop_oneof![
        4 => (0..5_u8, proptest::option::of(0..6_u8), text(), micros(), meta()).prop_map(
            |(author, editor, title, at, meta)| ArticleChange::Put { author, editor, title, at, meta }),
        2 => (0..6_u8).prop_map(ArticleChange::Move),
        2 => any::<bool>().prop_map(ArticleChange::Hide),
        1 => Just(ArticleChange::Delete),
    ];
    let remark = prop_oneof![
        4 => (0..6_u8, 0..5_u8, text(), micros(), any::<bool>()).prop_map(
            |(article, author, content, at, hidden)| RemarkChange::Put { article, author, content, at, hidden }),
        2 => (0..6_u8).prop_map(RemarkChange::Move),
        1 => Just(RemarkChange::Delete),
    ];
    prop_oneof![
        2 => (0..5_u8, proptest::option::weighted(0.8, person)).prop_map(|(n, p)| Change::Person(n, p)),
        4 => (0..6_u8, article).prop_map(|(n, a)| Change::Article(n, a)),
        5 => (0..12_u8, remark).prop_map(|(n, r)| Change::Remark(n, r)),
        1 => (0..4_u8, proptest::option::of(text())).prop_map(|(n, t)| Change::Tag(n, t)),
        2 => (0..6_u8, 0..4_u8, any::<bool>()).prop_map(|(a, t, on)| Change::TagArticle(a, t, on)),
    ]
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        4 => Just(How::Pool),
        4 => Just(How::Transaction),
        1 => Just(How::Full),
        2 => Just(How::Later),
    ]
}

/// Keys whose documents a change may touch, before and after it.
#[derive(Clone, Debug, Default)]
struct Touched {
    articles: BTreeSet<i64>,
    people: BTreeSet<String>,
}

impl Touched {
    fn article(&mut self, base: &Base, id: i64) {
        self.articles.insert(id);
        if let Some(row) = base.articles.get(&id) {
            self.people.insert(row.author.clone());
        }
    }

    fn change(&mut self, base: &Base, change: &Change) {
        match change {
            Change::Person(n, _) => {
                let name = name(*n);
                for (id, row) in &base.articles {
                    if row.author == name || row.editor.as_ref() == Some(&name) {
                        self.article(base, *id);
                    }
                }
                for row in base.remarks.values().filter(|row| row.author == name) {
                    self.articles.insert(row.article);
                }
                self.people.insert(name);
            }
            Change::Article(n, change) => {
                self.article(base, i64::from(*n));
                if let ArticleChange::Put { author, .. } | ArticleChange::Move(author) = change {
                    self.people.insert(name(*author));
                }
            }
            Change::Remark(n, change) => {
                if let Some(row) = base.remarks.get(&i32::from(*n)) {
                    self.articles.insert(row.article);
                }
                if let RemarkChange::Put { article, .. } | RemarkChange::Move(article) = change {
                    self.articles.insert(i64::from(*article));
                }
            }
            Change::Tag(n, _) => {
                let tag = i16::from(*n);
                let tagged = base.article_tags.iter().filter(|(_, t)| *t == tag);
                self.articles.extend(tagged.map(|(article, _)| *article));
            }
            Change::TagArticle(article, ..) => {
                self.articles.insert(i64::from(*article));
            }
        }
    }
}

/// Makes the change in the model, and in the database.
async fn apply(base: &mut Base, change: &Change, on: &mut sqlx::PgConnection) -> sqlx::Result<()> {
    let at = |micros: i64| DateTime::from_timestamp_micros(micros).expect("within the type");
    match change {
        Change::Person(n, None) => {
            base.people.remove(&name(*n));
            let sql = "DELETE FROM people WHERE name = $1";
            sqlx::query(sql).bind(name(*n)).execute(on).await?;
        }
        Change::Person(n, Some((full_name, rating, balance, born))) => {
            let row = PersonRow {
                full_name: full_name.clone(),
                rating: *rating,
                balance: Decimal::new(*balance, 7),
                born: born.map(|days| {
                    NaiveDate::default() + chrono::Days::new(u64::from(days.unsigned_abs()))
                }),
            };
            sqlx::query(
                "INSERT INTO people VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO UPDATE
                SET full_name = $2, rating = $3, balance = $4, born = $5",
            )
            .bind(name(*n))
            .bind(&row.full_name)
            .bind(row.rating)
            .bind(row.balance)
            .bind(row.born)
            .execute(on)
            .await?;
            base.people.insert(name(*n), row);
        }
        Change::Article(n, change) => article(base, i64::from(*n), change, on, at).await?,
        Change::Remark(n, change) => remark(base, i32::from(*n), change, on, at).await?,
        Change::Tag(n, None) => {
            base.tags.remove(&i16::from(*n));
            sqlx::query("DELETE FROM tags WHERE id = $1")
                .bind(i16::from(*n))
                .execute(on)
                .await?;
        }
        Change::Tag(n, Some(label)) => {
            base.tags.insert(i16::from(*n), label.clone());
            sqlx::query(
                "INSERT INTO tags VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET label = $2",
            )
            .bind(i16::from(*n))
            .bind(label)
            .execute(on)
            .await?;
        }
        Change::TagArticle(article, tag, put) => {
            let (article, tag) = (i64::from(*article), i16::from(*tag));
            let sql = if *put {
                base.article_tags.insert((article, tag));
                "INSERT INTO article_tags VALUES ($1, $2) ON CONFLICT DO NOTHING"
            } else {
                base.article_tags.remove(&(article, tag));
                "DELETE FROM article_tags WHERE article = $1 AND tag = $2"
            };
            sqlx::query(sql).bind(article).bind(tag).execute(on).await?;
        }
    }
    Ok(())
}

async fn article(
    base: &mut Base,
    id: i64,
    change: &ArticleChange,
    on: &mut sqlx::PgConnection,
    at: impl Fn(i64) -> DateTime<Utc>,
) -> sqlx::Result<()> {
    match change {
        ArticleChange::Put {
            author,
            editor,
            title,
            at: micros,
            meta,
        } => {
            let row = ArticleRow {
                author: name(*author),
                editor: editor.map(name),
                title: title.clone(),
                created_at: at(*micros),
                deleted: false,
                meta: meta.clone(),
            };
            sqlx::query("INSERT INTO articles VALUES ($1, $2, $3, $4, $5, false, $6) ON CONFLICT (id) DO UPDATE
                SET author = $2, editor = $3, title = $4, created_at = $5, deleted = false, meta = $6")
                .bind(id).bind(&row.author).bind(&row.editor).bind(&row.title).bind(row.created_at)
                .bind(&row.meta).execute(on).await?;
            base.articles.insert(id, row);
        }
        ArticleChange::Move(author) => {
            if let Some(row) = base.articles.get_mut(&id) {
                row.author = name(*author);
            }
            let sql = "UPDATE articles SET author = $2 WHERE id = $1";
            sqlx::query(sql)
                .bind(id)
                .bind(name(*author))
                .execute(on)
                .await?;
        }
        ArticleChange::Hide(deleted) => {
            if let Some(row) = base.articles.get_mut(&id) {
                row.deleted = *deleted;
            }
            let sql = "UPDATE articles SET deleted = $2 WHERE id = $1";
            sqlx::query(sql).bind(id).bind(deleted).execute(on).await?;
        }
        ArticleChange::Delete => {
            base.articles.remove(&id);
            sqlx::query("DELETE FROM articles WHERE id = $1")
                .bind(id)
                .execute(on)
                .await?;
        }
    }
    Ok(())
}

async fn remark(
    base: &mut Base,
    id: i32,
    change: &RemarkChange,
    on: &mut sqlx::PgConnection,
    at: impl Fn(i64) -> DateTime<Utc>,
) -> sqlx::Result<()> {
    match change {
        RemarkChange::Put {
            article,
            author,
            content,
            at: micros,
            hidden,
        } => {
            let row = RemarkRow {
                article: i64::from(*article),
                author: name(*author),
                content: content.clone(),
                at: at(*micros).naive_utc(),
                hidden: *hidden,
            };
            sqlx::query(
                "INSERT INTO remarks VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE
                SET article = $2, author = $3, content = $4, at = $5, hidden = $6",
            )
            .bind(id)
            .bind(row.article)
            .bind(&row.author)
            .bind(&row.content)
            .bind(row.at)
            .bind(row.hidden)
            .execute(on)
            .await?;
            base.remarks.insert(id, row);
        }
        RemarkChange::Move(article) => {
            if let Some(row) = base.remarks.get_mut(&id) {
                row.article = i64::from(*article);
            }
            let sql = "UPDATE remarks SET article = $2 WHERE id = $1";
            sqlx::query(sql)
                .bind(id)
                .bind(i64::from(*article))
                .execute(on)
                .await?;
        }
        RemarkChange::Delete => {
            base.remarks.remove(&id);
            sqlx::query("DELETE FROM remarks WHERE id = $1")
                .bind(id)
                .execute(on)
                .await?;
        }
    }
    Ok(())
}

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
    // And as structs, both ways.
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
fn documents_equal_what_plain_rust_computes_after_every_step() {
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
