//! The stress test with captured changes: some clients know nothing of documents, others sync them, and workers
//! drain what is left.
//!
//! The workers are processes, and are killed at random times, also while the last changes of a burst are drained.
//! After each burst nothing may be left, and every document must equal the base tables. While clients write,
//! every document that differs must be one that a change in the same snapshot leads to.
//!
//! | module | |
//! |---|---|
//! | `plain` | clients that know nothing of documents |
//! | `workers` | processes that drain, and are killed |
//! | `pending` | the documents that changes lead to, by SQL written for it |

mod pending;
mod plain;
mod workers;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use fraiseql_runtime::{Error, ReadModel};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use self::plain::{Entry, Plain};
use self::workers::Workers;
pub(crate) use self::workers::{Options as WorkerOptions, run as worker};
use super::check::{self, Drifted};
use super::finish::{Target, Worker as Finisher};
use super::operation::{Keys, Operation};
use super::{Options, schema, set_jitter};
use crate::pooler::Pooler;

/// How long nothing may be left after clients have stopped.
const DRAINED_WITHIN: Duration = Duration::from_secs(120);
/// The most statements that are printed with documents that differ.
const MAX_STATEMENTS: usize = 60;
/// The most documents that are printed.
const MAX_PRINTED: usize = 5;

/// What clients share.
struct Captured {
    pool: PgPool,
    options: Options,
    model: ReadModel,
    keys: Keys,
    seed: u64,
    start: Instant,
    /// Clients end the burst.
    over: AtomicBool,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    /// Transactions of clients that know nothing of documents.
    commits: AtomicU64,
    /// Operations of clients that sync.
    operations: AtomicU64,
    /// Snapshots in which documents were compared while clients wrote.
    samples: AtomicU64,
    /// Documents in them that differed, as they may.
    pending: AtomicU64,
}

/// What the clients of a burst have met.
#[derive(Debug, Default)]
struct Burst {
    entries: Vec<Entry>,
    errors: BTreeMap<String, u64>,
    /// Documents that differed with no change that leads to them.
    unexplained: Vec<Drifted>,
}

/// Runs the test. It is an error if a document differs.
pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let server = dev_postgres::Server::builder()
        .setting("max_connections", "200")
        .start()?;
    let seed = options.seed.unwrap_or_else(rand::random);
    println!(
        "{}: {} clients, capture {:?}, --seed {seed}",
        server.description(),
        options.clients,
        options.capture
    );
    let pooler = Pooler::start(&server, options.pooler)?;
    let database = server.create_database().await?;
    set_jitter(&database, options.jitter).await?;
    let database = pooler.through(database);
    let captured = Arc::new(Captured::create(&database, options, seed).await?);
    let workers = Workers::start(&database, captured.options.capture, seed)?;
    let mut errors = BTreeMap::<String, u64>::new();
    let (mut bursts, mut stale) = (0, 0);
    while !captured.is_over(&workers) {
        let burst = captured.burst(bursts).await?;
        bursts += 1;
        for (error, count) in &burst.errors {
            *errors.entry(error.clone()).or_default() += count;
        }
        if workers.has_failed() {
            break;
        }
        captured.wait_until_drained(&workers).await?;
        let drifted = check::drifted(&mut *captured.pool.acquire().await?).await?;
        stale += burst.unexplained.len() + drifted.len();
        if stale > 0 {
            print("without a change that leads to it", &burst.unexplained);
            print("after all changes were drained", &drifted);
            print_entries(burst.entries);
            break;
        }
    }
    let kills = workers.end()?;
    captured.report(bursts, kills, &errors, stale).await?;
    ensure!(stale == 0, "{stale} documents differ from the base tables");
    Ok(())
}

impl Captured {
    async fn create(
        database: &PgConnectOptions,
        options: Options,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let pool = PgPoolOptions::new()
            .max_connections(options.clients + 4)
            .connect_with(database.clone())
            .await?;
        let rows = options.rows();
        let model = schema::create(&pool, rows, options.capture.into()).await?;
        plain::create(&pool).await?;
        model.worker(&pool).drain().await?;
        ensure!(
            check::drifted(&mut *pool.acquire().await?)
                .await?
                .is_empty(),
            "the oracle differs from fraiseql before the first change"
        );
        Ok(Self {
            pool,
            options,
            model,
            keys: Keys::new(rows),
            seed,
            start: Instant::now(),
            over: AtomicBool::new(false),
            counts: Counts::default(),
        })
    }

    fn is_over(&self, workers: &Workers) -> bool {
        match self.options.kills {
            Some(kills) => workers.kills() >= kills,
            None => self.start.elapsed() > Duration::from_secs(self.options.seconds),
        }
    }

    /// Lets all clients write for a second or two.
    async fn burst(self: &Arc<Self>, number: u64) -> anyhow::Result<Burst> {
        self.over.store(false, Ordering::Relaxed);
        let seed = self.seed.wrapping_add(number << 16);
        let mut tasks = Vec::new();
        for client in 0..self.options.clients {
            let this = Arc::clone(self);
            let seed = seed.wrapping_add(u64::from(client));
            // Two of three know nothing of documents.
            tasks.push(tokio::spawn(async move {
                if client % 3 == 0 {
                    this.sync(client / 3, seed).await
                } else {
                    this.write(client, seed).await
                }
            }));
        }
        let sampling = {
            let this = Arc::clone(self);
            tokio::spawn(async move { this.sample().await })
        };
        let millis = SmallRng::seed_from_u64(seed).random_range(500..2_000);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        self.over.store(true, Ordering::Relaxed);
        let mut burst = Burst::default();
        for task in tasks {
            let one = task.await??;
            burst.entries.extend(one.entries);
            for (error, count) in one.errors {
                *burst.errors.entry(error).or_default() += count;
            }
        }
        burst.unexplained = sampling.await??;
        Ok(burst)
    }

    /// A client that knows nothing of documents.
    async fn write(&self, number: u32, seed: u64) -> anyhow::Result<Burst> {
        let mut client = Plain::connect(&self.pool, number, seed).await?;
        let mut burst = Burst::default();
        while !self.over.load(Ordering::Relaxed) {
            let entry = client.run(&self.keys, self.start).await?;
            match &entry.error {
                Some(error) => *burst.errors.entry(error.clone()).or_default() += 1,
                None => {
                    self.counts.commits.fetch_add(1, Ordering::Relaxed);
                }
            }
            burst.entries.push(entry);
        }
        Ok(burst)
    }

    /// A client that syncs documents itself: most often by mutations.
    async fn sync(&self, number: u32, seed: u64) -> anyhow::Result<Burst> {
        let target = match number % 3 {
            0 => Target::Mutation,
            1 => Target::Pool,
            _ => Target::Tx,
        };
        let mut rng = SmallRng::seed_from_u64(seed);
        let jitter = self.options.jitter;
        let mut client =
            Finisher::new(self.pool.clone(), self.model.clone(), target, jitter, !seed);
        let mut burst = Burst::default();
        while !self.over.load(Ordering::Relaxed) {
            let operation = Operation::random(&mut rng, &self.keys);
            let start = self.start.elapsed();
            let error = match client.run(&operation).await {
                Ok(done) => {
                    self.counts.operations.fetch_add(1, Ordering::Relaxed);
                    for error in done.errors {
                        let error = format!("{target:?}: {error}, repeated");
                        *burst.errors.entry(error).or_default() += 1;
                    }
                    None
                }
                Err(error) => {
                    Some(violation(&error).with_context(|| format!("{operation:?}: {error:?}"))?)
                }
            };
            if let Some(error) = &error {
                let error = format!("{target:?}: {error}");
                *burst.errors.entry(error).or_default() += 1;
            }
            burst.entries.push(Entry {
                client: 3 * number,
                start,
                end: self.start.elapsed(),
                sql: format!("{target:?}: {operation:?}"),
                error,
            });
        }
        Ok(burst)
    }

    /// Compares all documents in one snapshot after another. Returns those that differ though nothing in the
    /// snapshot leads to them.
    async fn sample(&self) -> anyhow::Result<Vec<Drifted>> {
        let mut connection = self.pool.acquire().await?;
        while !self.over.load(Ordering::Relaxed) {
            let sample = pending::sample(&mut connection).await?;
            self.counts.samples.fetch_add(1, Ordering::Relaxed);
            self.counts
                .pending
                .fetch_add(sample.pending, Ordering::Relaxed);
            if !sample.unexplained.is_empty() {
                return Ok(sample.unexplained);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Vec::new())
    }

    /// Waits until nothing is left. Workers are killed in the first half second of it, too. After that they live:
    /// the full sync of one that is killed is only taken over half a minute later.
    async fn wait_until_drained(&self, workers: &Workers) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            let changes = self.model.changes(&self.pool).await?;
            ensure!(changes.dead == 0, "{changes}");
            if changes.pending == 0 {
                workers.pause(false);
                return Ok(());
            }
            workers.pause(start.elapsed() > Duration::from_millis(500));
            if start.elapsed() > DRAINED_WITHIN {
                bail!("not drained within {DRAINED_WITHIN:?}: {changes}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn report(
        &self,
        bursts: u64,
        kills: u64,
        errors: &BTreeMap<String, u64>,
        stale: usize,
    ) -> anyhow::Result<()> {
        // A worker that is killed cannot say what it has drained; the statistics of the table can.
        let drained: i64 = sqlx::query_scalar(
            "SELECT n_tup_del FROM pg_catalog.pg_stat_user_tables WHERE relname = 'fraiseql_change'",
        )
        .fetch_one(&self.pool)
        .await?;
        let Counts {
            commits,
            operations,
            samples,
            pending,
        } = &self.counts;
        println!(
            "{bursts} bursts in {:.0} s: {} transactions of plain SQL, {} operations that sync, \
             {drained} changes drained, {kills} workers killed",
            self.start.elapsed().as_secs_f64(),
            commits.load(Ordering::Relaxed),
            operations.load(Ordering::Relaxed),
        );
        println!(
            "compared in {} snapshots, with {} documents that changes led to, and after each burst",
            samples.load(Ordering::Relaxed),
            pending.load(Ordering::Relaxed)
        );
        for (error, count) in errors {
            println!("{count} times: {error}");
        }
        println!("{stale} stale documents");
        Ok(())
    }
}

/// The SQLSTATE of a constraint that a client's own statement violates: other clients delete what it refers to, or
/// insert the same key.
fn violation(error: &anyhow::Error) -> Option<String> {
    let Some(Error::Database { source, .. }) = error.downcast_ref::<Error>() else {
        return None;
    };
    let code = source.as_database_error()?.code()?.into_owned();
    matches!(&*code, "23503" | "23505").then_some(code)
}

fn print(when: &str, documents: &[Drifted]) {
    for document in documents.iter().take(MAX_PRINTED) {
        let text = |data: &Option<String>| data.clone().unwrap_or_else(|| "nothing".to_owned());
        println!(
            "stale {when}: {} {}\n  stored   {}\n  expected {}",
            document.view,
            document.key,
            text(&document.stored),
            text(&document.expected)
        );
    }
}

/// The last statements of a burst.
fn print_entries(mut entries: Vec<Entry>) {
    entries.sort_by_key(|entry| entry.end);
    for entry in &entries[entries.len().saturating_sub(MAX_STATEMENTS)..] {
        println!(
            "  {:.4} - {:.4} client {}: {} {}",
            entry.start.as_secs_f64(),
            entry.end.as_secs_f64(),
            entry.client,
            entry.sql,
            entry.error.as_deref().unwrap_or_default()
        );
    }
}
