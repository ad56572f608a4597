//! `ReadTarget`: pools, connections and transactions that documents can be read from.

use std::future::Future;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::db::scope::TransactionScope;
use crate::error::{Error, Result};
use crate::read::by_key::{self, KeyRead};
use crate::read::error::read_failed;
use crate::read::list_rows::{self, ListRead, ListRow};
use crate::read::readers::Readers;
use crate::read::replicas::Replicas;
use crate::sync::observed::Observed;
use crate::view::Handle;

/// Where documents are read: `&PgPool`, [`&Readers`](Readers),
/// [`&Replicas`](crate::Replicas), `&mut PgConnection`,
/// `&mut Transaction` and `&mut PoolConnection`; and [`blog.on(target)`](crate::ReadModel::on), for a
/// read model in [another schema](crate::ReadModel::in_schema).
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
/// assert!(Post::find(&pool, 7).await?.is_none()); // what other transactions see
/// # Ok(()) }) }
/// ```
#[diagnostic::on_unimplemented(
    message = "documents cannot be read from `{Self}`",
    label = "expected `&PgPool`, `&mut PgConnection` or `&mut Transaction`",
    note = "a pool is passed as `&pool`, a transaction as `&mut tx`"
)]
pub trait ReadTarget: Send {
    /// Reads documents by key. Returns rows of a document and the ordinal of its key, in the order
    /// of the keys.
    #[doc(hidden)]
    fn read(self, read: KeyRead) -> impl Future<Output = Result<Vec<PgRow>>> + Send;

    /// The view whose documents are read here: a declared view, or its copy in another schema.
    #[doc(hidden)]
    fn view(&self, view: Handle) -> Handle {
        view
    }

    /// Reads the documents of a list, in its order.
    #[doc(hidden)]
    fn list(self, list: ListRead) -> impl Future<Output = Result<Vec<ListRow>>> + Send;
}

/// Refuses a read whose limit other reads have used up while it waited for a connection.
fn check_limit(list: &ListRead) -> Result<()> {
    match &list.max_bytes {
        Some(limit) if !limit.take(0) => Err(Error::TooManyBytes {
            table: list.view().view.relation().to_string(),
            max: limit.max(),
        }),
        _ => Ok(()),
    }
}

impl ReadTarget for &PgPool {
    async fn read(self, read: KeyRead) -> Result<Vec<PgRow>> {
        let mut connection = self.acquire().await.map_err(read_failed(read.view))?;
        by_key::rows(&mut connection, &read, TransactionScope::Own).await
    }

    async fn list(self, list: ListRead) -> Result<Vec<ListRow>> {
        let mut connection = self.acquire().await.map_err(read_failed(list.view()))?;
        check_limit(&list)?;
        let result = list_rows::rows(&mut connection, list, TransactionScope::Own).await;
        if matches!(result, Err(Error::TooManyBytes { .. })) {
            // The rest may be any number of rows, which the next user of the connection would have
            // to receive.
            drop(connection.detach());
        }
        result
    }
}

impl ReadTarget for &Readers {
    fn view(&self, view: Handle) -> Handle {
        self.in_its_schema(view)
    }

    async fn read(self, read: KeyRead) -> Result<Vec<PgRow>> {
        if let Some(routed) = self.routed() {
            return routed.read(read).await;
        }
        match self.key_batches().filter(|_| read.is_single()) {
            Some(batches) => batches.read(self, read).await,
            None => self.read_now(read).await,
        }
    }

    async fn list(self, list: ListRead) -> Result<Vec<ListRow>> {
        if let Some(routed) = self.routed() {
            return routed.list(list).await;
        }
        let mut reader = self.acquire().await.map_err(read_failed(list.view()))?;
        if let Err(error) = check_limit(&list) {
            reader.give_back();
            return Err(error);
        }
        let result = list_rows::rows(&mut reader, list, TransactionScope::Own).await;
        match result {
            Ok(_) => reader.give_back(),
            Err(Error::TooManyBytes { .. }) => reader.close(),
            Err(_) => {}
        }
        result
    }
}

impl ReadTarget for &mut PgConnection {
    async fn read(self, read: KeyRead) -> Result<Vec<PgRow>> {
        by_key::rows(self, &read, TransactionScope::Caller).await
    }

    async fn list(self, list: ListRead) -> Result<Vec<ListRow>> {
        list_rows::rows(self, list, TransactionScope::Caller).await
    }
}

impl ReadTarget for &mut Transaction<'_, Postgres> {
    async fn read(self, read: KeyRead) -> Result<Vec<PgRow>> {
        by_key::rows(self, &read, TransactionScope::Caller).await
    }

    async fn list(self, list: ListRead) -> Result<Vec<ListRow>> {
        list_rows::rows(self, list, TransactionScope::Caller).await
    }
}

impl ReadTarget for &mut PoolConnection<Postgres> {
    async fn read(self, read: KeyRead) -> Result<Vec<PgRow>> {
        by_key::rows(self, &read, TransactionScope::Caller).await
    }

    async fn list(self, list: ListRead) -> Result<Vec<ListRow>> {
        list_rows::rows(self, list, TransactionScope::Caller).await
    }
}

impl<T: ReadTarget> ReadTarget for Observed<T> {
    fn view(&self, view: Handle) -> Handle {
        self.parts().0.view(view.in_schema(self.schema()))
    }

    async fn read(self, read: KeyRead) -> Result<Vec<PgRow>> {
        self.into_inner().read(read).await
    }

    async fn list(self, list: ListRead) -> Result<Vec<ListRow>> {
        self.into_inner().list(list).await
    }
}

/// For each target that can be held, and not for all at once: functions of users that are generic over
/// a held target would not compile, as the compiler would look for `&Observed<Observed<..>>` without end.
macro_rules! held {
    ($($target:ty),*) => {
        $(impl ReadTarget for &Observed<$target> {
            fn view(&self, view: Handle) -> Handle {
                (&self.parts().0).view(view.in_schema(self.schema()))
            }

            async fn read(self, read: KeyRead) -> Result<Vec<PgRow>> {
                self.parts().0.read(read).await
            }

            async fn list(self, list: ListRead) -> Result<Vec<ListRow>> {
                self.parts().0.list(list).await
            }
        })*
    };
}

held!(PgPool, Readers, Replicas);
