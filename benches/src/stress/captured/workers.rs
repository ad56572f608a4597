//! Workers in processes of their own, killed at random times.

use std::process::{Child, Command};
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum as _;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::mutation::CaptureMode;
use crate::stress::schema;

/// The variable with which a process finds the database.
const DATABASE: &str = "STRESS_DATABASE_URL";
/// The longest time between two kills, in milliseconds. A process needs about ten to begin.
const LONGEST: u64 = 150;

/// Options of `stress-worker`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    capture: CaptureMode,
    /// The changes of a batch.
    #[arg(long)]
    batch: u32,
}

/// Drains until it is killed.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let url = std::env::var(DATABASE).context(DATABASE)?;
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .connect_with(PgConnectOptions::from_str(&url)?)
        .await?;
    let worker = schema::model(options.capture.into())?.worker(&pool);
    let report = worker
        .batch(options.batch)
        .run(std::future::pending())
        .await?;
    bail!("it has ended: {report}");
}

/// Two processes, and a thread that kills and starts them.
pub(super) struct Workers {
    over: Arc<AtomicBool>,
    kills: Arc<AtomicU64>,
    killing: JoinHandle<anyhow::Result<()>>,
}

impl Workers {
    pub(super) fn start(
        database: &PgConnectOptions,
        capture: CaptureMode,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let url = database.to_url_lossy().to_string();
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut workers = [
            Process::start(&url, capture, 500)?,
            Process::start(&url, capture, 20)?,
        ];
        let (over, kills) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let killing = {
            let (over, kills) = (Arc::clone(&over), Arc::clone(&kills));
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(rng.random_range(0..LONGEST)));
                    let worker = &mut workers[rng.random_range(0..2)];
                    worker.kill()?;
                    kills.fetch_add(1, Ordering::Relaxed);
                    let batch = *[1, 20, 500].get(rng.random_range(0..3)).unwrap_or(&500);
                    *worker = Process::start(&url, capture, batch)?;
                }
                Ok(())
            })
        };
        Ok(Self {
            over,
            kills,
            killing,
        })
    }

    pub(super) fn kills(&self) -> u64 {
        self.kills.load(Ordering::Relaxed)
    }

    /// It is an error if a worker has ended by itself.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.killing.is_finished(), "a worker failed");
        Ok(())
    }

    /// Kills all. Returns how often workers were killed.
    pub(super) fn end(self) -> anyhow::Result<u64> {
        self.over.store(true, Ordering::Relaxed);
        match self.killing.join() {
            Ok(result) => result?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        Ok(self.kills.load(Ordering::Relaxed))
    }
}

struct Process(Child);

impl Process {
    fn start(url: &str, capture: CaptureMode, batch: u32) -> anyhow::Result<Self> {
        let capture = capture.to_possible_value().context("a mode has a name")?;
        let child = Command::new(std::env::current_exe()?)
            .args(["stress-worker", "--capture", capture.get_name()])
            .args(["--batch", &batch.to_string()])
            .env(DATABASE, url)
            .spawn()?;
        Ok(Self(child))
    }

    /// Sends SIGKILL. It is an error if it has ended before.
    fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.0.try_wait()? {
            bail!("a worker failed: {status}");
        }
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
