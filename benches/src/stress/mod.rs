//! Stress test for lost updates. Clients change rows and sync documents concurrently, while full
//! syncs and rebuilds run beside them. After each burst, every document must equal the base tables.
//! A document that differs is printed with the operations that synced it last.

mod captured;
mod changes;
mod check;
mod finish;
mod mutate;
mod operation;
mod repair;
mod schema;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use fraiseql_runtime::{Capture, ReadModel};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgPool};

pub(crate) use self::captured::{WorkerOptions, worker};
use self::check::Drifted;
use self::finish::{Done, Target, Worker};
use self::operation::{Keys, Operation};
use self::repair::Repairs;
use self::schema::Rows;
use crate::mutation::CaptureMode;
use crate::pooler::Pooler;

/// The most drifted documents that are printed.
const MAX_PRINTED: usize = 5;
/// The most operations that are printed for each of them.
const MAX_OPERATIONS: usize = 40;

/// Options of `stress`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Number of clients.
    #[arg(long, default_value_t = 8)]
    clients: u32,
    /// Duration of the test.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Stop after this number of operations, if that is earlier.
    #[arg(long, default_value_t = u64::MAX)]
    operations: u64,
    /// Operations of each client between two checks of all documents.
    #[arg(long, default_value_t = 5)]
    burst: u32,
    /// Where clients sync.
    #[arg(long, value_enum, default_value_t = Target::Pool)]
    target: Target,
    /// Seed of the operations, to repeat those of another run. The timing is not repeated.
    #[arg(long)]
    seed: Option<u64>,
    /// Longest random pause of syncs and clients, in milliseconds.
    #[arg(long, default_value_t = 10)]
    jitter: u32,
    /// Number of users, with twice as many posts and five times as many comments. Fewer rows mean
    /// more conflicts.
    #[arg(long, default_value_t = 10)]
    users: i32,
    /// Let triggers record what is changed. Then clients that know nothing of documents write beside those
    /// that sync, and worker processes that are killed at random drain what they leave.
    #[arg(long, default_value = "off")]
    capture: CaptureMode,
    /// With `--capture`: stop after this number of killed workers, instead of after `--seconds`.
    #[arg(long)]
    kills: Option<u64>,
    /// Put a PgBouncer with this number of connections of the server in front of it.
    #[arg(long)]
    pooler: Option<u32>,
}

/// The result of a run.
#[derive(Debug, Default)]
struct Outcome {
    time: Duration,
    bursts: u64,
    operations: u64,
    /// Number of operations by kind.
    kinds: BTreeMap<String, u64>,
    /// Documents written or deleted.
    changed: u64,
    repairs: Repairs,
    /// Number of retries by the mutations themselves.
    retries: u64,
    /// Retried errors by name.
    errors: BTreeMap<String, u64>,
    drifted: usize,
}

/// An executed operation.
#[derive(Debug)]
struct Entry {
    client: u32,
    start: Duration,
    end: Duration,
    operation: Operation,
    done: Done,
}

struct Stress {
    pool: PgPool,
    model: ReadModel,
    options: Options,
    keys: Keys,
    start: Instant,
    over: AtomicBool,
}

struct Client {
    number: u32,
    rng: SmallRng,
    worker: Worker,
}

/// Runs the test. It is an error if a document differs.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    if options.capture != CaptureMode::Off {
        return captured::run(options).await;
    }
    ensure!(options.kills.is_none(), "--kills needs --capture");
    let server = dev_postgres::Server::builder()
        .setting("max_connections", "200")
        .setting("deadlock_timeout", "50ms")
        .start()?;
    let seed = options.seed.unwrap_or_else(rand::random);
    println!(
        "{}: {} clients, target {:?}, --seed {seed}",
        server.description(),
        options.clients,
        options.target
    );
    let pooler = Pooler::start(&server, options.pooler)?;
    let database = server.create_database().await?;
    set_jitter(&database, options.jitter).await?;
    let outcome = stress(pooler.through(database), options, seed).await?;
    print(&outcome);
    ensure!(
        outcome.drifted == 0,
        "{} documents differ from the base tables",
        outcome.drifted
    );
    Ok(())
}

/// Sets how long documents take to be built, for all sessions to come.
async fn set_jitter(database: &PgConnectOptions, jitter: u32) -> anyhow::Result<()> {
    let name = database.get_database().context("it has a name")?;
    let sql = format!("ALTER DATABASE \"{name}\" SET stress.jitter = {jitter}");
    let mut connection = database.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}

async fn stress(
    database: PgConnectOptions,
    options: Options,
    seed: u64,
) -> anyhow::Result<Outcome> {
    let pool = PgPoolOptions::new()
        .max_connections(options.clients * 2 + 4)
        .connect_with(database)
        .await?;
    let rows = options.rows();
    let model = schema::create(&pool, rows, Capture::Off).await?;
    ensure!(
        check::drifted(&mut *pool.acquire().await?)
            .await?
            .is_empty(),
        "the oracle differs from fraiseql before the first change"
    );
    let stress = Arc::new(Stress {
        pool,
        model,
        keys: Keys::new(rows),
        options,
        start: Instant::now(),
        over: AtomicBool::new(false),
    });
    let mut clients: Vec<Client> = (0..stress.options.clients)
        .map(|number| stress.client(number, seed))
        .collect();
    let mut outcome = Outcome::default();
    while !stress.is_over() && outcome.operations < stress.options.operations {
        clients = burst(&stress, clients, &mut outcome).await?;
    }
    outcome.time = stress.start.elapsed();
    Ok(outcome)
}

/// Runs some operations of each client, and then checks every document. Checks are frequent because
/// a later sync may repair a drifted document by chance.
async fn burst(
    stress: &Arc<Stress>,
    clients: Vec<Client>,
    outcome: &mut Outcome,
) -> anyhow::Result<Vec<Client>> {
    let count = outcome.bursts;
    outcome.bursts += 1;
    stress.over.store(false, Ordering::Relaxed);
    let repairs = {
        let stress = Arc::clone(stress);
        tokio::spawn(async move { stress.repairs(count).await })
    };
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| {
            let stress = Arc::clone(stress);
            tokio::spawn(async move { stress.work(client).await })
        })
        .collect();
    let mut clients = Vec::new();
    let mut history = Vec::new();
    for task in tasks {
        let (client, entries) = task.await??;
        clients.push(client);
        history.extend(entries);
    }
    stress.over.store(true, Ordering::Relaxed);
    let repairs = repairs.await??;
    for error in &repairs.errors {
        *outcome.errors.entry(error.clone()).or_default() += 1;
    }
    outcome.repairs += repairs;
    history.sort_by_key(|entry| entry.start);
    for entry in &history {
        outcome.operations += 1;
        outcome.changed += entry.done.changed;
        outcome.retries += u64::from(entry.done.retries);
        *outcome.kinds.entry(entry.operation.name()).or_default() += 1;
        for error in &entry.done.errors {
            *outcome.errors.entry(error.clone()).or_default() += 1;
        }
    }
    let drifted = check::drifted(&mut *stress.pool.acquire().await?).await?;
    if !drifted.is_empty() {
        print_drifted(&drifted, &history, outcome.drifted);
        outcome.drifted += drifted.len();
        // Repair them, so that each is counted once.
        for view in 0..3 {
            stress.full_sync(view, 1_000).await?;
        }
    }
    Ok(clients)
}

impl Options {
    fn rows(&self) -> Rows {
        Rows {
            users: self.users,
            posts: self.users * 2,
            comments: self.users * 5,
            tags: 5,
        }
    }
}

impl Stress {
    fn client(&self, number: u32, seed: u64) -> Client {
        let seed = seed.wrapping_add(u64::from(number));
        let Options { target, jitter, .. } = self.options;
        Client {
            number,
            rng: SmallRng::seed_from_u64(seed),
            worker: Worker::new(self.pool.clone(), self.model.clone(), target, jitter, !seed),
        }
    }

    fn is_over(&self) -> bool {
        self.start.elapsed() > Duration::from_secs(self.options.seconds)
    }

    async fn work(&self, mut client: Client) -> anyhow::Result<(Client, Vec<Entry>)> {
        let mut entries = Vec::new();
        for _ in 0..self.options.burst {
            if self.is_over() {
                break;
            }
            let start = self.start.elapsed();
            let operation = Operation::random(&mut client.rng, &self.keys);
            let done = client
                .worker
                .run(&operation)
                .await
                .with_context(|| format!("{operation:?}"))?;
            entries.push(Entry {
                client: client.number,
                start,
                end: self.start.elapsed(),
                operation,
                done,
            });
        }
        Ok((client, entries))
    }
}

fn print(outcome: &Outcome) {
    let seconds = outcome.time.as_secs_f64();
    println!(
        "{} operations in {seconds:.1} s, {:.0} a second; {} documents written, {} full syncs, \
         {} rebuilds of {} documents, all compared {} times",
        outcome.operations,
        outcome.operations as f64 / seconds,
        outcome.changed,
        outcome.repairs.full_syncs,
        outcome.repairs.rebuilds,
        outcome.repairs.rebuilt,
        outcome.bursts,
    );
    println!("{:?}", outcome.kinds);
    for (error, count) in &outcome.errors {
        println!("repeated {count} times: {error}");
    }
    if outcome.retries > 0 {
        println!("{} retries by mutations themselves", outcome.retries);
    }
    println!("{} drifted documents", outcome.drifted);
}

/// Prints the first of these documents, with the operations that synced them last. `before` is the
/// number of those that were printed before.
fn print_drifted(drifted: &[Drifted], history: &[Entry], before: usize) {
    for document in drifted.iter().take(MAX_PRINTED.saturating_sub(before)) {
        let Drifted {
            view,
            key,
            stored,
            expected,
        } = document;
        let text = |data: &Option<String>| data.clone().unwrap_or_else(|| "nothing".to_owned());
        println!(
            "drifted: {view} {key}\n  stored   {}\n  expected {}",
            text(stored),
            text(expected)
        );
        let about: Vec<&Entry> = history
            .iter()
            .filter(|entry| entry.is_about(view, *key))
            .collect();
        for entry in &about[about.len().saturating_sub(MAX_OPERATIONS)..] {
            println!(
                "  {:.4} - {:.4} client {}: {:?}, wrote {}, {} errors",
                entry.start.as_secs_f64(),
                entry.end.as_secs_f64(),
                entry.client,
                entry.operation,
                entry.done.changed,
                entry.done.errors.len(),
            );
        }
    }
}

impl Entry {
    /// Whether it synced this document. For mutations this is not known, so it is true.
    fn is_about(&self, view: &str, key: i32) -> bool {
        let Some(documents) = &self.done.documents else {
            return true;
        };
        match view {
            "user" => documents.users.contains(&key),
            "post" => documents.posts.contains(&key),
            _ => documents.comments.contains(&key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A short run of `stress`, with few rows, so that there are many conflicts.
    async fn assert_nothing_drifts(target: Target) -> anyhow::Result<()> {
        let server = dev_postgres::Server::builder()
            .setting("max_connections", "100")
            .setting("deadlock_timeout", "50ms")
            .start()?;
        let seed = rand::random();
        let options = Options {
            clients: 8,
            // The number of operations ends it: a slow machine takes longer.
            seconds: 60,
            operations: 400,
            burst: 5,
            target,
            seed: Some(seed),
            jitter: 20,
            users: 3,
            capture: CaptureMode::Off,
            kills: None,
            pooler: None,
        };
        let database = server.create_database().await?;
        set_jitter(&database, options.jitter).await?;
        let outcome = stress(database, options, seed).await?;
        print(&outcome);
        assert!(
            outcome.operations >= 400,
            "{} operations",
            outcome.operations
        );
        assert_eq!(outcome.drifted, 0, "--seed {seed}");
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_update_is_lost_on_a_pool() -> anyhow::Result<()> {
        assert_nothing_drifts(Target::Pool).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_update_is_lost_in_mutations() -> anyhow::Result<()> {
        assert_nothing_drifts(Target::Mutation).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_update_is_lost_in_transactions() -> anyhow::Result<()> {
        assert_nothing_drifts(Target::Tx).await
    }
}
