//! Runs a mutation again after a deadlock or a serialization failure.

use std::error::Error as StdError;
use std::sync::Arc;

use sqlx::PgPool;
use sqlx::error::DatabaseError;

use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::mutation::context::MutationContext;
use crate::mutation::isolation::Isolation;
use crate::mutation::report::MutationReport;
use crate::mutation::telemetry;
use crate::mutation::transaction::Mutation;

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

/// Runs `work` as a mutation and commits it, again if a deadlock or a serialization failure occurs.
pub(crate) async fn mutate<T, E, Kind>(
    context: &Arc<MutationContext>,
    pool: &PgPool,
    isolation: Isolation,
    mut work: impl AsyncFnMut(&mut Mutation) -> Result<T, E>,
) -> Result<(T, MutationReport), E>
where
    E: MutateError<Kind>,
{
    let mut retries = 0;
    loop {
        let mut mutation = Mutation::begin(context, pool, isolation).await?;
        let (error, is_retryable) = match work(&mut mutation).await {
            Ok(value) => match mutation.commit().await {
                Ok(mut report) => {
                    report.retries = retries;
                    return Ok((value, report));
                }
                Err(error) => {
                    let is_retryable = error.is_retryable();
                    (E::from(error), is_retryable)
                }
            },
            Err(error) => {
                // Ends before the retry begins, which may need its locks or its connection. If it
                // fails, the error of `work` is still the one to report.
                let _ = mutation.rollback().await;
                let is_retryable = is_retryable(error.as_error());
                (error, is_retryable)
            }
        };
        if retries == MAX_RETRIES || !is_retryable {
            return Err(error);
        }
        let wait = (FIRST_WAIT * f64::from(1_u32 << retries)).min(MAX_WAIT);
        retries += 1;
        telemetry::retrying();
        // A random wait, so that two mutations that deadlocked do not meet again. The server waits:
        // this crate chooses no async runtime, and has neither timers nor random numbers.
        let mut connection = pool
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
    }
}
