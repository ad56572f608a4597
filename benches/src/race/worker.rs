//! One of the processes: a line of standard input for each round, and one of standard output when it
//! has synced.

use std::io::{BufRead as _, Write as _};
use std::str::FromStr as _;
use std::time::Duration;

use anyhow::Context as _;
use fraiseql_runtime::{Error, Mutation, ReadModel};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};

use super::scenario::{Change, Role, Target};
use super::schema::{model, sync_post};
use super::{DATABASE, Task};
use crate::mutation::CaptureMode;

/// Options of `race-worker`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    #[arg(long, value_enum)]
    role: Role,
    #[arg(long)]
    capture: CaptureMode,
    #[arg(long)]
    pause: u64,
    #[arg(long)]
    seed: u64,
}

struct Worker {
    pool: PgPool,
    model: ReadModel,
    rng: SmallRng,
    pause: u64,
}

/// Runs rounds until standard input ends.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let url = std::env::var(DATABASE).context(DATABASE)?;
    let mut worker = Worker {
        pool: PgPoolOptions::new()
            .max_connections(3)
            .connect_with(PgConnectOptions::from_str(&url)?)
            .await?,
        model: model(options.capture.into())?,
        rng: SmallRng::seed_from_u64(options.seed ^ options.role as u64),
        pause: options.pause,
    };
    let mut output = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let task = Task::parse(&line?)?;
        worker.round(options.role, task).await?;
        writeln!(output, "done")?;
        output.flush()?;
    }
    Ok(())
}

impl Worker {
    async fn round(&mut self, role: Role, task: Task) -> anyhow::Result<()> {
        let change = task.scenario.change(role, task.round);
        self.pause();
        loop {
            let result = match task.target {
                Target::Pool => return self.after_commit(&change, task.round).await,
                Target::Transaction => self.in_transaction(&change, task.round).await,
                Target::Mutation => self.in_mutation(&change, task.round).await,
                Target::Nowhere => self.write(&change, task.round).await,
            };
            match result {
                Err(error) if is_retryable(&error) => {}
                result => return result,
            }
        }
    }

    async fn after_commit(&mut self, change: &Change, round: i32) -> anyhow::Result<()> {
        sqlx::query(change.write)
            .bind(round)
            .execute(&self.pool)
            .await?;
        self.pause();
        let posts: Vec<i32> = sqlx::query_scalar(change.posts)
            .bind(round)
            .fetch_all(&self.pool)
            .await?;
        self.pause();
        sync_post(&self.pool, &posts).await?;
        Ok(())
    }

    async fn in_transaction(&mut self, change: &Change, round: i32) -> anyhow::Result<()> {
        let mut tx = self.pool.begin().await?;
        sqlx::query(change.write)
            .bind(round)
            .execute(&mut *tx)
            .await?;
        self.pause();
        // Announces the transaction: a sync of a post that is added after the lookup waits.
        sync_post(&mut tx, &[]).await?;
        let posts = posts(&mut tx, change, round).await?;
        sync_post(&mut tx, &posts).await?;
        self.pause();
        tx.commit().await?;
        Ok(())
    }

    async fn write(&mut self, change: &Change, round: i32) -> anyhow::Result<()> {
        let mut tx = self.pool.begin().await?;
        sqlx::query(change.write)
            .bind(round)
            .execute(&mut *tx)
            .await?;
        self.pause();
        tx.commit().await?;
        Ok(())
    }

    async fn in_mutation(&mut self, change: &Change, round: i32) -> anyhow::Result<()> {
        let mut mutation: Mutation = self.model.mutation(&self.pool).await?;
        sqlx::query(change.write)
            .bind(round)
            .execute(&mut *mutation)
            .await?;
        change.mark.set(&mut mutation)?;
        self.pause();
        mutation.commit().await?;
        Ok(())
    }

    /// In half of all cases nothing: what matters is often a matter of microseconds.
    fn pause(&mut self) {
        if self.rng.random() {
            let micros = self.rng.random_range(0..=self.pause);
            std::thread::sleep(Duration::from_micros(micros));
        }
    }
}

async fn posts(
    connection: &mut PgConnection,
    change: &Change,
    round: i32,
) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar(change.posts)
        .bind(round)
        .fetch_all(connection)
        .await
}

/// Whether the whole transaction can be run again: also after an error of the application's own
/// statements.
fn is_retryable(error: &anyhow::Error) -> bool {
    if let Some(error) = error.downcast_ref::<Error>() {
        return error.is_retryable();
    }
    let code = error
        .downcast_ref::<sqlx::Error>()
        .and_then(sqlx::Error::as_database_error)
        .and_then(|error| error.code().map(|code| code.into_owned()));
    matches!(code.as_deref(), Some("40001" | "40P01"))
}
