//! A pool connection that is closed if the work on it is cancelled.
//!
//! Dropping a future can leave its connection in the middle of a statement, or in a transaction
//! that sqlx does not know of: sqlx counts a transaction once the answer to `BEGIN` has arrived, and
//! only rolls back what it has counted. A pool would hand such a connection on, and its next user
//! would work in a transaction that nobody commits. So a [`Lease`] that is dropped before
//! [`Lease::release`] closes its connection.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

use crate::error::{Error, Operation, Result};

/// A connection of a pool. It returns to the pool by [`release`](Self::release) alone; dropped
/// earlier, it is closed.
///
/// Release it after an error as well: then the work has ended, and sqlx has rolled back, or queued
/// the rollback of, every transaction that it began.
pub(crate) struct Lease(Option<PoolConnection<Postgres>>);

impl Lease {
    /// Acquires a connection and waits for one if necessary. An error says that it was acquired
    /// "to `purpose`".
    pub(crate) async fn acquire(pool: &PgPool, purpose: &'static str) -> Result<Self> {
        let connection = pool
            .acquire()
            .await
            .map_err(Error::database(Operation::AcquireConnection(purpose)))?;
        Ok(Self(Some(connection)))
    }

    /// Acquires an idle connection, or returns `None` if there is none.
    pub(crate) fn try_acquire(pool: &PgPool) -> Option<Self> {
        pool.try_acquire().map(|connection| Self(Some(connection)))
    }

    /// Returns the connection to the pool. The lease must not be used afterwards.
    pub(crate) fn release(&mut self) {
        self.0.take();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            // Dropping a detached connection closes its socket at once, without a task of the
            // runtime. The pool may open another in its place.
            drop(connection.detach());
        }
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect("the lease was released")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("the lease was released")
    }
}
