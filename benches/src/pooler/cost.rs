//! What PgBouncer costs, and what it costs to prepare each statement anew.

use std::time::{Duration, Instant};

use anyhow::ensure;
use fraiseql_runtime::{ReadModel, TView as _};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::Pooler;
use crate::blog::{Blog, Post, Size, sync_post};
use crate::measure::{Times, millis};

/// Options of `pooler`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    size: Size,
    /// Measured rounds of each variant.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Calls in a round.
    #[arg(long, default_value_t = 100)]
    calls: usize,
}

/// How a client reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Direct,
    Pooler,
    PoolerUntested,
    DirectUnprepared,
    PoolerUnprepared,
}

const WAYS: [(Way, &str); 5] = [
    (Way::Direct, "direct"),
    (Way::Pooler, "PgBouncer"),
    (
        Way::PoolerUntested,
        "PgBouncer, `test_before_acquire(false)`",
    ),
    (
        Way::DirectUnprepared,
        "direct, `statement_cache_capacity(0)`",
    ),
    (
        Way::PoolerUnprepared,
        "PgBouncer, `statement_cache_capacity(0)`",
    ),
];

/// What is called.
#[derive(Clone, Copy, Debug)]
enum Call {
    Find,
    Sync,
    Mutation,
}

const CALLS: [(Call, &str); 3] = [
    (Call::Find, "`find`"),
    (Call::Sync, "a sync of one document on a pool"),
    (Call::Mutation, "a mutation that renames a post"),
];

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let Blog {
        server,
        pool,
        posts,
    } = Blog::load(options.size).await?;
    let pooler = Pooler::start(&server, Some(4))?;
    let direct = (*pool.connect_options()).clone();
    crate::blog::sync_all_posts(&pool).await?;
    let mut pools = Vec::new();
    for (way, _) in WAYS {
        pools.push(connect(way, &direct, &pooler).await?);
    }
    println!("| | {} |", WAYS.map(|(_, name)| name).join(" | "));
    println!("|---|{}", "---:|".repeat(WAYS.len()));
    for (call, name) in CALLS {
        let mut times: [Times; WAYS.len()] = std::array::from_fn(|_| Times::default());
        for round in 0..=options.rounds {
            for place in 0..pools.len() {
                // The first one of a round reads its documents from disk.
                let index = (place + round) % pools.len();
                let keys = posts.iter().cycle().skip(round * options.calls);
                let time = measure(call, &pools[index], keys.take(options.calls)).await?;
                // The first round fills caches.
                if round > 0 {
                    times[index].push(time / u32::try_from(options.calls)?);
                }
            }
        }
        let medians = times.map(|times| times.median());
        let cells = medians.map(|ms| format!("{} (**{:.2}**)", millis(ms), ms / medians[0]));
        println!("| {name} | {} |", cells.join(" | "));
    }
    Ok(())
}

async fn connect(way: Way, direct: &PgConnectOptions, pooler: &Pooler) -> sqlx::Result<PgPool> {
    let options = match way {
        Way::Direct | Way::DirectUnprepared => direct.clone(),
        Way::Pooler | Way::PoolerUntested | Way::PoolerUnprepared => pooler.through(direct.clone()),
    };
    let options = match way {
        Way::Direct | Way::Pooler | Way::PoolerUntested => options,
        Way::DirectUnprepared | Way::PoolerUnprepared => options.statement_cache_capacity(0),
    };
    PgPoolOptions::new()
        .max_connections(1)
        .test_before_acquire(way != Way::PoolerUntested)
        .connect_with(options)
        .await
}

async fn measure<'a>(
    call: Call,
    pool: &PgPool,
    keys: impl Iterator<Item = &'a Uuid>,
) -> anyhow::Result<Duration> {
    let model = ReadModel::builder().view::<Post>().build()?;
    let start = Instant::now();
    for key in keys {
        match call {
            Call::Find => ensure!(Post::find(pool, *key).await?.is_some()),
            Call::Sync => ensure!(sync_post(pool, &[*key]).await?.total() == 1),
            Call::Mutation => {
                let mut m = model.mutation(pool).await?;
                sqlx::query("UPDATE tb_post SET title = title || '.' WHERE id = $1")
                    .bind(key)
                    .execute(&mut *m)
                    .await?;
                m.changed::<Post>(&[*key]);
                ensure!(m.commit().await?.total() > 0);
            }
        }
    }
    Ok(start.elapsed())
}
