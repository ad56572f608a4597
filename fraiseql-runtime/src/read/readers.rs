//! `Readers`: a pool for reads, which may lend its connections from one read to the next.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

use crate::read::lending::{Lender, Loan};

/// A pool for reads, which may lend its connections from one read to the next.
///
/// By default each read takes a connection from the pool and returns it, and sqlx then pings the
/// server: two round trips for a document. With [`lending`](Self::lending), a connection that a
/// read has finished with goes to the next read that waits for one, or is kept for some
/// milliseconds for the next read that comes. After that it returns to the pool, so that other
/// users of the pool do not wait for long; the last idle connection is never kept.
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
}

impl Readers {
    /// Reads that lend connections of this pool to each other. Clones share the connections.
    #[must_use]
    pub fn lending(pool: PgPool) -> Self {
        let lender = Lender::new(pool.clone());
        Self {
            pool,
            lender: Some(Arc::new(lender)),
        }
    }

    /// The pool itself.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
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
        Self { pool, lender: None }
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers")
            .field("pool", &self.pool)
            .field("lending", &self.lender.is_some())
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
