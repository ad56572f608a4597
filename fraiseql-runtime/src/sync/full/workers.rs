//! The workers of a full sync: on a pool, on one connection, or on both.

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use sqlx::{PgConnection, PgPool};

use crate::db::lease::Lease;
use crate::error::Result;
use crate::sync::full::run::FullSyncRun;
use crate::sync::full::settings::FullSyncSettings;
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;
use crate::sync::session::Session;
use crate::sync::watch::Watch;
use crate::view::Handle;

/// How often in a row a worker replaces a lost connection without finishing a chunk.
const MAX_RECONNECTS: usize = 3;
/// What a connection is acquired for, in errors.
const PURPOSE: &str = "sync";

/// Runs a full sync on the connections of a pool.
pub(crate) async fn on_pool(
    pool: &PgPool,
    view: Handle,
    settings: FullSyncSettings<'_>,
    watch: &Watch<'_>,
) -> Result<SyncReport> {
    let connections = settings.connections.min(max_connections(pool));
    let run = FullSyncRun::new(view, settings)?;
    let workers = (0..connections)
        .map(|worker| run.work_on_pool(pool, worker > 0, watch).boxed())
        .collect();
    run.join(workers).await?;
    Ok(run.take_report())
}

/// Runs a full sync on a connection of the caller and further ones of a pool.
///
/// Returns a report also after an error. A lost connection of the caller is an error: what it
/// holds, such as the lock of a rebuild, is lost with it.
pub(crate) async fn on_connection_and_pool(
    connection: &mut PgConnection,
    pool: &PgPool,
    view: Handle,
    settings: FullSyncSettings<'_>,
    watch: &Watch<'_>,
) -> (SyncReport, Result<()>) {
    let further = settings
        .connections
        .min(max_connections(pool))
        .saturating_sub(1);
    let run = match FullSyncRun::new(view, settings) {
        Ok(run) => run,
        Err(error) => return (SyncReport::default(), Err(error)),
    };
    let first = async {
        let mut session = Session::own(connection, Mode::Full, watch).with_peers(run.peers);
        let mut chunk = None;
        while run.sync_chunk(&mut session, &mut chunk).await? {}
        Ok(())
    };
    let further = (0..further).map(|_| run.work_on_pool(pool, true, watch).boxed());
    let workers = std::iter::once(first.boxed()).chain(further).collect();
    let result = run.join(workers).await;
    (run.take_report(), result)
}

/// Runs a full sync on one session.
pub(crate) async fn on_connection(
    session: &mut Session<'_>,
    view: Handle,
    settings: FullSyncSettings<'_>,
) -> Result<SyncReport> {
    let run = FullSyncRun::new(view, settings)?;
    let mut chunk = None;
    while run.sync_chunk(session, &mut chunk).await? {}
    Ok(run.take_report())
}

fn max_connections(pool: &PgPool) -> usize {
    usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX)
}

impl FullSyncRun<'_> {
    /// Waits for the workers, and returns the first error.
    async fn join(&self, mut workers: FuturesUnordered<BoxFuture<'_, Result<()>>>) -> Result<()> {
        let mut failed = None;
        while let Some(result) = workers.next().await {
            if let Err(error) = result {
                // The others finish the chunks that they have taken.
                self.state().end();
                failed.get_or_insert(error);
            }
            // The remaining workers may wait for a connection of a busy pool, without anything left
            // to do on it.
            if self.state().is_over() {
                break;
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Works on a connection of the pool. A `further` worker that gets no connection does nothing:
    /// the others do its work.
    async fn work_on_pool(&self, pool: &PgPool, further: bool, watch: &Watch<'_>) -> Result<()> {
        let mut connection = match Lease::acquire(pool, PURPOSE).await {
            Err(_) if further => return Ok(()),
            result => result?,
        };
        let result = self.work_on_lease(&mut connection, pool, watch).await;
        connection.release();
        result
    }

    /// Syncs chunks until none is left. A lost connection is replaced by another of the pool.
    async fn work_on_lease(
        &self,
        connection: &mut Lease,
        pool: &PgPool,
        watch: &Watch<'_>,
    ) -> Result<()> {
        let mut chunk = None;
        let mut reconnects = 0;
        loop {
            let mut session = Session::own(connection, Mode::Full, watch).with_peers(self.peers);
            match self.sync_chunk(&mut session, &mut chunk).await {
                Ok(true) => reconnects = 0,
                Ok(false) => return Ok(()),
                Err(error) if error.is_lost_connection() && reconnects < MAX_RECONNECTS => {
                    reconnects += 1;
                    // The old lease is dropped, which closes what is left of its connection.
                    *connection = Lease::acquire(pool, PURPOSE).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
