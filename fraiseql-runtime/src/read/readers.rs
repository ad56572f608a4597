//! Connections for reads, which are lent from one read to the next.
//!
//! A pool asks the server whether a connection is well each time it gets one back: a round trip
//! for each read, as long as the read of a document itself. Where the next read is waiting, or is
//! here in a moment, the connection need not be given back in between.

use std::collections::VecDeque;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use sqlx_core::rt;

use crate::db::mutex::lock;

/// How long a connection is kept from the pool, from read to read. Whoever waits for the pool
/// itself waits no longer than that for a connection that reads have.
const LEASE: Duration = Duration::from_millis(20);

/// Where documents are read: a pool, whose connections may be lent from one read to the next.
///
/// By default each read takes a connection from the pool and gives it back, and sqlx then asks
/// the server whether that is well: two round trips for a document. With
/// [`lending`](Self::lending), a connection that a read has done with goes to the next that waits
/// for one, or for some milliseconds to the next that comes. After that the pool gets it back, so
/// that nobody who waits there is left waiting; the last connection that is idle is never kept.
///
/// Between reads, the pool does not see to a connection: one that is lost meanwhile fails the next
/// read. Nor are its hooks called: do not lend where `before_acquire` or `after_release` set what
/// a session may see.
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
    lending: Option<Arc<Lending>>,
}

impl Readers {
    /// Reads that lend connections of this pool to each other. A clone lends to the same.
    #[must_use]
    pub fn lending(pool: PgPool) -> Self {
        let lending = Lending {
            most: pool.options().get_max_connections(),
            patience: pool.options().get_acquire_timeout(),
            pool: pool.clone(),
            state: Mutex::default(),
        };
        Self {
            pool,
            lending: Some(Arc::new(lending)),
        }
    }

    /// The pool itself.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) async fn acquire(&self) -> sqlx::Result<Reader> {
        Ok(match &self.lending {
            None => Reader::Own(self.pool.acquire().await?),
            Some(lending) => Reader::Lent(Lending::borrow(lending).await?),
        })
    }
}

/// Each read takes a connection, and gives it back.
impl From<PgPool> for Readers {
    fn from(pool: PgPool) -> Self {
        Self {
            pool,
            lending: None,
        }
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers")
            .field("pool", &self.pool)
            .field("lending", &self.lending.is_some())
            .finish()
    }
}

/// The connection of one read. Dropped, it goes back to the pool, which sees whether it is well.
pub(super) enum Reader {
    Own(PoolConnection<Postgres>),
    Lent(Lent),
}

impl Reader {
    /// The read is over, and all of its answer was taken.
    pub(super) fn give_back(self) {
        if let Self::Lent(lent) = self {
            lent.give_back();
        }
    }
}

impl Deref for Reader {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Own(connection) => connection,
            Self::Lent(lent) => &lent.taken().connection,
        }
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Own(connection) => connection,
            Self::Lent(lent) => &mut lent.taken.as_mut().expect(UNTIL_GIVEN).connection,
        }
    }
}

struct Lending {
    pool: PgPool,
    /// Reads have so many connections at most.
    most: u32,
    /// How long a read waits for one.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Places that are taken: by reads that have a connection or wait for one at the pool, and by
    /// connections that are kept.
    places: u32,
    /// Of these, by reads that wait at the pool.
    acquiring: u32,
    kept: Vec<Taken>,
    /// Reads that wait for a connection, or for a place to wait at the pool.
    waiting: VecDeque<oneshot::Sender<Lent>>,
    /// A task is there that gives back what was kept for too long.
    is_watched: bool,
}

/// A connection of the pool, and since when.
struct Taken {
    connection: PoolConnection<Postgres>,
    since: Instant,
}

/// A place, with a connection unless that is waited for.
pub(super) struct Lent {
    taken: Option<Taken>,
    has_place: bool,
    lending: Arc<Lending>,
}

const UNTIL_GIVEN: &str = "it is there until it is given back";

impl Lending {
    async fn borrow(this: &Arc<Self>) -> sqlx::Result<Lent> {
        let place = {
            let mut state = lock(&this.state);
            if let Some(taken) = state.kept.pop() {
                return Ok(Lent::of(this, Some(taken)));
            }
            if state.places < this.most {
                state.places += 1;
                Ok(Lent::of(this, None))
            } else {
                let (sender, turn) = oneshot::channel();
                state.waiting.push_back(sender);
                Err(turn)
            }
        };
        let lent = match place {
            Ok(place) => place,
            Err(turn) => match rt::timeout(this.patience, turn).await {
                Ok(Ok(lent)) => lent,
                _ => return Err(sqlx::Error::PoolTimedOut),
            },
        };
        if lent.taken.is_some() {
            return Ok(lent);
        }
        let mut waiting = Acquiring::new(lent);
        let connection = this.pool.acquire().await?;
        Ok(waiting.have(connection))
    }

    /// Gives back what was kept for too long, until nothing is kept.
    async fn watch(this: Weak<Self>) {
        loop {
            rt::sleep(LEASE).await;
            let Some(this) = this.upgrade() else { return };
            let (over, is_watched) = {
                let mut state = lock(&this.state);
                let is_over = |taken: &Taken| taken.since.elapsed() >= LEASE;
                let (over, kept) = state.kept.drain(..).partition::<Vec<_>, _>(is_over);
                state.kept = kept;
                state.is_watched = !state.kept.is_empty();
                (over, state.is_watched)
            };
            over.into_iter()
                .for_each(|taken| drop(Lent::of(&this, Some(taken))));
            if !is_watched {
                return;
            }
        }
    }
}

/// A place whose connection is waited for. Who no longer waits leaves it to others.
struct Acquiring(Option<Lent>);

impl Acquiring {
    fn new(place: Lent) -> Self {
        lock(&place.lending.state).acquiring += 1;
        Self(Some(place))
    }

    fn have(&mut self, connection: PoolConnection<Postgres>) -> Lent {
        let mut lent = self.end().expect("it is waited for once");
        lent.taken = Some(Taken {
            connection,
            since: Instant::now(),
        });
        lent
    }

    fn end(&mut self) -> Option<Lent> {
        let lent = self.0.take()?;
        lock(&lent.lending.state).acquiring -= 1;
        Some(lent)
    }
}

impl Drop for Acquiring {
    fn drop(&mut self) {
        self.end();
    }
}

impl Lent {
    fn of(lending: &Arc<Lending>, taken: Option<Taken>) -> Self {
        Self {
            taken,
            has_place: true,
            lending: Arc::clone(lending),
        }
    }

    fn taken(&self) -> &Taken {
        self.taken.as_ref().expect(UNTIL_GIVEN)
    }

    /// To the next read, or to the pool.
    fn give_back(self) {
        let lending = Arc::clone(&self.lending);
        if self.taken().since.elapsed() >= LEASE || lending.pool.is_closed() {
            return;
        }
        let mut state = lock(&lending.state);
        let Some(mut left) = self.hand_over(&mut state) else {
            return;
        };
        // Else somebody may wait at the pool.
        if state.acquiring == 0 && lending.pool.num_idle() > 0 {
            state.kept.extend(left.taken.take());
            left.has_place = false;
            if !std::mem::replace(&mut state.is_watched, true) {
                rt::spawn(Lending::watch(Arc::downgrade(&lending)));
            }
        }
        // Before the connection is dropped, which takes the lock.
        drop(state);
    }

    /// To the next read that still waits.
    fn hand_over(mut self, state: &mut State) -> Option<Self> {
        while let Some(next) = state.waiting.pop_front() {
            self = next.send(self).err()?;
        }
        Some(self)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // First the connection, so that who comes next finds it at the pool.
        self.taken.take();
        if !std::mem::take(&mut self.has_place) {
            return;
        }
        let lending = Arc::clone(&self.lending);
        let mut state = lock(&lending.state);
        if let Some(mut left) = Self::of(&lending, None).hand_over(&mut state) {
            left.has_place = false;
            state.places -= 1;
        }
    }
}
