//! Field selection over stored documents, compared with JSON libraries.

mod others;

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, ensure};
use fraiseql_runtime::{Projection, ReadModel, Selection, TView};
use sqlx::PgPool;

use crate::blog::{self, Author, Comment, Post, Size, sync_all_posts};
use crate::measure::Times;
use others::Wanted;

/// Options of `select`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Number of documents of each size.
    #[arg(long, default_value_t = 50)]
    documents: i32,
    /// Numbers of comments per post. Each adds about 340 bytes to a document.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 90])]
    comments: Vec<i32>,
    /// Measured rounds.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Duration of each variant in a round, in milliseconds.
    #[arg(long, default_value_t = 20)]
    millis: u32,
    /// Only queries whose name contains this text.
    #[arg(long, default_value = "")]
    query: String,
    /// Only fraiseql, for a profiler.
    #[arg(long)]
    only_ours: bool,
}

/// The same posts, stored as text.
#[derive(Debug, TView)]
#[tview(table = "tb_post", view = "tv_text", entity = "text", data = "json")]
pub(crate) struct Text {
    id: uuid::Uuid,
    title: String,
    content: String,
    published: bool,
    created_at: chrono::DateTime<chrono::Utc>,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id", order_by = "created_at DESC"))]
    comments: Vec<Comment>,
    #[tview(count(table = "tb_comment", fk = "post_id"))]
    comment_count: i64,
}

/// Names and selections.
const QUERIES: [(&str, &str); 4] = [
    (
        "a post with its comments",
        "{ id title author { username fullName } commentCount \
         comments { content author { username } } }",
    ),
    ("three scalars", "{ id title published }"),
    (
        "every field by its name",
        "{ id title content published createdAt author { id username fullName } \
         comments { id content createdAt author { id username fullName } } commentCount }",
    ),
    ("everything", ""),
];

const VARIANTS: [&str; 5] = [
    "fraiseql",
    "sonic-rs, get_many",
    "sonic-rs, Value",
    "serde_json::Value",
    "a copy of the whole",
];

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let server = dev_postgres::Server::temporary()?;
    println!(
        "{}; ns per document, GB of documents per second, time relative to fraiseql; medians of {} rounds",
        server.description(),
        options.rounds
    );
    for &comments in &options.comments {
        let pool = PgPool::connect_with(server.create_database().await?).await?;
        let size = Size {
            users: 1_000.min(options.documents * 10),
            posts: options.documents,
            comments: options.documents * comments,
        };
        blog::create(&pool, size).await?;
        ReadModel::builder()
            .view::<Text>()
            .build()?
            .migrate(&pool)
            .await?;
        sync_all_posts(&pool).await?;
        sync_all_texts(&pool).await?;
        let jsonb = "SELECT data::text FROM tv_post ORDER BY id";
        let json = "SELECT data::text FROM tv_text ORDER BY id";
        for (stored, sql) in [("jsonb", jsonb), ("json", json)] {
            let documents: Vec<String> = sqlx::query_scalar(sql).fetch_all(&pool).await?;
            let bytes = documents.iter().map(String::len).sum::<usize>();
            println!(
                "\n{} documents with {comments} comments, {} bytes each, as `{stored}`\n",
                documents.len(),
                bytes / documents.len().max(1)
            );
            println!("| selection | {} |", VARIANTS.join(" | "));
            println!("|---|{}", "---:|".repeat(VARIANTS.len()));
            for (name, query) in QUERIES {
                if !name.contains(&options.query) {
                    continue;
                }
                let times = measure(query, &documents, &options)?;
                row(name, &times.map(|times| times.median()), bytes, &documents);
            }
        }
    }
    Ok(())
}

/// Prints one line of the table: times, rates, and times relative to fraiseql.
fn row(name: &str, medians: &[f64; VARIANTS.len()], bytes: usize, documents: &[String]) {
    let cells = medians.iter().map(|&ms| {
        let ns = ms * 1e6 / documents.len() as f64;
        let rate = bytes as f64 / (ms * 1e6);
        format!("{ns:.0} ns, {rate:.2} GB/s, **{:.2}**", ms / medians[0])
    });
    println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
}

/// The duration of each variant for all documents.
fn measure(
    query: &str,
    documents: &[String],
    options: &Options,
) -> anyhow::Result<[Times; VARIANTS.len()]> {
    let whole = query.is_empty();
    let projection = match whole {
        true => Projection::all::<Post>(),
        false => Projection::of::<Post>(&Selection::parse(query)?)?,
    };
    let want = Wanted::of(projection.selection());
    let variant = |variant: usize, document: &[u8], out: &mut Vec<u8>| -> anyhow::Result<()> {
        match variant {
            0 => projection.write(document, out)?,
            1 if whole => others::sonic_whole(document, out)?,
            1 => others::sonic_lazy(document, &want, out)?,
            2 => others::sonic_value(document, &want, whole, out)?,
            3 => others::serde_value(document, &want, whole, out)?,
            _ => out.extend_from_slice(document),
        }
        Ok(())
    };
    let document = documents.first().context("no documents")?.as_bytes();
    let read = |place: usize| -> anyhow::Result<serde_json::Value> {
        let mut out = Vec::new();
        variant(place, document, &mut out)?;
        Ok(serde_json::from_slice(&out)?)
    };
    for (place, variant) in VARIANTS.iter().enumerate().take(4) {
        ensure!(read(0)? == read(place)?, "{variant} differs");
    }

    const WARM_UP: usize = 1;
    let mut times: [Times; VARIANTS.len()] = std::array::from_fn(|_| Times::default());
    let mut out = Vec::with_capacity(1 << 20);
    for round in 0..options.rounds + WARM_UP {
        for place in 0..VARIANTS.len() {
            let place = (place + round) % VARIANTS.len();
            if options.only_ours && place > 0 {
                continue;
            }
            // The median of many short passes excludes those that other processes disturbed.
            let start = Instant::now();
            let mut passes = Vec::new();
            while passes.is_empty() || start.elapsed().as_millis() < u128::from(options.millis) {
                let pass = Instant::now();
                for document in documents {
                    out.clear();
                    variant(place, black_box(document.as_bytes()), &mut out)?;
                    black_box(&out);
                }
                passes.push(pass.elapsed());
            }
            passes.sort_unstable();
            if round >= WARM_UP {
                times[place].push(passes[passes.len() / 2]);
            }
        }
    }
    Ok(times)
}
