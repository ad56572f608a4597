//! Mutations that are run again after a deadlock or a serialization failure.

use std::error::Error as StdError;
use std::sync::Arc;

use sqlx::PgPool;
use sqlx::error::DatabaseError;

use crate::error::{Error, Operation, Result};
use crate::mutation::context::Context;
use crate::mutation::report::MutationReport;
use crate::mutation::telemetry;
use crate::mutation::{Isolation, Mutation};

/// How often a mutation is run again.
const RETRIES: u32 = 10;
/// Seconds that are waited before the first, at most; twice as long before each further one.
const FIRST_WAIT: f64 = 0.004;
const LONGEST_WAIT: f64 = 1.0;

/// An error that [`mutate`](crate::ReadModel::mutate) can look into, to see whether it is worth
/// running again. `Kind` is found by the compiler.
///
/// It is implemented for every error type that the errors of this crate convert into: enums with
/// `#[from]`, `anyhow::Error`, `Box<dyn Error + Send + Sync>`.
pub trait MutateError<Kind>: From<Error> {
    /// The error, and through its sources what it was made of.
    fn as_error(&self) -> &(dyn StdError + 'static);
}

/// The kind of error types that are errors.
#[derive(Debug)]
pub enum Typed {}

/// The kind of error types that hold any error.
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

/// Whether a deadlock or a serialization failure is behind an error.
fn is_retryable(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<Error>() {
            return error.is_retryable();
        }
        if let Some(error) = error.downcast_ref::<sqlx::Error>() {
            return Error::is_retryable_of(error);
        }
        // What is left of an sqlx::Error behind a transparent variant.
        if let Some(error) = error.downcast_ref::<Box<dyn DatabaseError>>() {
            return error
                .code()
                .is_some_and(|code| Error::is_retryable_code(&code));
        }
        next = error.source();
    }
    false
}

/// Runs `work` as a mutation, and runs it again after a deadlock or a serialization failure.
pub(crate) async fn mutate<T, E, Kind>(
    context: &Arc<Context>,
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
        let (error, again) = match work(&mut mutation).await {
            Ok(value) => match mutation.commit().await {
                Ok(mut report) => {
                    report.retries = retries;
                    return Ok((value, report));
                }
                Err(error) => {
                    let again = error.is_retryable();
                    (E::from(error), again)
                }
            },
            Err(error) => {
                // The first error is the one to tell.
                let _ = mutation.rollback().await;
                let again = is_retryable(error.as_error());
                (error, again)
            }
        };
        if retries == RETRIES || !again {
            return Err(error);
        }
        let wait = (FIRST_WAIT * f64::from(1_u32 << retries)).min(LONGEST_WAIT);
        retries += 1;
        telemetry::mutating_again();
        // By the server, which has a clock and dice: the runtime is the application's.
        sqlx::query("SELECT pg_catalog.pg_sleep($1 * pg_catalog.random())")
            .bind(wait)
            .execute(pool)
            .await
            .map_err(Error::database(Operation::DelayRetry))?;
    }
}
