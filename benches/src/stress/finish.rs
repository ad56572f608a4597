//! Execution of an operation with its syncs, on each error_name of target, with retries.

use std::collections::BTreeSet;
use std::time::Duration;

use fraiseql_runtime::mutation::Isolation;
use fraiseql_runtime::{Error, Mutation, ReadModel, SyncReport};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use sqlx::PgPool;

use super::changes::Documents;
use super::operation::Operation;
use super::schema::{sync_comment, sync_post, sync_user};
use fraiseql_runtime::error;

/// The target of the syncs.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Target {
    /// The pool, after the commit.
    Pool,
    /// The writer's transaction. Dependents are looked up by hand-written statements, which lock the
    /// rows that they pass.
    Tx,
    /// Mutations, which find the dependents themselves. One in ten is serializable.
    Mutation,
}

/// The result of an operation.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The synced documents; `None` in a mutation, which looks them up itself.
    pub(crate) documents: Option<Documents>,
    pub(crate) changed: u64,
    /// Names of the errors after which it was repeated.
    pub(crate) errors: Vec<String>,
    /// Number of retries by the mutation itself.
    pub(crate) retries: u32,
}

impl Done {
    fn synced(documents: Documents, report: &SyncReport) -> Self {
        Self {
            documents: Some(documents),
            changed: report.changed(),
            ..Self::default()
        }
    }
}

/// The most attempts of an operation. More would mean a livelock.
const ATTEMPTS: usize = 50;

/// Executes operations, with random pauses between their steps.
pub(crate) struct Worker {
    pool: PgPool,
    model: ReadModel,
    target: Target,
    rng: SmallRng,
    jitter: u32,
    errors: Vec<String>,
}

impl Worker {
    pub(crate) fn new(
        pool: PgPool,
        model: ReadModel,
        target: Target,
        jitter: u32,
        seed: u64,
    ) -> Self {
        Self {
            pool,
            model,
            target,
            rng: SmallRng::seed_from_u64(seed),
            jitter,
            errors: Vec::new(),
        }
    }

    /// Writes and syncs, and repeats the operation after retryable errors.
    pub(crate) async fn run(&mut self, operation: &Operation) -> anyhow::Result<Done> {
        loop {
            let result = match self.target {
                Target::Pool => self.after_commit(operation).await,
                Target::Tx => self.in_transaction(operation).await,
                Target::Mutation => self.in_mutation(operation).await,
            };
            match result {
                Ok(mut done) => {
                    done.errors = std::mem::take(&mut self.errors);
                    return Ok(done);
                }
                Err(error) if error.is_retryable() && self.errors.len() < ATTEMPTS => {
                    self.errors.push(error_name(&error));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn after_commit(&mut self, operation: &Operation) -> Result<Done, Error> {
        let mut transaction = self.pool.begin().await.map_err(database_error)?;
        let changes = operation
            .write(&mut transaction)
            .await
            .map_err(database_error)?;
        self.maybe_pause().await;
        transaction.commit().await.map_err(database_error)?;
        self.maybe_pause().await;
        let mut connection = self.pool.acquire().await.map_err(database_error)?;
        let documents = changes
            .documents(&mut connection, false)
            .await
            .map_err(database_error)?;
        drop(connection);
        self.maybe_pause().await;
        // The rows are committed, so only the syncs are repeated.
        let mut left = ATTEMPTS;
        loop {
            match self.sync(&documents).await {
                Err(error) if error.is_retryable() && left > 0 => {
                    left -= 1;
                    self.errors
                        .push(format!("{} after the commit", error_name(&error)));
                }
                result => return Ok(Done::synced(documents, &result?)),
            }
        }
    }

    async fn sync(&mut self, documents: &Documents) -> Result<SyncReport, Error> {
        let mut report = sync_user(&self.pool, &keys(&documents.users)).await?;
        self.maybe_pause().await;
        report += sync_post(&self.pool, &keys(&documents.posts)).await?;
        self.maybe_pause().await;
        report += sync_comment(&self.pool, &keys(&documents.comments)).await?;
        Ok(report)
    }

    async fn in_transaction(&mut self, operation: &Operation) -> Result<Done, Error> {
        let mut transaction = self.pool.begin().await.map_err(database_error)?;
        let changes = operation
            .write(&mut transaction)
            .await
            .map_err(database_error)?;
        self.maybe_pause().await;
        let documents = changes
            .documents(&mut transaction, true)
            .await
            .map_err(database_error)?;
        self.maybe_pause().await;
        // All clients sync in this order, to avoid deadlocks.
        let mut report = sync_user(&mut transaction, &keys(&documents.users)).await?;
        self.maybe_pause().await;
        report += sync_post(&mut transaction, &keys(&documents.posts)).await?;
        self.maybe_pause().await;
        report += sync_comment(&mut transaction, &keys(&documents.comments)).await?;
        self.maybe_pause().await;
        transaction.commit().await.map_err(database_error)?;
        Ok(Done::synced(documents, &report))
    }

    async fn in_mutation(&mut self, operation: &Operation) -> Result<Done, Error> {
        let isolation = if self.rng.random_ratio(1, 10) {
            Isolation::Serializable
        } else {
            Isolation::ReadCommitted
        };
        let operation = operation.clone();
        let pause = self.pause();
        let model = self.model.clone();
        let pool = self.pool.clone();
        let work = async move |m: &mut Mutation| {
            operation.mutate(m).await?;
            tokio::time::sleep(pause).await;
            Ok(())
        };
        let ((), report) = model.mutate_with(&pool, isolation, work).await?;
        Ok(Done {
            changed: report.changed(),
            retries: report.retries,
            ..Done::default()
        })
    }

    async fn maybe_pause(&mut self) {
        let pause = self.pause();
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }

    fn pause(&mut self) -> Duration {
        if !self.rng.random_ratio(1, 8) {
            return Duration::ZERO;
        }
        let max = u64::from(self.jitter) * 1_000;
        Duration::from_micros(self.rng.random_range(0..=max))
    }
}

fn keys(keys: &BTreeSet<i32>) -> Vec<i32> {
    keys.iter().copied().collect()
}

pub(crate) fn database_error(source: sqlx::Error) -> Error {
    Error::Database {
        operation: error::Operation::Other("writing base tables".into()),
        table: None,
        source,
    }
}

/// `40P01 writing base tables`
pub(crate) fn error_name(error: &Error) -> String {
    match error {
        Error::Database {
            operation,
            table,
            source,
        } => {
            let code = source.as_database_error().and_then(|error| error.code());
            let code = code.unwrap_or_else(|| source.to_string().into());
            let table = table.as_ref().map_or("", |table| &table.name);
            format!("{code} {operation} {table}")
        }
        Error::Contended { .. } => "contended".to_owned(),
        other => other.to_string(),
    }
}
