//! Targets of a verification: a pool, a connection, a transaction.

use std::future::Future;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::db::lease::Lease;
use crate::db::scope::TransactionScope;
use crate::error::Result;
use crate::ops::verify::options::VerifyRequest;
use crate::ops::verify::report::VerifyReport;
use crate::ops::verify::run;
use crate::sync::observed::Observed;
use crate::sync::watch::Watch;

/// The target of a verification: `&PgPool`, `&mut PgConnection`, `&mut Transaction`,
/// `&mut PoolConnection`, or [`blog.on(target)`](crate::ReadModel::on), whose observers are notified
/// of repairs.
///
/// In a transaction, a verification sees uncommitted changes of that transaction, and restores its
/// session settings. If the future is dropped before it is ready, roll the transaction back.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
/// # migrate::<Post>(&pool).await;
/// let mut tx = pool.begin().await?;
/// sqlx::query("INSERT INTO tb_post VALUES (7, 'Notes')").execute(&mut *tx).await?;
/// assert_eq!(verify_post(&mut tx).await?.missing.of::<Post>(), [7]);
/// tx.rollback().await?;
/// assert!(verify_post(&pool).await?.is_clean());
/// # Ok(()) }) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no documents to verify",
    label = "expected `&PgPool`, `&mut PgConnection` or `&mut Transaction`",
    note = "a pool is passed as `&pool`, a transaction as `&mut tx`; a recorder stores nothing that could be verified"
)]
pub trait VerifyTarget: Send {
    #[doc(hidden)]
    fn verify(
        self,
        request: VerifyRequest<'_>,
        watch: &Watch<'_>,
    ) -> impl Future<Output = Result<Vec<VerifyReport>>> + Send;
}

impl VerifyTarget for &PgPool {
    async fn verify(
        self,
        request: VerifyRequest<'_>,
        watch: &Watch<'_>,
    ) -> Result<Vec<VerifyReport>> {
        let mut connection = Lease::acquire(self, "verify").await?;
        let result = run::all(&mut connection, TransactionScope::Own, request, watch).await;
        connection.release();
        result
    }
}

impl VerifyTarget for &mut PgConnection {
    async fn verify(
        self,
        request: VerifyRequest<'_>,
        watch: &Watch<'_>,
    ) -> Result<Vec<VerifyReport>> {
        run::all(self, TransactionScope::Caller, request, watch).await
    }
}

impl VerifyTarget for &mut Transaction<'_, Postgres> {
    async fn verify(
        self,
        request: VerifyRequest<'_>,
        watch: &Watch<'_>,
    ) -> Result<Vec<VerifyReport>> {
        run::all(self, TransactionScope::Caller, request, watch).await
    }
}

impl VerifyTarget for &mut PoolConnection<Postgres> {
    async fn verify(
        self,
        request: VerifyRequest<'_>,
        watch: &Watch<'_>,
    ) -> Result<Vec<VerifyReport>> {
        run::all(self, TransactionScope::Caller, request, watch).await
    }
}

impl<T: VerifyTarget> VerifyTarget for Observed<T> {
    async fn verify(self, request: VerifyRequest<'_>, _: &Watch<'_>) -> Result<Vec<VerifyReport>> {
        let request = request.in_schema(self.schema());
        let (target, observers) = self.into_parts();
        target.verify(request, &Watch::new(&observers)).await
    }
}

impl<'a, T: Sync> VerifyTarget for &'a Observed<T>
where
    &'a T: VerifyTarget,
{
    // Not an `async fn`: that one would hold `self`, whose `Send` is known for this lifetime only.
    fn verify(
        self,
        request: VerifyRequest<'_>,
        _: &Watch<'_>,
    ) -> impl Future<Output = Result<Vec<VerifyReport>>> + Send {
        let request = request.in_schema(self.schema());
        let (target, observers) = self.parts();
        async move { target.verify(request, &Watch::new(observers)).await }
    }
}
