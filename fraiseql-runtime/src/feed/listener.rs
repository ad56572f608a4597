//! Notifications of writers, if the connection to the server can have them.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use sqlx::postgres::PgListener;
use sqlx::{AssertSqlSafe, PgPool};
use sqlx_core::rt;

use crate::error::{Error, Operation, Result};
use crate::sql::feed::{CHANNEL, FeedSql};

/// How long the first notification may take.
const FIRST: Duration = Duration::from_secs(2);

/// A listener with a pool of fewer connections would leave too few to read.
const MIN_CONNECTIONS: u32 = 3;

/// Listens to writers. `None` if notifications do not arrive: behind a pooler in transaction mode, LISTEN is done on a
/// connection of the server that somebody else has then.
pub(super) async fn listen(pool: &PgPool, sql: &FeedSql) -> Result<Option<PgListener>> {
    if pool.options().get_max_connections() < MIN_CONNECTIONS {
        return Ok(None);
    }
    let failed = || Error::database(Operation::Other("listening to writers".into()));
    let mut listener = PgListener::connect_with(pool).await.map_err(failed())?;
    listener.listen(CHANNEL).await.map_err(failed())?;
    let notify = sqlx::raw_sql(AssertSqlSafe(sql.notification()));
    notify.execute(pool).await.map_err(failed())?;
    let arrives = {
        let first = pin!(listener.recv());
        let too_late = pin!(rt::sleep(FIRST));
        match select(first, too_late).await {
            Either::Left((received, _)) => received.is_ok(),
            Either::Right(_) => false,
        }
    };
    Ok(arrives.then_some(listener))
}
