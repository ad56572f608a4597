//! `Readers`: a pool for reads, which may lend its connections from one read to the next.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Postgres};

use crate::db::scope::TransactionScope;
use crate::db::wal_position::WalPosition;
use crate::error::Result;
use crate::read::by_key::{self, KeyRead};
use crate::read::error::read_failed;
use crate::read::key_batches::{KeyBatches, max_running};
use crate::read::lending::{Lender, Loan};
use crate::read::list_rows::{ListRead, ListRow};
use crate::read::server::Server;
use crate::schema::default_schema::DefaultSchema;
use crate::view::Handle;

/// A pool for reads, which may lend its connections from one read to the next.
///
/// By default each read takes a connection from the pool and returns it, and sqlx then pings the
/// server: two round trips for a document. With [`lending`](Self::lending), a connection that a
/// read has finished with goes to the next read that waits for one, or is kept for some
/// milliseconds for the next read that comes. After that it returns to the pool, so that other
/// users of the pool do not wait for long; the last idle connection is never kept.
///
/// Reads of single documents that would wait for each other are one statement: at most half of the pool's connections, and at
/// least one, read documents of one view and tenant at a time. Those that come meanwhile wait for the first of these
/// to end, and the next statement reads up to 32 documents for as many of them. Each sees what was committed before it
/// came. If the statement fails, or none of them ends for 50 ms, they read alone. See
/// [requests at the same time](crate::guide::serving#requests-at-the-same-time).
///
/// Between reads, the pool does not test a connection: one that is lost meanwhile fails the next
/// read. Nor are the pool's hooks called: do not lend if `before_acquire` or `after_release` set
/// what a session may see.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post VALUES (7, 'Notes')", async |pool| {
/// # migrate::<Post>(&pool).await;
/// # sync_all_posts(&pool).await?;
/// use fraiseql_runtime::Readers;
///
/// let readers = Readers::lending(pool);
/// let post = Post::find(&readers, 7).await?.unwrap(); // as on the pool
/// assert_eq!(post.title, "Notes");
/// # Ok(()) }) }
/// ```
#[derive(Clone)]
pub struct Readers {
    pool: PgPool,
    lender: Option<Arc<Lender>>,
    /// Coalesces reads of single documents.
    key_batches: Option<Arc<KeyBatches>>,
    /// If the reads go to several servers, `pool` is that of the primary.
    routed: Option<Arc<dyn Routed>>,
    /// The schema of the documents, if it was set.
    schema: Option<DefaultSchema>,
}

/// Reads that choose a server.
pub(super) trait Routed: fmt::Debug + Send + Sync {
    fn read(&self, read: KeyRead) -> BoxFuture<'_, Result<Vec<PgRow>>>;

    fn list(&self, list: ListRead) -> BoxFuture<'_, Result<Vec<ListRow>>>;

    /// The same, for reads that see everything before a position.
    fn at_least(&self, position: Option<WalPosition>) -> Arc<dyn Routed>;
}

impl Readers {
    /// Reads that lend connections of this pool to each other. Clones share the connections.
    #[must_use]
    pub fn lending(pool: PgPool) -> Self {
        let lender = Lender::new(pool.clone());
        Self {
            key_batches: Some(Arc::new(KeyBatches::new(&pool))),
            pool,
            lender: Some(Arc::new(lender)),
            routed: None,
            schema: None,
        }
    }

    pub(super) fn of_routed(primary: PgPool, routed: Arc<dyn Routed>) -> Self {
        Self {
            routed: Some(routed),
            ..Self::from(primary)
        }
    }

    /// The same, for reads that see everything before a position: see
    /// [`Replicas::at_least`](crate::Replicas::at_least). On a pool it changes nothing.
    #[must_use]
    pub fn at_least(&self, position: impl Into<Option<WalPosition>>) -> Self {
        let position = position.into();
        let routed = self.routed.as_ref();
        Self {
            routed: routed.map(|routed| routed.at_least(position)),
            ..self.clone()
        }
    }

    pub(super) fn routed(&self) -> Option<&dyn Routed> {
        self.routed.as_deref()
    }

    /// The same, for reads in a schema: see [`ReadModel::readers`](crate::ReadModel::readers).
    pub(crate) fn in_schema(self, schema: DefaultSchema) -> Self {
        let schema = Some(schema);
        Self { schema, ..self }
    }

    /// The view in the schema of these reads.
    pub(super) fn in_its_schema(&self, view: Handle) -> Handle {
        self.schema.map_or(view, |schema| view.in_schema(schema))
    }

    /// The pool itself, or that of the primary.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) fn key_batches(&self) -> Option<&KeyBatches> {
        self.key_batches.as_deref()
    }

    /// Reads on a connection of the pool, at once.
    pub(super) async fn read_now(&self, read: KeyRead) -> Result<Vec<PgRow>> {
        let mut reader = self.acquire().await.map_err(read_failed(read.view))?;
        let rows = by_key::rows(&mut reader, &read, TransactionScope::Own).await?;
        // After an error, or if this future is dropped, `Drop` returns the connection to the pool,
        // which tests it.
        reader.give_back();
        Ok(rows)
    }

    /// How many connections of the pool the reads that [`Coalescer`](crate::__graphql::Coalescer) takes for one may
    /// have.
    #[doc(hidden)]
    #[must_use]
    pub fn max_running(&self) -> usize {
        max_running(&self.pool)
    }

    pub(super) async fn acquire(&self) -> sqlx::Result<ReaderConnection> {
        Ok(match &self.lender {
            None => ReaderConnection::Pooled(self.pool.acquire().await?),
            Some(lender) => ReaderConnection::Lent(Lender::borrow(lender).await?),
        })
    }
}

/// Each read takes a connection from the pool, and returns it.
impl From<PgPool> for Readers {
    fn from(pool: PgPool) -> Self {
        Self {
            pool,
            lender: None,
            key_batches: None,
            routed: None,
            schema: None,
        }
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers")
            .field("pool", &self.pool)
            .field("lending", &self.lender.is_some())
            .field("key_batches", &self.key_batches)
            .field("routed", &self.routed)
            .finish()
    }
}

/// The connection of one read. If dropped, it returns to the pool, which tests it.
pub(super) enum ReaderConnection {
    Pooled(PoolConnection<Postgres>),
    Lent(Loan),
}

impl ReaderConnection {
    /// Ends a read whose rows have all been received, so that the connection can be lent again.
    pub(super) fn give_back(self) {
        if let Self::Lent(loan) = self {
            loan.give_back();
        }
    }

    /// Ends a read that was stopped before it had received all rows. The rest may be any number of
    /// rows, which the next user of the connection would have to receive.
    pub(super) fn close(self) {
        match self {
            Self::Pooled(connection) => drop(connection.detach()),
            Self::Lent(loan) => loan.close(),
        }
    }
}

impl ReaderConnection {
    /// The server that the connection leads to, if that was asked since it was taken from the pool.
    pub(super) fn server(&self) -> Option<&Arc<Server>> {
        match self {
            Self::Pooled(_) => None,
            Self::Lent(loan) => loan.server(),
        }
    }

    /// Notes the server for the reads that the connection is lent to next.
    pub(super) fn set_server(&mut self, server: Arc<Server>) {
        if let Self::Lent(loan) = self {
            loan.set_server(server);
        }
    }
}

impl Deref for ReaderConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Lent(loan) => loan.connection(),
        }
    }
}

impl DerefMut for ReaderConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Lent(loan) => loan.connection_mut(),
        }
    }
}
