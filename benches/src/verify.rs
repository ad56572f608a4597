//! Verifying documents, compared with a full sync: both build and compare all documents, and only
//! the sync writes.

use std::time::Instant;

use anyhow::ensure;

use crate::blog::{Blog, Size, sync_all_posts, verify_post};
use crate::measure::{Times, millis};

/// Options of `verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    size: Size,
    /// Measured rounds.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
}

const VARIANTS: [&str; 4] = [
    "full sync, every document changed",
    "full sync, nothing changed",
    "verify",
    "verify, a sample of 0.01",
];

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let size = options.size;
    let Blog {
        server,
        pool,
        posts: keys,
    } = Blog::load(size).await?;
    sync_all_posts(&pool).await?;
    sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;

    const WARM_UP: usize = 2;
    let mut times: [Times; VARIANTS.len()] = std::array::from_fn(|_| Times::default());
    for round in 0..options.rounds + WARM_UP {
        for place in 0..VARIANTS.len() {
            let variant = (place + round) % VARIANTS.len();
            if variant == 0 {
                sqlx::raw_sql("UPDATE tb_post SET title = 'Post ' || gen_random_uuid()")
                    .execute(&pool)
                    .await?;
                for vacuum in ["VACUUM tb_post", "VACUUM tv_post"] {
                    sqlx::raw_sql(vacuum).execute(&pool).await?;
                }
            }
            let start = Instant::now();
            let right = match variant {
                0 => sync_all_posts(&pool).await?.updated == keys.len() as u64,
                1 => sync_all_posts(&pool).await?.unchanged == keys.len() as u64,
                2 => {
                    let report = verify_post(&pool).await?;
                    report.is_clean() && report.checked == keys.len() as u64
                }
                _ => verify_post(&pool).sample(0.01).await?.is_clean(),
            };
            let time = start.elapsed();
            ensure!(right, "{}: unexpected result", VARIANTS[variant]);
            if round >= WARM_UP {
                times[variant].push(time);
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
    println!("| | time | relative to a full sync |");
    println!("|---|---:|---:|");
    for (variant, median) in VARIANTS.iter().zip(medians) {
        println!(
            "| {variant} | {} | **{:.2}** |",
            millis(median),
            median / medians[0]
        );
    }
    Ok(())
}
