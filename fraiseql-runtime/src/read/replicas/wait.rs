//! Waits until a replica has replayed a position.
//!
//! All reads that wait for one replica share one task, which asks it in short intervals, or by `WAIT FOR
//! LSN` where PostgreSQL has that. It ends when nobody waits any more.

use std::sync::Arc;
use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx_core::rt;

use crate::db::telemetry;
use crate::db::wal_position::WalPosition;
use crate::read::readers::ReaderConnection;
use crate::read::replicas::replica::Replica;
use crate::read::replicas::set::ReplicaSet;

/// The first pause between two looks, which doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const MAX_PAUSE: Duration = Duration::from_millis(4);

/// The version that has `WAIT FOR LSN`.
const WAIT_FOR_LSN: u32 = 190_000;
/// How long one such statement waits. A read that comes meanwhile may wait for an earlier position.
const STATEMENT_WAIT: Duration = Duration::from_millis(20);

impl Replica {
    /// Waits until this replica has replayed a position. False if that takes too long, or cannot be
    /// found out.
    pub(super) async fn wait(self: &Arc<Self>, set: &Arc<ReplicaSet>, wanted: WalPosition) -> bool {
        let (arrival, is_watched) = self.waits.add(wanted);
        if !is_watched {
            let (replica, set) = (Arc::clone(self), Arc::clone(set));
            rt::spawn(async move { replica.watch(&set).await });
        }
        matches!(
            rt::timeout(set.settings.max_wait, arrival).await,
            Ok(Ok(()))
        )
    }

    /// Looks at this replica until nobody waits for it.
    async fn watch(&self, set: &ReplicaSet) {
        let mut pause = FIRST_PAUSE;
        while let Some(next) = self.waits.next() {
            // Between two looks the connection is free for reads.
            let Some((mut connection, _)) = self.connect().await else {
                return self.waits.give_up();
            };
            if connection.server_version_num() >= Some(WAIT_FOR_LSN) {
                wait_for_lsn(&mut connection, next).await;
            }
            let Ok(server) = self.look(&mut connection).await else {
                return self.waits.give_up();
            };
            connection.give_back();
            let look = server.last();
            if !set.may_answer(&look) {
                return self.waits.give_up();
            }
            if self.waits.wake(|wanted| set.has(&look, wanted)) {
                pause = FIRST_PAUSE;
            }
            rt::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

/// Waits in the server. It does not compare timelines, so that a look follows; if it fails, there was no
/// wait, and the look comes in the next interval.
async fn wait_for_lsn(connection: &mut ReaderConnection, wanted: WalPosition) {
    let (high, low) = (wanted.lsn >> 32, wanted.lsn & 0xFFFF_FFFF);
    let milliseconds = STATEMENT_WAIT.as_millis();
    let sql =
        format!("WAIT FOR LSN '{high:X}/{low:X}' WITH (TIMEOUT '{milliseconds}ms', NO_THROW)");
    telemetry::statement(&sql);
    let _ = sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut **connection)
        .await;
}
