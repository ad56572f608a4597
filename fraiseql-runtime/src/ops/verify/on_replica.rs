//! `OnReplica`: what a verification on a replica cannot know.

use std::fmt;
use std::time::Duration;

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};

/// A verification ran on a replica, and so on what that has replayed: it cannot know what was written
/// since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OnReplica {
    /// How long before the verification the last transaction committed that the replica had replayed: what was
    /// written in that time, if anything was, is not known. `None` if it has replayed none since its start.
    pub behind: Option<Duration>,
}

impl OnReplica {
    /// Asks the server. `None` if it is a primary.
    pub(super) async fn of(connection: &mut PgConnection) -> Result<Option<Self>> {
        let sql = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.date_part('epoch',
            pg_catalog.clock_timestamp()
            OPERATOR(pg_catalog.-) pg_catalog.pg_last_xact_replay_timestamp())";
        Statement::new(sql, Operation::Verify)
            .fetch_one(connection, |row| {
                let is_replica: bool = row.try_get(0)?;
                let seconds: Option<f64> = row.try_get(1)?;
                // The clocks of two servers may differ.
                let behind =
                    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok());
                Ok(is_replica.then_some(Self { behind }))
            })
            .await
    }
}

impl fmt::Display for OnReplica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("on a replica: what was written ")?;
        match self.behind {
            Some(behind) => write!(f, "in the last {behind:.1?} is not known"),
            None => f.write_str("since it was started is not known"),
        }
    }
}
