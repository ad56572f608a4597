//! Targets of a migration: a pool, a connection, a transaction.

use std::future::Future;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::db::lease::Lease;
use crate::error::Result;
use crate::ops::migrate::concurrent;
use crate::ops::migrate::migration::Migration;
use crate::ops::migrate::run::{MigrateRequest, Migrated, run};

/// The target of a migration: `&PgPool`, `&mut PgConnection`, `&mut Transaction` or
/// `&mut PoolConnection`.
///
/// Behind a pooler such as PgBouncer, pass a pool of at least two connections: see
/// [`ReadModel::migrate`](crate::ReadModel::migrate).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
/// let blog = ReadModel::builder().view::<Post>().build()?;
/// let mut tx = pool.begin().await?;
/// let created = blog.migrate(&mut tx).await?.created;
/// tx.rollback().await?; // and what was created is gone
/// assert_eq!(blog.migrate(&pool).await?.created, created);
/// # Ok(()) }) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a database to migrate",
    label = "expected `&PgPool`, `&mut PgConnection` or `&mut Transaction`",
    note = "a pool is passed as `&pool`, a transaction as `&mut tx`"
)]
pub trait MigrateTarget: Send {
    #[doc(hidden)]
    fn migrate(self, request: MigrateRequest<'_>)
    -> impl Future<Output = Result<Migration>> + Send;
}

impl MigrateTarget for &PgPool {
    async fn migrate(self, request: MigrateRequest<'_>) -> Result<Migration> {
        let mut connection = Lease::acquire(self, "migrate").await?;
        let result = run(request, &mut connection).await;
        // Given back before the lock of the last phase is waited for.
        connection.release();
        let Migrated {
            mut migration,
            deferred,
        } = result?;
        concurrent::on_pool(self, deferred, &mut migration).await?;
        Ok(migration)
    }
}

impl MigrateTarget for &mut PgConnection {
    async fn migrate(self, request: MigrateRequest<'_>) -> Result<Migration> {
        let Migrated {
            mut migration,
            deferred,
        } = run(request, self).await?;
        concurrent::on_connection(self, deferred, &mut migration).await?;
        Ok(migration)
    }
}

impl MigrateTarget for &mut Transaction<'_, Postgres> {
    async fn migrate(self, request: MigrateRequest<'_>) -> Result<Migration> {
        (&mut **self).migrate(request).await
    }
}

impl MigrateTarget for &mut PoolConnection<Postgres> {
    async fn migrate(self, request: MigrateRequest<'_>) -> Result<Migration> {
        (&mut **self).migrate(request).await
    }
}
