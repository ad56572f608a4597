//! Lends the connections of a pool from one read to the next.
//!
//! A pool pings the server each time a connection is returned to it: a round trip for each read,
//! as long as the read of a document itself. If the next read waits already, or comes in a moment,
//! the connection need not be returned in between.
//!
//! *Permits* bound how many connections reads hold, as the pool bounds all users. Each loan has
//! one, and so has each connection that is kept between two reads. A read without a permit waits
//! in a queue here, and not at the pool, because only here it can be handed a connection.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use sqlx_core::rt;

use crate::mutex::lock;
use crate::read::server::Server;

/// How long a connection is away from the pool, over all reads that it is lent to. Other users of
/// the pool wait no longer than that for a connection that reads pass on.
const MAX_HOLD: Duration = Duration::from_millis(20);

const UNTIL_GIVEN_BACK: &str = "a loan has its connection until it is given back";

/// Lends the connections of one pool.
pub(super) struct Lender {
    pool: PgPool,
    /// The number of permits.
    max_connections: u32,
    /// How long a read waits for a permit.
    acquire_timeout: Duration,
    state: Mutex<LendingState>,
}

#[derive(Default)]
struct LendingState {
    /// Permits that are in use: by loans, and by the connections in `kept`.
    permits: u32,
    /// Loans that wait for a connection of the pool.
    acquiring: u32,
    /// Connections between two reads.
    kept: Vec<Borrowed>,
    /// Reads that wait for a loan, with or without a connection.
    waiting: VecDeque<oneshot::Sender<Loan>>,
    /// A task is running that returns kept connections to the pool.
    is_returning: bool,
}

/// A connection that was taken from the pool, and when.
struct Borrowed {
    connection: PoolConnection<Postgres>,
    since: Instant,
    /// The server that it leads to, if a read has asked. A pool may lead to several.
    server: Option<Arc<Server>>,
}

/// A permit to read, with a connection as soon as the pool has one.
pub(super) struct Loan {
    borrowed: Option<Borrowed>,
    has_permit: bool,
    lender: Arc<Lender>,
}

impl Lender {
    pub(super) fn new(pool: PgPool) -> Self {
        Self {
            max_connections: pool.options().get_max_connections(),
            acquire_timeout: pool.options().get_acquire_timeout(),
            pool,
            state: Mutex::default(),
        }
    }

    /// Waits for a connection: a kept one, one that another read gives back, or one of the pool.
    pub(super) async fn borrow(this: &Arc<Self>) -> sqlx::Result<Loan> {
        let loan_or_turn = {
            let mut state = lock(&this.state);
            if let Some(borrowed) = state.kept.pop() {
                // The permit of the kept connection passes to the loan.
                return Ok(Loan::new(this, Some(borrowed)));
            }
            if state.permits < this.max_connections {
                state.permits += 1;
                Ok(Loan::new(this, None))
            } else {
                let (sender, turn) = oneshot::channel();
                state.waiting.push_back(sender);
                Err(turn)
            }
        };
        let loan = match loan_or_turn {
            Ok(loan) => loan,
            // A loan that is sent at the moment of the timeout is dropped with `turn`, and passes
            // its permit on.
            Err(turn) => match rt::timeout(this.acquire_timeout, turn).await {
                Ok(Ok(loan)) => loan,
                _ => return Err(sqlx::Error::PoolTimedOut),
            },
        };
        if loan.borrowed.is_some() {
            return Ok(loan);
        }
        let mut acquiring = Acquiring::new(loan);
        let connection = this.pool.acquire().await?;
        Ok(acquiring.finish(connection))
    }

    /// Returns kept connections to the pool when they have been away for too long. Ends when none
    /// is kept.
    async fn return_kept(this: Weak<Self>) {
        loop {
            rt::sleep(MAX_HOLD).await;
            // If all `Readers` are dropped, so are the kept connections.
            let Some(this) = this.upgrade() else { return };
            let (expired, is_returning) = {
                let mut state = lock(&this.state);
                let is_expired = |borrowed: &Borrowed| borrowed.since.elapsed() >= MAX_HOLD;
                let (expired, kept) = state.kept.drain(..).partition::<Vec<_>, _>(is_expired);
                state.kept = kept;
                state.is_returning = !state.kept.is_empty();
                (expired, state.is_returning)
            };
            // As loans, whose `Drop` returns the connection and passes the permit on. It takes the
            // lock.
            expired
                .into_iter()
                .for_each(|borrowed| drop(Loan::new(&this, Some(borrowed))));
            if !is_returning {
                return;
            }
        }
    }
}

/// A loan that waits for a connection of the pool. Dropped, it passes its permit on.
struct Acquiring(Option<Loan>);

impl Acquiring {
    fn new(loan: Loan) -> Self {
        lock(&loan.lender.state).acquiring += 1;
        Self(Some(loan))
    }

    fn finish(&mut self, connection: PoolConnection<Postgres>) -> Loan {
        let mut loan = self.end().expect("a loan is acquired once");
        loan.borrowed = Some(Borrowed {
            connection,
            since: Instant::now(),
            server: None,
        });
        loan
    }

    fn end(&mut self) -> Option<Loan> {
        let loan = self.0.take()?;
        lock(&loan.lender.state).acquiring -= 1;
        Some(loan)
    }
}

impl Drop for Acquiring {
    fn drop(&mut self) {
        self.end();
    }
}

impl Loan {
    fn new(lender: &Arc<Lender>, borrowed: Option<Borrowed>) -> Self {
        Self {
            borrowed,
            has_permit: true,
            lender: Arc::clone(lender),
        }
    }

    fn borrowed(&self) -> &Borrowed {
        self.borrowed.as_ref().expect(UNTIL_GIVEN_BACK)
    }

    pub(super) fn connection(&self) -> &PgConnection {
        &self.borrowed().connection
    }

    pub(super) fn connection_mut(&mut self) -> &mut PgConnection {
        let borrowed = self.borrowed.as_mut().expect(UNTIL_GIVEN_BACK);
        &mut borrowed.connection
    }

    pub(super) fn server(&self) -> Option<&Arc<Server>> {
        self.borrowed().server.as_ref()
    }

    pub(super) fn set_server(&mut self, server: Arc<Server>) {
        let borrowed = self.borrowed.as_mut().expect(UNTIL_GIVEN_BACK);
        borrowed.server = Some(server);
    }

    /// Passes the connection to a read that waits, keeps it for the next one, or returns it to the
    /// pool.
    pub(super) fn give_back(self) {
        let lender = Arc::clone(&self.lender);
        if self.borrowed().since.elapsed() >= MAX_HOLD || lender.pool.is_closed() {
            // `Drop` returns it to the pool.
            return;
        }
        let mut state = lock(&lender.state);
        let Some(mut unclaimed) = self.hand_over(&mut state) else {
            return;
        };
        // Keep it only if nobody waits for it at the pool: neither a read (`acquiring`) nor another
        // user of the pool, who would have taken an idle connection.
        if state.acquiring == 0 && lender.pool.num_idle() > 0 {
            state.kept.extend(unclaimed.borrowed.take());
            // The kept connection has the permit now.
            unclaimed.has_permit = false;
            if !std::mem::replace(&mut state.is_returning, true) {
                rt::spawn(Lender::return_kept(Arc::downgrade(&lender)));
            }
        }
        // `unclaimed` is dropped after this, and its `Drop` takes the lock.
        drop(state);
    }

    /// Closes the connection, and gives back the permit.
    pub(super) fn close(mut self) {
        if let Some(borrowed) = self.borrowed.take() {
            drop(borrowed.connection.detach());
        }
    }

    /// Passes the loan to the first read that still waits. Returns it if there is none.
    fn hand_over(mut self, state: &mut LendingState) -> Option<Self> {
        while let Some(next) = state.waiting.pop_front() {
            // A read that no longer waits has dropped its receiver: the loan comes back.
            self = next.send(self).err()?;
        }
        Some(self)
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        // The connection goes first, so that the read that gets the permit finds it at the pool.
        self.borrowed.take();
        if !std::mem::take(&mut self.has_permit) {
            return;
        }
        let lender = Arc::clone(&self.lender);
        let mut state = lock(&lender.state);
        if let Some(mut unclaimed) = Self::new(&lender, None).hand_over(&mut state) {
            // Cleared before it is dropped: its `Drop` would take the lock, which is held here.
            unclaimed.has_permit = false;
            state.permits -= 1;
        }
    }
}
