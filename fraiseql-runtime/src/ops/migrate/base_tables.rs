//! The last phase of a migration: creates the triggers of base tables, one table at a time.
//!
//! CREATE TRIGGER waits for all transactions that have written to the table, and those that want to write to it
//! wait for CREATE TRIGGER. So each table has a transaction of its own, which does not wait long and tries
//! again: other transactions get their turn between two attempts, and one that writes to several tables in another order is
//! no deadlock.

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::ops::migrate::capture::TriggerStep;

/// How long an attempt waits, and so how long it makes others wait: a bit longer than `deadlock_timeout`, by default one
/// second, after which PostgreSQL cancels an autovacuum that is in the way.
const LOCK_TIMEOUT: &str = "\
SELECT pg_catalog.set_config(
  'lock_timeout',
  (EXTRACT(EPOCH FROM pg_catalog.current_setting('deadlock_timeout')::pg_catalog.interval) * 1000 + 500)::int8::text,
  true
)";
const PAUSE: &str = "SELECT pg_catalog.pg_sleep(0.25)";
const ATTEMPTS: u32 = 30;

/// An error if the role may not create a trigger.
pub(super) async fn permitted(connection: &mut PgConnection, steps: &[TriggerStep]) -> Result<()> {
    if steps.iter().all(|step| step.can_create) {
        return Ok(());
    }
    let role: String = Statement::new("SELECT current_user::text", Operation::Migrate)
        .fetch_one(connection, |row| row.try_get(0))
        .await?;
    steps.iter().try_for_each(|step| step.permitted(&role))
}

/// Creates the triggers.
pub(super) async fn create(connection: &mut PgConnection, steps: &[TriggerStep]) -> Result<()> {
    for step in steps {
        let mut attempts = 1;
        while let Err(error) = attempt(connection, step).await {
            // Two instances that create the same trigger can meet in a deadlock; and DROP IF EXISTS does not
            // wait for the one that another instance is creating, but CREATE does, and then it exists.
            let may_repeat =
                error.is_lock_timeout() || error.is_retryable() || error.is_duplicate_object();
            if !may_repeat || attempts == ATTEMPTS {
                return Err(error);
            }
            attempts += 1;
            connection
                .execute(PAUSE)
                .await
                .map_err(Error::database(Operation::Migrate))?;
        }
    }
    Ok(())
}

async fn attempt(connection: &mut PgConnection, step: &TriggerStep) -> Result<()> {
    let failed = || Error::database(Operation::Migrate);
    let mut transaction = connection.begin().await.map_err(failed())?;
    transaction.execute(LOCK_TIMEOUT).await.map_err(failed())?;
    let done = step.step.run(&mut transaction).await;
    match done {
        Ok(()) => transaction.commit().await.map_err(failed()),
        Err(error) => {
            transaction.rollback().await.map_err(failed())?;
            Err(error)
        }
    }
}
