//! Sync targets: pools, connections and transactions.

use std::future::Future;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::db::lease::Lease;
use crate::error::Result;
use crate::sync::dispatch;
use crate::sync::full::workers;
use crate::sync::report::SyncReport;
use crate::sync::request::SyncRequest;
use crate::sync::session::Session;
use crate::sync::watch::Watch;

/// A target of a sync: a pool, a connection, a transaction or a recorder.
///
/// | target | when | what it does |
/// |---|---|---|
/// | `&PgPool` | after the writer's commit | one guarded statement for each 500 documents, each its own transaction; documents that another sync wrote meanwhile are built again. Deadlocks and serialization failures are retried |
/// | `&mut PgConnection`, `&mut Transaction`, `&mut PoolConnection` | inside the writer's transaction | locks the rows that the documents are made of, then builds and writes them; the documents become visible with the writer's own changes, or not at all |
/// | `&Recorder` | in a unit test | records the call: [`Recorder`](crate::Recorder) |
/// | `blog.on(target)` | any of these | the same, reported to the observers and the log of a read model: [`ReadModel::on`](crate::ReadModel::on) |
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
/// # migrate::<Post>(&pool).await;
/// let mut tx = pool.begin().await?;
/// sqlx::query("INSERT INTO tb_post VALUES (7, 'Notes')").execute(&mut *tx).await?;
/// sync_post(&mut tx, &[7]).await?; // with the commit ..
/// tx.commit().await?;
/// # assert!(Post::find(&pool, 7).await?.is_some());
///
/// sqlx::query("DELETE FROM tb_post WHERE id = 7").execute(&pool).await?;
/// let report = sync_post(&pool, &[7]).await?; // .. or after it
/// assert_eq!(report.deleted, 1);
/// # Ok(()) }) }
/// ```
///
/// Inside a transaction the locks are held until it ends: sync last, just before the commit.
/// REPEATABLE READ is refused, because it would lose concurrent changes without an error. If the
/// future of a sync is dropped before it is ready, roll the transaction back: only some of the
/// documents may have been written.
///
/// Code that is generic over the target can be tested without a database. A function takes
/// `target: impl SyncTarget`. A service that syncs many times holds an `S` where
/// `for<'a> &'a S: SyncTarget`, which `PgPool`, `Recorder` and `Observed<PgPool>` are; see
/// [`Recorder`](crate::Recorder) for one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a target of a sync",
    label = "expected `&PgPool`, `&mut PgConnection` or `&mut Transaction`",
    note = "a pool is passed as `&pool`, a transaction as `&mut tx`, a recorder as `&recorder`"
)]
pub trait SyncTarget: Send {
    #[doc(hidden)]
    fn run(
        self,
        request: SyncRequest<'_>,
        watch: &Watch<'_>,
    ) -> impl Future<Output = Result<SyncReport>> + Send;
}

impl SyncTarget for &PgPool {
    async fn run(self, request: SyncRequest<'_>, watch: &Watch<'_>) -> Result<SyncReport> {
        let is_empty = match &request {
            SyncRequest::Sync { keys, .. } | SyncRequest::Delete { keys, .. } => keys.is_empty(),
            SyncRequest::Replace { .. } | SyncRequest::Full { .. } => false,
        };
        if is_empty || request.is_without_table() {
            // Nothing to do, and no reason to wait for a connection.
            return Ok(SyncReport::default());
        }
        if let SyncRequest::Full { view, settings } = request {
            return workers::on_pool(self, view, settings, watch).await;
        }
        let mut connection = Lease::acquire(self, "sync").await?;
        let mode = request.mode();
        let mut session = Session::own(&mut connection, mode, watch);
        let result = dispatch::run(&mut session, request).await;
        // Also after an error: the work has ended. If this future is dropped before, the connection
        // is closed.
        connection.release();
        result
    }
}

impl SyncTarget for &mut PgConnection {
    async fn run(self, request: SyncRequest<'_>, watch: &Watch<'_>) -> Result<SyncReport> {
        let mode = request.mode();
        let mut session = Session::in_caller_transaction(self, mode, watch);
        dispatch::run(&mut session, request).await
    }
}

impl SyncTarget for &mut Transaction<'_, Postgres> {
    async fn run(self, request: SyncRequest<'_>, watch: &Watch<'_>) -> Result<SyncReport> {
        let mode = request.mode();
        let mut session = Session::in_caller_transaction(self, mode, watch);
        dispatch::run(&mut session, request).await
    }
}

impl SyncTarget for &mut PoolConnection<Postgres> {
    async fn run(self, request: SyncRequest<'_>, watch: &Watch<'_>) -> Result<SyncReport> {
        let mode = request.mode();
        let mut session = Session::in_caller_transaction(self, mode, watch);
        dispatch::run(&mut session, request).await
    }
}
