//! Verifying documents beside a full sync: both build all of them and compare, one writes.

use std::time::Instant;

use anyhow::ensure;
use sqlx::postgres::PgPoolOptions;

use crate::blog::{self, Size, sync_all_posts, verify_post};
use crate::measure::{Times, millis};

/// Options of `verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many posts there are.
    #[arg(long, default_value_t = 10_000)]
    posts: i32,
    /// How many users there are.
    #[arg(long, default_value_t = 1_000)]
    users: i32,
    /// How many comments there are.
    #[arg(long, default_value_t = 100_000)]
    comments: i32,
    /// Measured rounds.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
}

const WAYS: [&str; 4] = [
    "full sync, every document changed",
    "full sync, nothing changed",
    "verify",
    "verify, a sample of 0.01",
];

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let server = dev_postgres::Server::builder()
        .setting("fsync", "on")
        .setting("synchronous_commit", "on")
        .setting("full_page_writes", "on")
        .setting("shared_buffers", "512MB")
        .setting("jit", "off")
        .start()?;
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .connect_with(server.create_database().await?)
        .await?;
    let size = Size {
        users: options.users,
        posts: options.posts,
        comments: options.comments,
    };
    eprintln!("{}: loading {size:?}", server.description());
    let keys = blog::create(&pool, size).await?;
    sync_all_posts(&pool).await?;
    sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;

    const WARM_UP: usize = 2;
    let mut times: [Times; WAYS.len()] = std::array::from_fn(|_| Times::default());
    for round in 0..options.rounds + WARM_UP {
        for place in 0..WAYS.len() {
            let way = (place + round) % WAYS.len();
            if way == 0 {
                sqlx::raw_sql("UPDATE tb_post SET title = 'Post ' || gen_random_uuid()")
                    .execute(&pool)
                    .await?;
                for vacuum in ["VACUUM tb_post", "VACUUM tv_post"] {
                    sqlx::raw_sql(vacuum).execute(&pool).await?;
                }
            }
            let start = Instant::now();
            let right = match way {
                0 => sync_all_posts(&pool).await?.updated == keys.len() as u64,
                1 => sync_all_posts(&pool).await?.unchanged == keys.len() as u64,
                2 => {
                    let report = verify_post(&pool).await?;
                    report.is_clean() && report.checked == keys.len() as u64
                }
                _ => verify_post(&pool).sample(0.01).await?.is_clean(),
            };
            let time = start.elapsed();
            ensure!(right, "{} did something else", WAYS[way]);
            if round >= WARM_UP {
                times[way].push(time);
            }
        }
    }
    let medians = times.map(|times| times.median());
    println!(
        "{}, {} cores, {} posts, {} users, {} comments; medians\n",
        server.description(),
        std::thread::available_parallelism().map_or(0, usize::from),
        size.posts,
        size.users,
        size.comments
    );
    println!("| | time | of a full sync |");
    println!("|---|---:|---:|");
    for (way, median) in WAYS.iter().zip(medians) {
        println!(
            "| {way} | {} | **{:.2}** |",
            millis(median),
            median / medians[0]
        );
    }
    Ok(())
}
