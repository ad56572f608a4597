//! Two processes that change and sync the same documents at the same time, for thousands of rounds.
//!
//! In each round one process changes a row that a document embeds, or deletes its row, and the other
//! makes the document embed it, or changes another part. Each syncs on the pool, in its transaction
//! or by a mutation: all nine pairs take turns, and so do the scenarios. Nothing is stopped at a
//! chosen point; the processes pause at random. After some rounds every document must equal the
//! base tables.
//!
//! With `--capture` each writes plain SQL or is a mutation. A worker drains beside them, and what is left
//! of some rounds is drained before the documents are compared.
//!
//! | module | |
//! |---|---|
//! | `schema` | tables, views and the rows of a round |
//! | `scenario` | what the two processes do in a round |
//! | `worker` | one of the processes |

mod scenario;
mod schema;
mod worker;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::ValueEnum as _;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgPool};
use tokio::sync::oneshot;

use self::scenario::{Role, Scenario, Target};
pub(crate) use self::worker::{Options as WorkerOptions, run as worker};

use crate::mutation::CaptureMode;
use crate::pooler::Pooler;

/// The rounds between two comparisons of all documents.
const BATCH: i32 = 450;
/// The most lost updates that are printed.
const MAX_PRINTED: usize = 20;
/// The variable with which a process finds the database.
const DATABASE: &str = "RACE_DATABASE_URL";

/// Options of `race`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Number of rounds, of all pairs and scenarios together.
    #[arg(long, default_value_t = 30_000)]
    rounds: i32,
    /// Longest random pause, in microseconds.
    #[arg(long, default_value_t = 1_000)]
    pause: u64,
    /// Seed of the pauses.
    #[arg(long)]
    seed: Option<u64>,
    /// Let triggers record what is changed, and processes write plain SQL.
    #[arg(long, default_value = "off")]
    capture: CaptureMode,
    /// Put a PgBouncer with this number of connections of the server in front of it.
    #[arg(long)]
    pooler: Option<u32>,
}

/// What one process does in a round.
#[derive(Clone, Copy, Debug)]
struct Task {
    round: i32,
    scenario: Scenario,
    target: Target,
}

/// The process that plays a role.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// A round that has left a document that differs from the base tables.
struct Lost {
    round: i32,
    scenario: Scenario,
    targets: [Target; 2],
}

/// Runs the races. It is an error if an update is lost.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let server = dev_postgres::Server::builder()
        .ignore_database_url()
        .setting("deadlock_timeout", "50ms")
        .start()?;
    let seed = options.seed.unwrap_or_else(rand::random);
    println!(
        "{}, two processes, capture {:?}, --seed {seed}",
        server.description(),
        options.capture
    );
    let pooler = Pooler::start(&server, options.pooler)?;
    let database = pooler.through(server.create_database().await?);
    let pool = PgPool::connect_with(database.clone()).await?;
    let model = schema::create(&pool, options.capture.into()).await?;
    let mut processes = [
        Process::start(Role::Changes, &database, &options, seed)?,
        Process::start(Role::Embeds, &database, &options, seed)?,
    ];
    let captured = options.capture != CaptureMode::Off;
    let (stop, stopped) = oneshot::channel::<()>();
    let draining =
        captured.then(|| tokio::spawn(model.worker(&pool).run(async { drop(stopped.await) })));
    let all = Target::all(options.capture);

    let start = Instant::now();
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut lost = Vec::new();
    for first in (0..options.rounds).step_by(BATCH as usize) {
        let rounds = first..(first + BATCH).min(options.rounds);
        schema::insert_rounds(&pool, rounds.clone()).await?;
        let mut tasks = Vec::new();
        for round in rounds {
            let pick = rng.random_range(0..all.len() * all.len());
            let scenario = Scenario::ALL[rng.random_range(0..Scenario::ALL.len())];
            let targets = [all[pick / all.len()], all[pick % all.len()]];
            tasks.push((round, scenario, targets));
            meet(&mut processes, round, scenario, targets)?;
        }
        if captured {
            model.worker(&pool).drain().await?;
            let left = model.changes(&pool).await?;
            ensure!(left.pending == 0 && left.dead == 0, "{left}");
        }
        let wrong = schema::wrong_rounds(&pool).await?;
        lost.extend(tasks.into_iter().filter_map(|(round, scenario, targets)| {
            wrong.contains(&round).then_some(Lost {
                round,
                scenario,
                targets,
            })
        }));
        schema::clear(&pool).await?;
        if captured {
            // Of the full sync.
            model.worker(&pool).drain().await?;
        }
    }
    for process in processes {
        process.end()?;
    }
    drop(stop);
    if let Some(draining) = draining {
        println!("{}", draining.await??);
    }
    println!(
        "{} rounds of {} pairs and {} scenarios in {:.0} s: {} lost",
        options.rounds,
        all.len() * all.len(),
        Scenario::ALL.len(),
        start.elapsed().as_secs_f64(),
        lost.len()
    );
    for Lost {
        round,
        scenario,
        targets: [changes, embeds],
    } in lost.iter().take(MAX_PRINTED)
    {
        println!("  round {round}, {scenario:?}: {changes:?} against {embeds:?}");
    }
    ensure!(lost.is_empty(), "{} updates were lost", lost.len());
    Ok(())
}

/// Lets both processes run one round, and waits for both.
fn meet(
    processes: &mut [Process; 2],
    round: i32,
    scenario: Scenario,
    targets: [Target; 2],
) -> anyhow::Result<()> {
    for (process, target) in processes.iter_mut().zip(targets) {
        process.begin(Task {
            round,
            scenario,
            target,
        })?;
    }
    for process in processes {
        process.done()?;
    }
    Ok(())
}

impl Task {
    /// The task as a line of text.
    fn line(self) -> String {
        let target = self.target.to_possible_value();
        let target = target.as_ref().map_or("", |value| value.get_name());
        format!("{} {} {target}", self.round, self.scenario as u8)
    }

    /// The task of a line.
    fn parse(line: &str) -> anyhow::Result<Self> {
        let mut words = line.split_whitespace();
        let mut word = || words.next().context("a task has three words");
        let round = word()?.parse()?;
        let scenario = word()?.parse::<usize>()?;
        let target = Target::from_str(word()?, false).map_err(anyhow::Error::msg)?;
        Ok(Self {
            round,
            scenario: *Scenario::ALL.get(scenario).context("no such scenario")?,
            target,
        })
    }
}

impl Process {
    fn start(
        role: Role,
        database: &PgConnectOptions,
        options: &Options,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let role = role.to_possible_value().context("a role has a name")?;
        let capture = options.capture.to_possible_value();
        let capture = capture.context("a mode has a name")?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["race-worker", "--role", role.get_name()])
            .args(["--capture", capture.get_name()])
            .args(["--pause", &options.pause.to_string()])
            .args(["--seed", &seed.to_string()])
            .env(DATABASE, database.to_url_lossy().as_str())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().context("standard input is a pipe")?;
        let output = child.stdout.take().context("standard output is a pipe")?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    fn begin(&mut self, task: Task) -> anyhow::Result<()> {
        writeln!(self.input, "{}", task.line())?;
        Ok(())
    }

    fn done(&mut self) -> anyhow::Result<()> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(line == "done\n", "a process failed: {line}");
        Ok(())
    }

    fn end(mut self) -> anyhow::Result<()> {
        drop(self.input);
        let status = self.child.wait()?;
        ensure!(status.success(), "a process failed: {status}");
        Ok(())
    }
}
