//! `Server`: a server that connections lead to, and how far it is known to have replayed.

use std::sync::Mutex;
use std::time::Instant;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::db::wal_position::WalPosition;
use crate::error::{Operation, Result};
use crate::mutex::lock;

/// Asks a server who and where it is.
///
/// The timeline of a replica is read *after* its position, and never decreases, so that the position is
/// on that timeline or on one that leads to it: `at` is a relation, and the columns of the result are
/// evaluated for its row. The WAL receiver names the timeline at once. It hides it from roles without
/// `pg_read_all_stats`, and it does not run while the primary is gone; then the control file has it,
/// which is up to date at the next flush.
///
/// A primary is asked for what it has flushed: nothing else can be at a replica.
const LOOK: &str = "\
SELECT at.standby, at.lsn::pg_catalog.text, s::pg_catalog.text,
    CASE WHEN at.standby
        THEN COALESCE(
            (SELECT r.received_tli FROM pg_catalog.pg_stat_get_wal_receiver() AS r),
            (SELECT GREATEST(c.timeline_id, r.min_recovery_end_timeline)
             FROM pg_catalog.pg_control_checkpoint() AS c, pg_catalog.pg_control_recovery() AS r)
        )::pg_catalog.text
        ELSE pg_catalog.pg_walfile_name_offset(at.lsn)::pg_catalog.text
    END,
    pg_catalog.concat_ws(' ', pg_catalog.pg_postmaster_start_time(),
        pg_catalog.inet_server_addr(), pg_catalog.inet_server_port()),
    pg_catalog.current_database()::pg_catalog.text,
    pg_catalog.current_setting('wal_block_size')
FROM (
        SELECT r.standby, CASE WHEN r.standby
            THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_flush_lsn() END AS lsn
        FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby OFFSET 0) AS r
        OFFSET 0
    ) AS at,
    pg_catalog.pg_control_system() AS s";

/// What a server has said about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// When it was asked.
    pub(super) at: Instant,
    /// Whether it is in recovery, as a replica is.
    pub(super) is_standby: bool,
    /// The end of what it has replayed, or as a primary flushed.
    pub(super) position: WalPosition,
    /// What no other server has: the start of its process, and its address.
    pub(super) identity: String,
    /// The database that the connection is to.
    pub(super) database: String,
}

impl Look {
    /// Asks the server of a connection.
    pub(super) async fn at(connection: &mut PgConnection) -> Result<Self> {
        // Taken before: what it says was so at this time or later.
        let at = Instant::now();
        Statement::new(LOOK, Operation::ReadPosition)
            .fetch_one(connection, |row| Self::read(row, at))
            .await
    }

    fn read(row: &PgRow, at: Instant) -> sqlx::Result<Self> {
        let is_standby = row.try_get(0)?;
        let lsn: Option<String> = row.try_get(1)?;
        let lsn = lsn.as_deref().unwrap_or("0/0");
        let [control, place, block] = [2, 3, 6].map(|column| row.try_get(column));
        let [control, place, block]: [String; 3] = [control?, place?, block?];
        let position = if is_standby {
            WalPosition::replayed(&control, lsn, &place)
        } else {
            WalPosition::written(&control, lsn, &place, &block)
        };
        let unexpected = || format!("position {control} {lsn} {place} {block}");
        Ok(Self {
            at,
            is_standby,
            position: position.ok_or_else(|| sqlx::Error::Decode(unexpected().into()))?,
            identity: row.try_get(4)?,
            database: row.try_get(5)?,
        })
    }
}

/// A server, with its last look. All connections that lead to it share this.
#[derive(Debug)]
pub(super) struct Server {
    last: Mutex<Look>,
}

impl Server {
    pub(super) fn new(look: Look) -> Self {
        Self {
            last: Mutex::new(look),
        }
    }

    pub(super) fn last(&self) -> Look {
        lock(&self.last).clone()
    }

    /// Whether a look is of this server.
    pub(super) fn is(&self, look: &Look) -> bool {
        let last = lock(&self.last);
        last.identity == look.identity && last.database == look.database
    }

    /// Notes a look. Of two that were sent at the same time, either may arrive last.
    pub(super) fn note(&self, look: Look) {
        let mut last = lock(&self.last);
        // A server is promoted, and begins a timeline, but does not go back to either without a restart,
        // which makes another server of it.
        let order = |look: &Look| (!look.is_standby, look.position.timeline, look.position.lsn);
        if order(&look) >= order(&last) {
            *last = look;
        }
    }
}
