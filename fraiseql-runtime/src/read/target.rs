//! Where documents can be read.

use std::future::Future;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::db::scope::TransactionScope;
use crate::error::Result;
use crate::read::listed;
use crate::read::listed::{ListRead, Listed};
use crate::read::readers::Readers;
use crate::read::{reading, stored};
use crate::schema::key::{Key, Keys};
use crate::view::Handle;

/// Where documents can be read: `&PgPool`, [`&Readers`](Readers), `&mut PgConnection`,
/// `&mut Transaction` and `&mut PoolConnection`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
/// # migrate::<Post>(&pool).await;
/// let mut tx = pool.begin().await?;
/// sync_post(&mut tx, &[7]).await?;
/// assert!(Post::find(&mut tx, 7).await?.is_some()); // what this transaction wrote
/// assert!(Post::find(&pool, 7).await?.is_none()); // what others see of it
/// # Ok(()) }) }
/// ```
#[diagnostic::on_unimplemented(
    message = "documents cannot be read from `{Self}`",
    label = "expected `&PgPool`, `&mut PgConnection` or `&mut Transaction`",
    note = "a pool is passed as `&pool`, a transaction as `&mut tx`"
)]
pub trait ReadTarget: Send {
    /// Rows of documents and of their places in the keys, in the order of these.
    #[doc(hidden)]
    fn read(self, read: Read) -> impl Future<Output = Result<Vec<PgRow>>> + Send;

    /// Documents of a list, in its order.
    #[doc(hidden)]
    fn list(self, list: ListRead) -> impl Future<Output = Result<Vec<Listed>>> + Send;
}

/// Documents that are to be read.
#[derive(Debug)]
pub struct Read {
    pub(super) view: Handle,
    pub(super) keys: Keys,
    pub(super) sql: &'static str,
}

impl Read {
    pub(super) fn one<K: Key>(view: Handle, key: &K) -> Self {
        Self {
            view,
            keys: K::collect(std::iter::once(key)),
            sql: &view.statements().read.find,
        }
    }

    pub(super) fn many<K: Key>(view: Handle, keys: &[K]) -> Self {
        Self {
            view,
            keys: K::collect(keys.iter()),
            sql: &view.statements().read.find_many,
        }
    }
}

impl ReadTarget for &PgPool {
    async fn read(self, read: Read) -> Result<Vec<PgRow>> {
        let mut connection = self.acquire().await.map_err(reading(read.view))?;
        stored::rows(&mut connection, &read, TransactionScope::Own).await
    }

    async fn list(self, list: ListRead) -> Result<Vec<Listed>> {
        let mut connection = self.acquire().await.map_err(reading(list.view))?;
        listed::rows(&mut connection, list, TransactionScope::Own).await
    }
}

impl ReadTarget for &Readers {
    async fn read(self, read: Read) -> Result<Vec<PgRow>> {
        let mut reader = self.acquire().await.map_err(reading(read.view))?;
        let rows = stored::rows(&mut reader, &read, TransactionScope::Own).await?;
        reader.give_back();
        Ok(rows)
    }

    async fn list(self, list: ListRead) -> Result<Vec<Listed>> {
        let mut reader = self.acquire().await.map_err(reading(list.view))?;
        let rows = listed::rows(&mut reader, list, TransactionScope::Own).await?;
        reader.give_back();
        Ok(rows)
    }
}

impl ReadTarget for &mut PgConnection {
    async fn read(self, read: Read) -> Result<Vec<PgRow>> {
        stored::rows(self, &read, TransactionScope::Caller).await
    }

    async fn list(self, list: ListRead) -> Result<Vec<Listed>> {
        listed::rows(self, list, TransactionScope::Caller).await
    }
}

impl ReadTarget for &mut Transaction<'_, Postgres> {
    async fn read(self, read: Read) -> Result<Vec<PgRow>> {
        stored::rows(self, &read, TransactionScope::Caller).await
    }

    async fn list(self, list: ListRead) -> Result<Vec<Listed>> {
        listed::rows(self, list, TransactionScope::Caller).await
    }
}

impl ReadTarget for &mut PoolConnection<Postgres> {
    async fn read(self, read: Read) -> Result<Vec<PgRow>> {
        stored::rows(self, &read, TransactionScope::Caller).await
    }

    async fn list(self, list: ListRead) -> Result<Vec<Listed>> {
        listed::rows(self, list, TransactionScope::Caller).await
    }
}
