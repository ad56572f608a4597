//! A connection of a pool for as long as some work takes.
//!
//! Where the future of that work is dropped, the connection is closed, and not given back to the
//! pool: it may be in the middle of a statement or of a transaction, even of one that sqlx does
//! not know of yet, because its `BEGIN` was sent and not yet answered. Whoever had it next would
//! work in a transaction that nobody commits.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

use crate::error::{Error, Operation, Result};

pub(crate) struct Lease(Option<PoolConnection<Postgres>>);

impl Lease {
    /// Waits for a connection; `purpose` is what an error says it was for.
    pub(crate) async fn of(pool: &PgPool, purpose: &'static str) -> Result<Self> {
        let connection = pool
            .acquire()
            .await
            .map_err(Error::database(Operation::AcquireConnection(purpose)))?;
        Ok(Self(Some(connection)))
    }

    /// One that is idle; none is waited for.
    pub(crate) fn try_of(pool: &PgPool) -> Option<Self> {
        pool.try_acquire().map(|connection| Self(Some(connection)))
    }

    /// The work is over, however it went. There is no connection any more.
    pub(crate) fn give_back(&mut self) {
        self.0.take();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect("it is there until it is given back")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("it is there until it is given back")
    }
}
