//! Reads on streaming replicas: after own writes, at several delays; without positions, on several replicas;
//! and what a read costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use dev_postgres::Server;
use fraiseql_runtime::{ReadModel, ReadTarget, Readers, Replicas, TView};
use hdrhistogram::Histogram;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::task::JoinSet;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Number of reads after own writes, at each delay.
    #[arg(long, default_value_t = 100_000)]
    reads: u64,
    /// Number of reads after each write.
    #[arg(long, default_value_t = 10)]
    reads_per_write: u64,
    /// Number of clients.
    #[arg(long, default_value_t = 64)]
    clients: u64,
    /// Apply delays of the replicas.
    #[arg(long, default_value = "0,50ms,2s", value_delimiter = ',')]
    delays: Vec<String>,
    /// Numbers of replicas whose throughput is measured.
    #[arg(long, default_value = "1,2,4", value_delimiter = ',')]
    replicas: Vec<usize>,
    /// Seconds for each measurement of throughput.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

#[derive(Debug, TView)]
struct Counter {
    id: i64,
    value: i64,
    text: String,
}

/// Connections of all clients to one server, or to all replicas together.
const CONNECTIONS: u32 = 32;
const TABLES: &str =
    "CREATE TABLE tb_counter (id int8 PRIMARY KEY, value int8 NOT NULL, text text NOT NULL);
    INSERT INTO tb_counter SELECT i, 0, repeat('x', 500) FROM generate_series(1, 1000) AS i";

/// A primary with 1,000 counters.
struct World {
    server: Server,
    database: PgConnectOptions,
    primary: PgPool,
    model: ReadModel,
}

impl World {
    async fn start() -> anyhow::Result<Self> {
        let server = Server::builder()
            .ignore_database_url()
            .setting("synchronous_commit", "on")
            .setting("max_connections", "300")
            .setting("wal_keep_size", "1GB")
            .start()?;
        let database = server.create_database().await?;
        let primary = connect(database.clone(), CONNECTIONS);
        sqlx::raw_sql(TABLES).execute(&primary).await?;
        let model = ReadModel::builder().view::<Counter>().build()?;
        model.migrate(&primary).await?;
        sync_all_counters(&primary).await?;
        Ok(Self {
            server,
            database,
            primary,
            model,
        })
    }

    /// Starts replicas with a delay.
    async fn replicas(
        &self,
        count: usize,
        delay: &str,
        connections: u32,
    ) -> anyhow::Result<(Vec<Server>, Replicas)> {
        let mut servers = Vec::new();
        let mut replicas = Replicas::new(self.primary.clone());
        let name = self.database.get_database().unwrap_or_default();
        for _ in 0..count {
            let builder = Server::builder().setting("recovery_min_apply_delay", delay);
            let server = self.server.replica(builder).await?;
            replicas = replicas.replica(connect(
                server.options().clone().database(name),
                connections,
            ));
            servers.push(server);
        }
        let start = Instant::now();
        while replicas
            .status()
            .await
            .replicas
            .iter()
            .any(|one| one.lag != Some(0))
        {
            anyhow::ensure!(start.elapsed().as_secs() < 60, "the replicas do not follow");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok((servers, replicas))
    }
}

fn connect(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .connect_lazy_with(options)
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let world = World::start().await?;
    println!(
        "{}, {} cores; all servers and clients on this machine.\n",
        world.server.description(),
        std::thread::available_parallelism().map_or(0, usize::from),
    );
    own_writes(&world, &options).await?;
    throughput(&world, &options).await?;
    cost(&world).await
}

/// Reads after own writes, on two replicas.
async fn own_writes(world: &World, options: &Options) -> anyhow::Result<()> {
    println!(
        "# Reads after own writes: two replicas, {} clients, {} reads after each write\n",
        options.clients, options.reads_per_write
    );
    println!(
        "| delay | reads | stale | by replicas | waited | by the primary | p50 | p99 | reads/s |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for delay in &options.delays {
        let (_servers, replicas) = world.replicas(2, delay, CONNECTIONS).await?;
        let before = replicas.status().await;
        let stale = Arc::new(AtomicU64::new(0));
        let times = options
            .reads
            .div_ceil(options.clients * options.reads_per_write);
        let start = Instant::now();
        let mut clients = JoinSet::new();
        for client in 0..options.clients {
            let id = i64::try_from(client)? + 1;
            let (model, primary) = (world.model.clone(), world.primary.clone());
            let (replicas, stale) = (replicas.clone(), Arc::clone(&stale));
            let reads = options.reads_per_write;
            clients.spawn(async move {
                let mut latencies = Histogram::<u64>::new(3)?;
                for _ in 0..times {
                    let mut m = model.mutation(&primary).await?;
                    let value: i64 = sqlx::query_scalar(
                        "UPDATE tb_counter SET value = value + 1 WHERE id = $1 RETURNING value",
                    )
                    .bind(id)
                    .fetch_one(&mut *m)
                    .await?;
                    m.changed::<Counter>(&[id]);
                    let position = m.commit().await?.position();
                    for _ in 0..reads {
                        let start = Instant::now();
                        let counter = Counter::find(replicas.at_least(position), id).await?;
                        latencies.record(u64::try_from(start.elapsed().as_micros())?)?;
                        let is_stale = counter.is_none_or(|one| one.value != value);
                        stale.fetch_add(u64::from(is_stale), Ordering::Relaxed);
                    }
                }
                anyhow::Ok(latencies)
            });
        }
        let mut latencies = Histogram::<u64>::new(3)?;
        while let Some(done) = clients.join_next().await {
            latencies.add(done??)?;
        }
        let seconds = start.elapsed().as_secs_f64();
        let after = replicas.status().await;
        let sum = |of: fn(&fraiseql_runtime::read::ReplicaStatus) -> u64| -> u64 {
            let count = |status: &fraiseql_runtime::read::ReplicasStatus| -> u64 {
                status.replicas.iter().map(of).sum()
            };
            count(&after) - count(&before)
        };
        let (by_replicas, waited) = (sum(|one| one.reads), sum(|one| one.waits));
        let by_primary = after.primary_reads - before.primary_reads;
        let reads = latencies.len();
        println!(
            "| {delay} | {reads} | {} | {by_replicas} ({:.1}%) | {waited} | {by_primary} | {} | {} | {:.0} |",
            stale.load(Ordering::Relaxed),
            percent(by_replicas, reads),
            millis(latencies.value_at_quantile(0.5)),
            millis(latencies.value_at_quantile(0.99)),
            reads_per_second(reads, seconds),
        );
        anyhow::ensure!(stale.load(Ordering::Relaxed) == 0, "a read was stale");
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss)]
fn percent(part: u64, of: u64) -> f64 {
    part as f64 * 100.0 / of as f64
}

#[allow(clippy::cast_precision_loss)]
fn reads_per_second(reads: u64, seconds: f64) -> f64 {
    reads as f64 / seconds
}

#[allow(clippy::cast_precision_loss)]
fn millis(micros: u64) -> String {
    format!("{:.2} ms", micros as f64 / 1_000.0)
}

/// Reads by key without positions. The replicas share the number of connections that the primary alone has: more
/// sessions than before would be more work for the same cores.
async fn throughput(world: &World, options: &Options) -> anyhow::Result<()> {
    println!(
        "\n# Reads by key, {} clients, {CONNECTIONS} connections in all, {} s each\n",
        options.clients, options.seconds
    );
    println!("| servers | reads/s |");
    println!("|---|---:|");
    let lending = Readers::lending(world.primary.clone());
    let rate = rate(options, &lending).await?;
    println!("| the primary alone | {rate:.0} |");
    for count in &options.replicas {
        let each = CONNECTIONS / u32::try_from(*count)?.max(1);
        let (_servers, replicas) = world.replicas(*count, "0", each.max(1)).await?;
        let readers = Readers::from(replicas);
        let rate = self::rate(options, &readers).await?;
        println!("| {count} replicas | {rate:.0} |");
    }
    println!(
        "\nThe servers and the clients share the cores of this machine: with fewer cores than servers the figures\n\
        say what a replica costs, and not what it adds."
    );
    Ok(())
}

/// The reads per second, after a second in which connections are opened and statements prepared.
async fn rate(options: &Options, readers: &Readers) -> anyhow::Result<f64> {
    reads(options, readers, 1).await?;
    let reads = reads(options, readers, options.seconds).await?;
    let seconds = f64::from(u32::try_from(options.seconds)?);
    Ok(reads_per_second(reads, seconds))
}

/// The number of reads that all clients make in this time.
async fn reads(options: &Options, readers: &Readers, seconds: u64) -> anyhow::Result<u64> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut clients = JoinSet::new();
    for client in 0..options.clients {
        let readers = readers.clone();
        let mut id = i64::try_from(client)?;
        clients.spawn(async move {
            let mut reads = 0;
            while Instant::now() < end {
                id = id % 1_000 + 1;
                let counter = Counter::find(&readers, id).await?;
                anyhow::ensure!(counter.is_some_and(|one| one.id == id && one.text.len() == 500));
                reads += 1;
            }
            anyhow::Ok(reads)
        });
    }
    let mut reads = 0;
    while let Some(done) = clients.join_next().await {
        reads += done??;
    }
    Ok(reads)
}

/// One read after the other, on one connection or two.
async fn cost(world: &World) -> anyhow::Result<()> {
    let (_servers, replicas) = world.replicas(1, "0", CONNECTIONS).await?;
    let mut m = world.model.mutation(&world.primary).await?;
    sqlx::query("UPDATE tb_counter SET value = value + 1 WHERE id = 7")
        .execute(&mut *m)
        .await?;
    m.changed::<Counter>(&[7]);
    let position = m.commit().await?.position();
    println!("\n# One client, one read after the other\n");
    println!("| target | median |");
    println!("|---|---:|");
    let lending = Readers::lending(world.primary.clone());
    let now = replicas.at_least(position);
    for _ in 0..2 {
        latency("&PgPool", &world.primary).await?;
        latency("&Readers, lending", &lending).await?;
        latency("&Replicas", &replicas).await?;
        latency("&Replicas, at_least", &now).await?;
    }
    Ok(())
}

async fn latency<T>(name: &str, target: &T) -> anyhow::Result<()>
where
    for<'t> &'t T: ReadTarget,
{
    let mut latencies = Histogram::<u64>::new(3)?;
    for round in 0..6_000 {
        let start = Instant::now();
        Counter::find(target, 7).await?;
        if round >= 1_000 {
            latencies.record(u64::try_from(start.elapsed().as_micros())?)?;
        }
    }
    println!(
        "| `{name}` | {} |",
        millis(latencies.value_at_quantile(0.5))
    );
    Ok(())
}
