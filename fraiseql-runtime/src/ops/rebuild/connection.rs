//! The connection of a rebuild.

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};

use crate::error::{Error, Operation, Result};

pub(super) async fn acquire(pool: &PgPool) -> Result<PoolConnection<Postgres>> {
    pool.acquire()
        .await
        .map_err(Error::database(Operation::AcquireConnection("rebuild")))
}
