//! Omitting keys of documents in the database, compared with sending whole documents. The rule in
//! `list::prune` of fraiseql-runtime, when omitting pays, is based on these figures.

use std::time::Instant;

use anyhow::ensure;
use fraiseql_runtime::TView;
use fraiseql_runtime::list::OrderBy;
use sqlx::PgPool;
use sqlx::postgres::{PgPoolOptions, PgRow};

use crate::blog::{self, Post, Size, sync_all_posts};
use crate::measure::{Times, millis};

/// Options of `list`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Number of posts.
    #[arg(long, default_value_t = 10_000)]
    posts: i32,
    /// Numbers of comments per post; each is measured in its own database.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 10, 100])]
    comments: Vec<i32>,
    /// Measured rounds.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
}

const OMITTED: [&[&str]; 7] = [
    &[],
    &["commentCount"],
    &["author"],
    &["content"],
    &["comments"],
    &["comments", "author", "commentCount"],
    &["comments", "content", "author", "commentCount"],
];

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let server = dev_postgres::Server::builder()
        .setting("shared_buffers", "1GB")
        .setting("jit", "off")
        .start()?;
    println!(
        "{}, {} cores; medians of {} rounds; in parentheses, relative to whole documents; * marks \
         what a list does",
        server.description(),
        std::thread::available_parallelism().map_or(0, usize::from),
        options.rounds
    );
    for comments in &options.comments {
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .connect_with(server.create_database().await?)
            .await?;
        // Fewer documents if they are large, so that all of them stay in memory.
        let posts = options.posts / (comments / 10).max(1);
        let size = Size {
            users: 1_000,
            posts,
            comments: posts * comments,
        };
        eprintln!("loading {size:?}");
        blog::create(&pool, size).await?;
        sync_all_posts(&pool).await?;
        sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;
        let bytes: i64 = sqlx::query_scalar("SELECT avg(length(data::text))::int8 FROM tv_post")
            .fetch_one(&pool)
            .await?;
        println!("\n{posts} posts with {comments} comments each, {bytes} bytes\n");
        println!("| omitted | 1 document | 20 | {posts} |");
        println!("|---|---:|---:|---:|");
        let mut columns = Vec::new();
        for limit in [1, 20, i64::from(posts)] {
            columns.push(measure(&pool, limit, options.rounds).await?);
        }
        for (index, omitted) in OMITTED.iter().enumerate() {
            let name = if omitted.is_empty() {
                "nothing".to_owned()
            } else {
                omitted.join(", ")
            };
            let pruned = Post::list().omit(omitted.iter().copied()).sql()?;
            let chosen = if pruned.contains("v.data -") {
                " *"
            } else {
                ""
            };
            let cells: Vec<String> = columns
                .iter()
                .map(|column| match index {
                    0 => millis(column[0]),
                    _ => format!(
                        "{} ({:.2})",
                        millis(column[index]),
                        column[index] / column[0]
                    ),
                })
                .collect();
            println!("| {name}{chosen} | {} |", cells.join(" | "));
        }
        pool.close().await;
    }
    Ok(())
}

/// The median of each omission, for lists of `limit` documents.
async fn measure(pool: &PgPool, limit: i64, rounds: usize) -> anyhow::Result<[f64; OMITTED.len()]> {
    const WARM_UP: usize = 3;
    // Reading one document is too short to be timed singly.
    let repeat = usize::try_from((2_000 / limit).clamp(1, 200))?;
    let mut times: [Times; OMITTED.len()] = std::array::from_fn(|_| Times::default());
    let list = Post::list().order_by(OrderBy::desc("createdAt"));
    let expected = list.limit(u64::try_from(limit)?).read(pool).await?.len();
    for round in 0..rounds + WARM_UP {
        for place in 0..OMITTED.len() {
            let index = (place + round) % OMITTED.len();
            let start = Instant::now();
            for _ in 0..repeat {
                let rows = read(pool, limit, OMITTED[index]).await?;
                ensure!(rows.len() == expected, "{} rows", rows.len());
            }
            if round >= WARM_UP {
                times[index].push(start.elapsed() / u32::try_from(repeat)?);
            }
        }
    }
    Ok(times.map(|times| times.median()))
}

async fn read(pool: &PgPool, limit: i64, omitted: &[&str]) -> sqlx::Result<Vec<PgRow>> {
    if omitted.is_empty() {
        sqlx::query(
            "SELECT v.data, v.id FROM tv_post AS v ORDER BY v.created_at DESC, v.id DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(pool)
        .await
    } else {
        sqlx::query("SELECT v.data - $2::text[], v.id FROM tv_post AS v ORDER BY v.created_at DESC, v.id DESC LIMIT $1")
            .bind(limit)
            .bind(omitted)
            .fetch_all(pool)
            .await
    }
}
