//! Runs a mutation again after a deadlock or a serialization failure: `Attempts`.

use std::error::Error as StdError;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::error::DatabaseError;
use sqlx_core::rt;

use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::mutation::change_set::MarkedColumns;
use crate::mutation::committed_reader::CommittedReader;
use crate::mutation::context::MutationContext;
use crate::mutation::isolation::Isolation;
use crate::mutation::report::MutationReport;
use crate::mutation::telemetry;
use crate::mutation::transaction::Mutation;
use crate::schema::key::Keys;

/// The maximum number of times that a mutation is run again.
const MAX_RETRIES: u32 = 10;
/// The upper bound of the random wait before the first retry, in seconds. It doubles with each
/// retry, up to `MAX_WAIT`.
const FIRST_WAIT: f64 = 0.004;
const MAX_WAIT: f64 = 1.0;

/// An error whose sources [`mutate`](crate::ReadModel::mutate) can search for a deadlock or a
/// serialization failure. The compiler infers `Kind`.
///
/// It is implemented for every error type that [`Error`] converts into: enums with `#[from]`,
/// `anyhow::Error`, `Box<dyn Error + Send + Sync>`.
pub trait MutateError<Kind>: From<Error> {
    /// The error as a trait object, whose sources can be walked.
    fn as_error(&self) -> &(dyn StdError + 'static);
}

// The two implementations below overlap as far as the compiler knows: a type that is an error could
// also be `AsRef<dyn Error>`. With different type arguments they are of different traits.

/// The kind of error types that implement [`Error`](StdError), such as enums.
#[derive(Debug)]
pub enum Typed {}

/// The kind of error types that contain any error, such as `anyhow::Error`.
#[derive(Debug)]
pub enum Boxed {}

impl<E: StdError + From<Error> + 'static> MutateError<Typed> for E {
    fn as_error(&self) -> &(dyn StdError + 'static) {
        self
    }
}

impl<E> MutateError<Boxed> for E
where
    E: AsRef<dyn StdError + Send + Sync + 'static> + From<Error>,
{
    fn as_error(&self) -> &(dyn StdError + 'static) {
        self.as_ref()
    }
}

/// Whether an error was caused by a deadlock or a serialization failure.
fn is_retryable(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<Error>() {
            return error.is_retryable();
        }
        if let Some(error) = error.downcast_ref::<sqlx::Error>() {
            return Error::is_retryable_of(error);
        }
        // A transparent variant skips the `sqlx::Error`: its source is the database error.
        if let Some(error) = error.downcast_ref::<Box<dyn DatabaseError>>() {
            return error
                .code()
                .is_some_and(|code| Error::is_retryable_code(&code));
        }
        next = error.source();
    }
    false
}

/// The attempts of one piece of work, each in a mutation of its own. Begun by
/// [`ReadModel::attempts`](crate::ReadModel::attempts).
///
/// This is [`mutate`](crate::ReadModel::mutate) as a loop, for work that borrows: a closure that does
/// is refused in a task or a handler, because the compiler cannot prove that its future is `Send` for
/// every lifetime. [`mutate!`](crate::mutate!) writes the loop.
#[derive(Debug)]
#[must_use = "no attempt is made before `begin`"]
pub struct Attempts {
    context: Arc<MutationContext>,
    pool: PgPool,
    isolation: Isolation,
    /// How many attempts were repeated.
    retries: u32,
    /// The rows that the last attempt marked after it had changed them, if it had no second connection.
    /// The next one takes that connection first, or looks at the rows before the work.
    foreseen: Vec<(MarkedColumns, Keys)>,
}

impl Attempts {
    pub(crate) fn new(context: &Arc<MutationContext>, pool: &PgPool, isolation: Isolation) -> Self {
        Self {
            context: Arc::clone(context),
            pool: pool.clone(),
            isolation,
            retries: 0,
            foreseen: Vec::new(),
        }
    }

    /// Begins the mutation of the next attempt.
    ///
    /// # Errors
    /// If the pool has no connection, or BEGIN fails.
    pub async fn begin(&mut self) -> Result<Mutation> {
        if self.foreseen.is_empty() {
            let mut mutation = Mutation::begin(&self.context, &self.pool, self.isolation).await?;
            if self.context.waiting.at_commit.is_recent() {
                mutation.second_connection_wait = Duration::ZERO;
            }
            return Ok(mutation);
        }
        if let Some(mutation) = self.begin_with_second().await? {
            return Ok(mutation);
        }
        loop {
            let mut mutation = Mutation::begin(&self.context, &self.pool, self.isolation).await?;
            match self.foresee(&mut mutation).await {
                Ok(()) => return Ok(mutation),
                // The rows are locked, and so can be part of a deadlock.
                Err(error) if self.may_repeat(error.is_retryable()) => {
                    let _ = mutation.rollback().await;
                    self.pause().await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Begins a mutation that has its second connection already. Returns `None` if that takes too long:
    /// the pool has one connection, or other programs hold all that a pooler has.
    ///
    /// It is tried first because a look before the work takes locks before those of the work, and
    /// applications lock in an order of their own.
    async fn begin_with_second(&self) -> Result<Option<Mutation>> {
        let wait = self.context.second_connection_wait;
        let in_vain = &self.context.waiting.at_begin;
        let has_one = self.pool.options().get_max_connections() <= 1;
        if has_one || wait.is_zero() || in_vain.is_recent() {
            return Ok(None);
        }
        // Whoever waits for its turn, or for the first connection, holds nothing.
        let turn = Arc::clone(&self.context.turn).lock_owned().await;
        let reader = CommittedReader::reserve(&self.pool, turn).await?;
        let begun = Mutation::begin(&self.context, &self.pool, self.isolation);
        match rt::timeout(wait, begun).await {
            Ok(Ok(mut mutation)) => {
                mutation.reserved = Some(reader);
                Ok(Some(mutation))
            }
            Ok(Err(error)) => {
                reader.end().await;
                Err(error)
            }
            Err(_) => {
                in_vain.note();
                reader.end().await;
                Ok(None)
            }
        }
    }

    async fn foresee(&self, mutation: &mut Mutation) -> Result<()> {
        for rows in &self.foreseen {
            mutation.foresee(rows).await?;
        }
        Ok(())
    }

    /// Commits the mutation if `result` is a value, and rolls it back if it is an error. Returns the
    /// value and the report; or `None` if there was a deadlock, a serialization failure or no second
    /// connection: then the work is to be run again, in another mutation.
    ///
    /// # Errors
    /// The error in `result`, or that of the [commit](Mutation::commit). After ten retries, also one
    /// that could be retried.
    pub async fn end<T, E, Kind>(
        &mut self,
        mut mutation: Mutation,
        result: Result<T, E>,
    ) -> Result<Option<(T, MutationReport)>, E>
    where
        E: MutateError<Kind>,
    {
        let (error, is_retryable) = match result {
            Ok(value) => match mutation.finish().await {
                Ok(mut report) => {
                    report.retries = self.retries;
                    return Ok(Some((value, report)));
                }
                Err(error) => {
                    if matches!(error, Error::NoSecondConnection { .. }) {
                        self.foreseen = mem::take(&mut mutation.unseen);
                    }
                    let is_retryable = error.is_retryable();
                    (E::from(error), is_retryable)
                }
            },
            Err(error) => {
                let is_retryable = is_retryable(error.as_error());
                (error, is_retryable)
            }
        };
        if let Some(unused) = mutation.reserved.take() {
            unused.end().await;
        }
        // Ends before the next attempt begins, which may need its locks or its connection. If it
        // fails, the error of the work is still the one to report.
        let _ = mutation.rollback().await;
        if !self.may_repeat(is_retryable) {
            return Err(error);
        }
        self.pause().await?;
        Ok(None)
    }

    fn may_repeat(&self, is_retryable: bool) -> bool {
        is_retryable && self.retries < MAX_RETRIES
    }

    /// Counts a retry, and waits for a random time, so that two mutations that deadlocked do not meet
    /// again. The server waits: it has a generator of random numbers, and this crate has none.
    async fn pause(&mut self) -> Result<()> {
        let wait = (FIRST_WAIT * f64::from(1_u32 << self.retries)).min(MAX_WAIT);
        self.retries += 1;
        telemetry::retrying();
        let mut connection = self
            .pool
            .acquire()
            .await
            .map_err(Error::database(Operation::DelayRetry))?;
        Statement::new(
            "SELECT pg_catalog.pg_sleep($1 * pg_catalog.random())",
            Operation::DelayRetry,
        )
        .bind(wait)
        .execute(&mut connection)
        .await?;
        Ok(())
    }
}

/// Runs `work` as a mutation and commits it, again if a deadlock or a serialization failure occurs.
pub(crate) async fn mutate<T, E, Kind>(
    mut attempts: Attempts,
    mut work: impl AsyncFnMut(&mut Mutation) -> Result<T, E>,
) -> Result<(T, MutationReport), E>
where
    E: MutateError<Kind>,
{
    loop {
        let mut mutation = attempts.begin().await?;
        let result = work(&mut mutation).await;
        if let Some(done) = attempts.end(mutation, result).await? {
            return Ok(done);
        }
    }
}
