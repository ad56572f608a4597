//! A second connection, which reads rows as they were before a mutation changed them.
//!
//! A transaction cannot see the values that it has overwritten. Another connection sees the
//! committed rows, and these are the overwritten values: a row that the mutation has changed is
//! locked by it, so no other transaction has changed it since.
//!
//! It is a connection of the mutation's pool, which the application has set up, and it is waited for
//! with a bound: all others may be held by mutations that wait for one, too. A mutation that would make
//! it so does not wait at all, and gives its connection back. Behind a pooler, it may be so even if the
//! pool has idle connections: there, `BEGIN` waits for a connection of the server.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::lock::OwnedMutexGuard;
use sqlx::{Executor, PgConnection, PgPool};
use sqlx_core::rt;

use crate::db::lease::Lease;
use crate::error::{Error, Operation, Result};
use crate::mutex::lock;
use crate::schema::TableName;

/// Plain reads wait for no row lock, but they do wait for a table lock. One that the mutation itself
/// holds, as after TRUNCATE, is held until the mutation ends, which waits for this reader:
/// PostgreSQL cannot see that deadlock, so the wait is bounded.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL lock_timeout = '3s'";

/// For how long after one has waited in vain, a mutation that can be repeated does not wait. While it waits, it
/// holds a connection that others want: behind a pooler, all of them would, again and again.
const VAIN_FOR: Duration = Duration::from_secs(5);

/// The mutations of a read model that hold a connection and wait for another.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Their number.
    count: AtomicU32,
    /// Of those that have changed rows.
    pub(super) at_commit: VainWait,
    /// Of those that take the second connection before they begin.
    pub(super) at_begin: VainWait,
}

/// When a mutation has waited in vain.
#[derive(Debug, Default)]
pub(super) struct VainWait(Mutex<Option<Instant>>);

impl VainWait {
    /// Whether one has lately.
    pub(super) fn is_recent(&self) -> bool {
        lock(&self.0).is_some_and(|since| since.elapsed() < VAIN_FOR)
    }

    /// Notes that one has now.
    pub(super) fn note(&self) {
        *lock(&self.0) = Some(Instant::now());
    }
}

/// A mutation that waits.
struct Waiter<'a>(&'a Waiting);

impl Waiting {
    /// Begins to wait, unless every connection of the pool would then be held by one that waits.
    fn begin(&self, pool: &PgPool) -> Option<Waiter<'_>> {
        let waiter = Waiter(self);
        let others = self.count.fetch_add(1, Ordering::Relaxed);
        (others + 1 < pool.options().get_max_connections()).then_some(waiter)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long a mutation waits for its second connection by default.
pub(crate) const DEFAULT_WAIT: Duration = Duration::from_millis(250);

/// A connection in a read-only transaction, which sees committed rows.
///
/// If it is dropped before [`end`](Self::end), the connection is closed.
///
/// A mutation that is run again because there was none takes it before it begins, when it holds
/// nothing. One mutation of a read model does so at a time, since it then waits for another.
pub(super) struct CommittedReader {
    lease: Lease,
    /// Kept until the reader is dropped, if it was taken before.
    _turn: Option<Turn>,
}

/// The turn of a mutation that takes its second connection before it begins.
pub(super) type Turn = OwnedMutexGuard<()>;

impl CommittedReader {
    /// Takes a connection of the pool and begins, for a look at former rows of `table`. Fails if
    /// that takes longer than `wait`.
    pub(super) async fn begin(
        pool: &PgPool,
        wait: Duration,
        waiting: &Waiting,
        table: TableName,
    ) -> Result<Self> {
        let start = Instant::now();
        let unavailable = || Error::NoSecondConnection {
            table: table.clone(),
            waited: start.elapsed(),
        };
        if wait.is_zero() {
            return Err(unavailable());
        }
        let in_vain = || {
            waiting.at_commit.note();
            unavailable()
        };
        if let Some(lease) = Lease::try_acquire(pool) {
            // `try_acquire` does not test the connection. If it was lost while idle, BEGIN fails, and
            // another is acquired.
            match rt::timeout(wait, begin(lease)).await {
                Ok(Ok(reader)) => return Ok(reader),
                Ok(Err(_)) => {}
                Err(_) => return Err(in_vain()),
            }
        }
        let Some(_waiter) = waiting.begin(pool) else {
            return Err(unavailable());
        };
        let acquired = async {
            let lease = Lease::acquire(pool, "look up committed rows").await?;
            begin(lease).await
        };
        match rt::timeout(wait.saturating_sub(start.elapsed()), acquired).await {
            // The pool has a bound of its own.
            Ok(Err(Error::Database {
                source: sqlx::Error::PoolTimedOut,
                ..
            }))
            | Err(_) => Err(in_vain()),
            Ok(result) => result,
        }
    }

    /// Takes a connection of the pool and begins, for a mutation that has not begun.
    pub(super) async fn reserve(pool: &PgPool, turn: Turn) -> Result<Self> {
        let lease = Lease::acquire(pool, "look up committed rows").await?;
        let mut reader = begin(lease).await?;
        reader._turn = Some(turn);
        Ok(reader)
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.lease
    }

    /// Ends the transaction and returns the connection. If that fails, the connection is closed.
    pub(super) async fn end(mut self) {
        if self.lease.execute("ROLLBACK").await.is_ok() {
            self.lease.release();
        }
    }
}

async fn begin(mut lease: Lease) -> Result<CommittedReader> {
    let failed = Error::database(Operation::AcquireConnection("look up committed rows"));
    lease.execute(BEGIN).await.map_err(failed)?;
    let _turn = None;
    Ok(CommittedReader { lease, _turn })
}
