//! Runs each load in each storage, and compares with the advice.

use std::time::{Duration, Instant};

use anyhow::ensure;
use fraiseql_runtime::schema::Storage;
use fraiseql_runtime::{ReadModel, TView};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::loads::Load;
use super::loads::catalogue::Catalogue;
use super::loads::orders::Orders;
use super::loads::positions::Positions;
use super::loads::profiles::Profiles;
use super::loads::revenue::Revenue;
use crate::measure::{Times, millis};

/// Options of `storage`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Measured rounds of each storage.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// The time that a round of a storage takes, in milliseconds.
    #[arg(long, default_value_t = 300)]
    round: u64,
}

/// The writes of a day, at which the advice is asked for.
const WRITES_A_DAY: f64 = 1e6;

const STORAGES: [&str; 3] = ["table", "live", "matview"];

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let server = dev_postgres::Server::builder()
        .setting("shared_buffers", "1GB")
        .setting("fsync", "on")
        .setting("jit", "off")
        .start()?;
    println!(
        "{}, {} cores; medians of {} rounds. The time of a write with its reads; the fastest is *.\n",
        server.description(),
        std::thread::available_parallelism().map_or(0, usize::from),
        options.rounds
    );
    println!("| load | reads for a write | table | live | matview | advice | of the fastest |");
    println!("|---|---:|---:|---:|---:|---|---:|");
    let mut reports = Vec::new();
    macro_rules! loads {
        ($($load:ty),*) => {$({
            let database = server.create_database().await?;
            let pool = PgPoolOptions::new().max_connections(4).connect_with(database).await?;
            reports.push(measure::<$load>(&pool, &options).await?);
            pool.close().await;
        })*};
    }
    loads!(Profiles, Orders, Positions, Catalogue, Revenue);
    for report in reports {
        println!("\n{report}");
    }
    Ok(())
}

/// Measures a load, prints its row, and returns the advice.
async fn measure<L: Load>(pool: &PgPool, options: &Options) -> anyhow::Result<String> {
    sqlx::raw_sql(L::TABLES).execute(pool).await?;
    let model = ReadModel::builder()
        .view::<L::Stored>()
        .view::<L::Live>()
        .view::<L::Matview>()
        .build()?;
    if model.migrate(pool).await?.needs_rebuild() {
        model.rebuild(pool).await?;
    }
    sqlx::raw_sql("VACUUM ANALYZE").execute(pool).await?;
    let mut times: [Times; 3] = std::array::from_fn(|_| Times::default());
    let mut random = StdRng::seed_from_u64(7);
    for round in 0..=options.rounds {
        for place in 0..3 {
            let index = (place + round) % 3;
            let time = match index {
                0 => writes::<L, L::Stored>(&model, pool, &mut random, options).await?,
                1 => writes::<L, L::Live>(&model, pool, &mut random, options).await?,
                _ => writes::<L, L::Matview>(&model, pool, &mut random, options).await?,
            };
            // The first round warms up.
            if round > 0 {
                times[index].push(time);
            }
        }
    }
    let refresh = refresh::<L>(&model, pool).await?;
    let mut medians = times.each_ref().map(Times::median);
    // The refresh that its share of writes has to pay for.
    match L::REFRESH {
        Some(writes) => medians[2] += refresh.as_secs_f64() * 1e3 / writes as f64,
        None => medians[2] = f64::INFINITY,
    }
    let advised = ReadModel::builder().view::<L::Live>().build()?;
    let mut advise = advised
        .advise(pool)
        .reads_per_day(WRITES_A_DAY * L::READS as f64);
    for table in tables(pool).await? {
        let writes = if table == L::WRITTEN.0 {
            WRITES_A_DAY
        } else {
            0.0
        };
        advise = advise.writes_per_day(&table, writes);
    }
    if let Some(writes) = L::REFRESH {
        advise = advise.max_age(Duration::from_secs_f64(
            86_400.0 * writes as f64 / WRITES_A_DAY,
        ));
    }
    let advice = advise.await?;
    let storage = advice.views[0].storage;
    let chosen = match storage {
        Storage::Table => 0,
        Storage::Live => 1,
        Storage::Matview { .. } => 2,
    };
    let least = medians.iter().copied().fold(f64::INFINITY, f64::min);
    let cells: Vec<String> = medians
        .iter()
        .map(|time| match time {
            time if time.is_infinite() => "too old".to_owned(),
            time if *time <= least => format!("{} *", millis(*time)),
            time => millis(*time),
        })
        .collect();
    let (name, reads, chosen_name) = (L::NAME, L::READS, STORAGES[chosen]);
    let ratio = medians[chosen] / least;
    println!(
        "| {name} | {reads} | {} | {chosen_name} | {ratio:.2} |",
        cells.join(" | ")
    );
    ensure!(
        medians[chosen].is_finite(),
        "{name}: {chosen_name} is no choice"
    );
    let builds = advice.views[0].measured.build * u32::try_from(L::DOCUMENTS)?;
    Ok(format!(
        "{name}\n{advice}\n  a refresh takes {}, {:.2} of building all documents",
        millis(refresh.as_secs_f64() * 1e3),
        refresh.as_secs_f64() / builds.as_secs_f64()
    ))
}

/// The time of one write with its reads, on average over a round.
async fn writes<L: Load, V: TView<Key = i64>>(
    model: &ReadModel,
    pool: &PgPool,
    random: &mut StdRng,
    options: &Options,
) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < Duration::from_millis(options.round) {
        let key = random.random_range(1..=L::WRITTEN.1);
        if V::VIEW.storage == Storage::Table {
            let mut mutation = model.mutation(pool).await?;
            sqlx::query(L::WRITE)
                .bind(key)
                .execute(&mut *mutation)
                .await?;
            L::mark(&mut mutation, key);
            mutation.commit().await?;
        } else {
            let mut transaction = pool.begin().await?;
            sqlx::query(L::WRITE)
                .bind(key)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        }
        for _ in 0..L::READS {
            let key = random.random_range(1..=L::DOCUMENTS);
            ensure!(
                V::find_json(pool, key).await?.is_some(),
                "no document {key}"
            );
        }
        count += 1;
    }
    Ok(start.elapsed() / count)
}

/// The median time of a refresh after as many writes as there are between two of them.
async fn refresh<L: Load>(model: &ReadModel, pool: &PgPool) -> anyhow::Result<Duration> {
    let mut times = Times::default();
    for _ in 0..5 {
        for _ in 0..L::REFRESH.unwrap_or(1).min(100) {
            let key = rand::rng().random_range(1..=L::WRITTEN.1);
            sqlx::query(L::WRITE).bind(key).execute(pool).await?;
        }
        times.push(model.refresh::<L::Matview>(pool).await?.duration);
    }
    Ok(Duration::from_secs_f64(times.median() / 1e3))
}

async fn tables(pool: &PgPool) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("SELECT relname::text FROM pg_class WHERE relname LIKE 'tb!_%' ESCAPE '!' AND relkind = 'r'")
        .fetch_all(pool)
        .await
}
