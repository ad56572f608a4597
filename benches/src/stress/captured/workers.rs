//! Workers in processes of their own, killed at random times.

use std::process::{Child, Command};
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum as _;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::mutation::CaptureMode;
use crate::stress::schema;

/// The variable with which a process finds the database.
const DATABASE: &str = "STRESS_DATABASE_URL";
/// The longest time between two kills, in milliseconds. A process needs ten to fifty to begin, and each of the
/// two has to get something done.
const LONGEST: u64 = 250;

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
    paused: Arc<AtomicBool>,
    kills: Arc<AtomicU64>,
    /// Until it has ended.
    killing: Option<JoinHandle<anyhow::Result<()>>>,
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
        let (over, paused) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let kills = Arc::<AtomicU64>::default();
        let killing = {
            let (over, paused) = (Arc::clone(&over), Arc::clone(&paused));
            let kills = Arc::clone(&kills);
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(rng.random_range(0..LONGEST)));
                    if paused.load(Ordering::Relaxed) {
                        continue;
                    }
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
            paused,
            kills,
            killing: Some(killing),
        })
    }

    /// Lets the workers live for a while.
    pub(super) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
    }

    pub(super) fn kills(&self) -> u64 {
        self.kills.load(Ordering::Relaxed)
    }

    /// Whether a worker has ended by itself: [`end`](Self::end) returns the error.
    pub(super) fn has_failed(&self) -> bool {
        self.killing.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Kills all. Returns how often workers were killed.
    pub(super) fn end(mut self) -> anyhow::Result<u64> {
        self.stop()?;
        Ok(self.kills())
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        self.over.store(true, Ordering::Relaxed);
        match self.killing.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => bail!("the thread that kills workers panicked"),
            None => Ok(()),
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // After another error: that one is reported.
        let _ = self.stop();
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
