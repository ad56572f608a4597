//! The write side, without a server: rows change, and their documents are brought up to date.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use super::contender::Contender;
use super::database::{Database, add_triggers};
use super::progress::bar;
use super::views::{json, jsonb};
use crate::blog::Size;
use crate::measure::Times;
use crate::sync::{CLASSIC, CLASSIC_TABLE, ONE_SELECT, ONE_UPSERT, statement};

/// How documents are brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `sync_post` of all keys.
    Jsonb,
    Json,
    /// `sync_post`, a key at a time.
    OneByOne,
    /// A SELECT and an upsert for each key, by hand.
    Loop,
    /// By the UPDATE itself.
    Triggers,
    /// All of them, whatever has changed.
    Matview,
}

const WAYS: [Way; 6] = [
    Way::Jsonb,
    Way::Json,
    Way::OneByOne,
    Way::Loop,
    Way::Triggers,
    Way::Matview,
];

/// A refresh takes thousands of times as long as the others, and as long each time.
const REFRESHES: usize = 3;

/// One way to write so many documents.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Line {
    /// How many posts have changed.
    pub(crate) posts: usize,
    pub(crate) way: &'static str,
    /// Medians in milliseconds: of the UPDATE, and of what follows it. Triggers run in the
    /// UPDATE.
    pub(crate) update: f64,
    pub(crate) documents: Option<f64>,
}

/// What was measured.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Write {
    pub(crate) size: Size,
    pub(crate) lines: Vec<Line>,
}

/// Measures all ways, on a server of their own.
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
    // Where no trigger fires. To switch them off and on would make everybody's plans anew.
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
    /// Where no trigger fires.
    pool: &'a PgPool,
    with_triggers: &'a PgPool,
    one_select: &'static str,
    posts: usize,
}

impl Side<'_> {
    async fn measure(&self, keys: &[Uuid], rounds: usize) -> anyhow::Result<Vec<Line>> {
        const WARM_UP: usize = 3;
        let ways: Vec<Way> = WAYS
            .into_iter()
            .filter(|way| self.posts > 1 || *way != Way::OneByOne)
            // A refresh knows no batches.
            .filter(|way| self.posts == 1 || *way != Way::Matview)
            .collect();
        let mut updates = vec![Times::default(); ways.len()];
        let mut documents = vec![Times::default(); ways.len()];
        let mut chunks = keys.chunks_exact(self.posts).cycle();
        let bar = bar(rounds + WARM_UP);
        for round in 0..rounds + WARM_UP {
            bar.set_message(format!("{} posts change", self.posts));
            for place in 0..ways.len() {
                let index = (place + round) % ways.len();
                let way = ways[index];
                // Its first one is after the others are warm.
                if way == Way::Matview && !(WARM_UP..WARM_UP + REFRESHES).contains(&round) {
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
        let lines = ways.iter().zip(updates).zip(documents);
        let line = |((way, updates), documents): ((&Way, Times), Times)| Line {
            posts: self.posts,
            way: way.name(),
            update: updates.median(),
            documents: (*way != Way::Triggers).then(|| documents.median()),
        };
        Ok(lines.map(line).collect())
    }

    /// The time of the UPDATE, and of what follows.
    async fn one(&self, way: Way, keys: &[Uuid]) -> anyhow::Result<(Duration, Duration)> {
        let pool = if way == Way::Triggers {
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
        ensure!(wrong == 0, "{}: {wrong} documents are stale", way.name());
        Ok((update, follows))
    }

    async fn follow(&self, way: Way, keys: &[Uuid]) -> anyhow::Result<()> {
        match way {
            Way::Jsonb => {
                jsonb::sync_post(self.pool, keys).await?.ensure_valid()?;
            }
            Way::Json => {
                json::sync_post(self.pool, keys).await?.ensure_valid()?;
            }
            Way::OneByOne => {
                for key in keys {
                    let report = jsonb::sync_post(self.pool, &[*key]).await?;
                    report.ensure_valid()?;
                }
            }
            Way::Loop => {
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
            Way::Triggers => {}
            Way::Matview => {
                sqlx::query("REFRESH MATERIALIZED VIEW CONCURRENTLY mv_post")
                    .execute(self.pool)
                    .await?;
            }
        }
        Ok(())
    }
}

impl Way {
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
