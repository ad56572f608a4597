//! The write side, without a server: rows are updated, and their documents brought up to date.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use super::contender::Contender;
use super::database::{Database, add_triggers};
use super::progress::bar;
use super::views::json;
use crate::blog::{self, Size};
use crate::measure::Times;
use crate::sync::{CLASSIC, CLASSIC_TABLE, ONE_SELECT, ONE_UPSERT, statement};

/// A method to bring documents up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// `sync_post` of all keys.
    Jsonb,
    Json,
    /// `sync_post`, a key at a time.
    OneByOne,
    /// A hand-written SELECT and upsert for each key.
    Loop,
    /// Triggers of the UPDATE itself.
    Triggers,
    /// A refresh, which builds all documents.
    Matview,
}

const METHODS: [Method; 6] = [
    Method::Jsonb,
    Method::Json,
    Method::OneByOne,
    Method::Loop,
    Method::Triggers,
    Method::Matview,
];

/// Number of refreshes. One takes thousands of times as long as the other methods, with little
/// variation.
const REFRESHES: usize = 3;

/// Results of one method with one number of posts.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Line {
    /// Number of changed posts.
    pub(crate) posts: usize,
    pub(crate) way: &'static str,
    /// Medians in milliseconds: of the UPDATE, and of the documents. Triggers run in the UPDATE.
    pub(crate) update: f64,
    pub(crate) documents: Option<f64>,
}

/// All results.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Write {
    pub(crate) size: Size,
    pub(crate) lines: Vec<Line>,
}

/// Measures all methods on one server.
pub(crate) async fn run(size: Size, rounds: usize) -> anyhow::Result<Write> {
    eprintln!("loading {size:?}");
    let contenders = [Contender::Matview];
    let database = Database::load(size, 1, &contenders).await?;
    let pool = &database.pool;
    add_triggers(pool).await?;
    sqlx::raw_sql(CLASSIC_TABLE).execute(pool).await?;
    sqlx::query(statement(CLASSIC, "true"))
        .execute(pool)
        .await?;
    sqlx::raw_sql("VACUUM ANALYZE").execute(pool).await?;
    sqlx::raw_sql("CHECKPOINT").execute(pool).await?;
    // In sessions with this role, no triggers fire. Disabling and enabling the triggers instead would
    // invalidate cached plans.
    let options = database.options.clone();
    let without = PgPoolOptions::new()
        .max_connections(2)
        .connect_with(options.options([("session_replication_role", "replica")]))
        .await?;
    let mut lines = Vec::new();
    for posts in [1, 100] {
        let write = Side {
            pool: &without,
            with_triggers: pool,
            one_select: statement(ONE_SELECT, "p.id = $1"),
            posts,
        };
        lines.extend(write.measure(&database.posts, rounds).await?);
    }
    Ok(Write { size, lines })
}

struct Side<'a> {
    /// Sessions in which no triggers fire.
    pool: &'a PgPool,
    with_triggers: &'a PgPool,
    one_select: &'static str,
    posts: usize,
}

impl Side<'_> {
    async fn measure(&self, keys: &[Uuid], rounds: usize) -> anyhow::Result<Vec<Line>> {
        const WARM_UP: usize = 3;
        let methods: Vec<Method> = METHODS
            .into_iter()
            .filter(|way| self.posts > 1 || *way != Method::OneByOne)
            // A refresh takes the same time for any number of posts.
            .filter(|way| self.posts == 1 || *way != Method::Matview)
            .collect();
        let mut updates = vec![Times::default(); methods.len()];
        let mut documents = vec![Times::default(); methods.len()];
        let mut chunks = keys.chunks_exact(self.posts).cycle();
        let bar = bar(rounds + WARM_UP);
        for round in 0..rounds + WARM_UP {
            bar.set_message(format!("{} posts change", self.posts));
            for place in 0..methods.len() {
                let index = (place + round) % methods.len();
                let way = methods[index];
                // Refreshes need no warm-up rounds.
                if way == Method::Matview && !(WARM_UP..WARM_UP + REFRESHES).contains(&round) {
                    continue;
                }
                let keys = chunks.next().context("there are keys")?;
                let (update, follows) = self.one(way, keys).await?;
                if round >= WARM_UP {
                    updates[index].push(update);
                    documents[index].push(follows);
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        let lines = methods.iter().zip(updates).zip(documents);
        let line = |((way, updates), documents): ((&Method, Times), Times)| Line {
            posts: self.posts,
            way: way.name(),
            update: updates.median(),
            documents: (*way != Method::Triggers).then(|| documents.median()),
        };
        Ok(lines.map(line).collect())
    }

    /// The time of the UPDATE, and of the documents.
    async fn one(&self, way: Method, keys: &[Uuid]) -> anyhow::Result<(Duration, Duration)> {
        let pool = if way == Method::Triggers {
            self.with_triggers
        } else {
            self.pool
        };
        let start = Instant::now();
        sqlx::query("UPDATE tb_post SET title = 'Post ' || gen_random_uuid() WHERE id = ANY ($1)")
            .bind(keys)
            .execute(pool)
            .await?;
        let update = start.elapsed();
        let start = Instant::now();
        self.follow(way, keys).await?;
        let follows = start.elapsed();
        let wrong: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT count(*) FROM tb_post AS p LEFT JOIN {} AS v USING (id)
             WHERE p.id = ANY ($1) AND v.data ->> 'title' IS DISTINCT FROM p.title",
            way.table()
        )))
        .bind(keys)
        .fetch_one(self.pool)
        .await?;
        ensure!(wrong == 0, "{}: {wrong} documents have drifted", way.name());
        Ok((update, follows))
    }

    async fn follow(&self, way: Method, keys: &[Uuid]) -> anyhow::Result<()> {
        match way {
            Method::Jsonb => {
                blog::sync_post(self.pool, keys).await?.ensure_valid()?;
            }
            Method::Json => {
                json::sync_post(self.pool, keys).await?.ensure_valid()?;
            }
            Method::OneByOne => {
                for key in keys {
                    let report = blog::sync_post(self.pool, &[*key]).await?;
                    report.ensure_valid()?;
                }
            }
            Method::Loop => {
                for key in keys {
                    let data: serde_json::Value = sqlx::query_scalar(self.one_select)
                        .bind(key)
                        .fetch_one(self.pool)
                        .await?;
                    sqlx::query(ONE_UPSERT)
                        .bind(key)
                        .bind(data)
                        .execute(self.pool)
                        .await?;
                }
            }
            Method::Triggers => {}
            Method::Matview => {
                sqlx::query("REFRESH MATERIALIZED VIEW CONCURRENTLY mv_post")
                    .execute(self.pool)
                    .await?;
            }
        }
        Ok(())
    }
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::Jsonb => "sync_post, jsonb",
            Self::Json => "sync_post, json",
            Self::OneByOne => "sync_post in a loop",
            Self::Loop => "SELECT and upsert in a loop",
            Self::Triggers => "triggers per row",
            Self::Matview => "REFRESH MATERIALIZED VIEW CONCURRENTLY",
        }
    }

    const fn table(self) -> &'static str {
        match self {
            Self::Jsonb | Self::OneByOne => "tv_post",
            Self::Json => "tv_post_json",
            Self::Loop => "tv_classic",
            Self::Triggers => "tv_by_trigger",
            Self::Matview => "mv_post",
        }
    }
}
