//! The task of a feed: looks for changes, tells those who asked for them, and sleeps.
//!
//! # How it falls asleep
//!
//! Writers look whether somebody sleeps, and notify only then. A writer that has looked before the reader noted that it
//! sleeps will not notify, and its transaction may be open still. So after the note the reader dozes: it looks until all
//! transactions have ended that were open when it was committed. Each of them has a transaction id by then, since it has
//! written its change before it looked; and all these are less than one that is assigned afterwards, which is asked for. The
//! end of a snapshot would not do: it comes after the last transaction that has ended, not after the last that has begun.
//! From then on every writer sees the note.
//!
//! A single change does not wake it for good: it looks, and sleeps on. Only if changes come fast does it remove the note, and
//! looks by itself, so that writers need not notify: the lock that they take for it would be what they wait for.

use std::hash::{BuildHasher as _, RandomState};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use futures_channel::mpsc;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use sqlx::Row as _;
use sqlx::postgres::{PgListener, PgRow};
use sqlx_core::rt;

use crate::db::lease::Lease;
use crate::db::statement::Statement;
use crate::db::telemetry;
use crate::error::{Error, Operation, Result};
use crate::feed::cursor::{Cursor, Found, look};
use crate::feed::listener::listen;
use crate::feed::shared::Shared;
use crate::mutex::lock;
use crate::sql::feed::{LATER_TRANSACTION, seconds};

const FIRST_BACK_OFF: Duration = Duration::from_millis(100);
const MAX_BACK_OFF: Duration = Duration::from_secs(5);
/// How often a sleeping reader looks nevertheless, and renews its note.
const LOOK_ASLEEP: Duration = Duration::from_secs(30);
/// How long a note holds: so long writers notify a reader that was killed.
const NOTE_HOLDS: Duration = Duration::from_secs(90);
/// A reader that has found nothing for about so long falls asleep.
const TIRED: Duration = Duration::from_millis(100);
/// A reader that is notified more often than `BUSY` times in this time stays awake.
const BUSY_TIME: Duration = Duration::from_millis(500);
const BUSY: u32 = 10;
/// If notifications do not arrive, it is tried again after this time.
const LISTEN_AGAIN: Duration = Duration::from_secs(300);

/// What a reader knows.
pub(super) struct Reader {
    /// Its name in the database.
    name: String,
    cursor: Option<Cursor>,
    rest: Rest,
    listener: Listener,
    wait: Duration,
    back_off: Duration,
    pruned: Option<Instant>,
    /// When the last `BUSY_TIME` has begun, and how often changes were found since, while there was a note.
    found: (Instant, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Awake,
    /// It has noted that it sleeps. All transactions before `until` have to end.
    Dozing {
        until: u64,
    },
    Asleep {
        noted: Instant,
    },
}

enum Listener {
    None { since: Option<Instant> },
    Some(Box<PgListener>),
}

impl Reader {
    /// Starts a reader, after it has looked once.
    pub(super) async fn start(shared: &Arc<Shared>, kicks: mpsc::Receiver<()>) -> Result<()> {
        let mut reader = Self {
            name: format!(
                "reader {:016x}",
                RandomState::new().hash_one(Instant::now())
            ),
            cursor: None,
            rest: Rest::Awake,
            listener: Listener::None { since: None },
            wait: shared.settings.min_wait,
            back_off: FIRST_BACK_OFF,
            pruned: None,
            found: (Instant::now(), 0),
        };
        reader.look(shared).await?;
        // Nobody has subscribed yet: the first one begins with a look of its own.
        lock(&shared.hub).close();
        reader.cursor = None;
        let weak = Arc::downgrade(shared);
        rt::spawn(reader.run(weak, kicks));
        Ok(())
    }

    async fn run(mut self, shared: Weak<Shared>, mut kicks: mpsc::Receiver<()>) {
        loop {
            let wait = {
                let Some(shared) = shared.upgrade() else {
                    break;
                };
                match self.step(&shared).await {
                    Ok(wait) => {
                        self.back_off = FIRST_BACK_OFF;
                        wait
                    }
                    Err(error) => {
                        telemetry::feed_error(&error);
                        lock(&shared.health).failed(&error);
                        self.rest = Rest::Awake;
                        let wait = self.back_off;
                        self.back_off = (self.back_off * 2).min(MAX_BACK_OFF);
                        wait
                    }
                }
            };
            if !self.pause(wait, &mut kicks).await {
                break;
            }
        }
    }

    /// Waits, unless somebody subscribes or a writer notifies. Returns whether the feed is still in use.
    async fn pause(&mut self, wait: Duration, kicks: &mut mpsc::Receiver<()>) -> bool {
        let kicked = pin!(kicks.next());
        let sleep = pin!(rt::sleep(wait));
        let kicked_or_slept = select(kicked, sleep);
        let Listener::Some(listener) = &mut self.listener else {
            return is_in_use(&kicked_or_slept.await);
        };
        let notified = {
            let received = pin!(listener.try_recv());
            match select(kicked_or_slept, received).await {
                Either::Left((ended, _)) => return is_in_use(&ended),
                Either::Right((received, _)) => received,
            }
        };
        match notified {
            Ok(Some(_)) => {}
            // The connection was lost. The next call opens another one, but notifications may have been missed.
            Ok(None) => self.rest = Rest::Awake,
            Err(_) => {
                self.listener = Listener::None { since: None };
                self.rest = Rest::Awake;
            }
        }
        true
    }

    /// Does what there is to do, and returns how long to wait then.
    async fn step(&mut self, shared: &Arc<Shared>) -> Result<Duration> {
        self.prune(shared).await?;
        if lock(&shared.hub).close() {
            self.cursor = None;
            self.wake(shared).await?;
            return Ok(shared.settings.keep / 4);
        }
        let found = self.look(shared).await?;
        if !found {
            return self.rest(shared).await;
        }
        self.wait = shared.settings.min_wait;
        if self.rest != Rest::Awake && self.is_busy() {
            self.wake(shared).await?;
        }
        Ok(match self.rest {
            // Also if each look finds something, the note has to be renewed.
            Rest::Asleep { noted } if noted.elapsed() > LOOK_ASLEEP => {
                return self.rest(shared).await;
            }
            Rest::Asleep { .. } => LOOK_ASLEEP,
            Rest::Awake | Rest::Dozing { .. } => self.wait,
        })
    }

    /// Whether changes come so fast that it should not be notified of each.
    fn is_busy(&mut self) -> bool {
        let (since, count) = &mut self.found;
        if since.elapsed() > BUSY_TIME {
            (*since, *count) = (Instant::now(), 0);
        }
        *count += 1;
        *count > BUSY
    }

    /// Looks for changes, and tells those who asked for them. Returns whether there were any.
    async fn look(&mut self, shared: &Shared) -> Result<bool> {
        if let Listener::Some(listener) = &mut self.listener {
            // What has arrived until now is about changes that this look finds.
            while listener.next_buffered().is_some() {}
        }
        let mut connection = Lease::acquire(&shared.pool, "look for changed documents").await?;
        let looked = look(&shared.sql, &mut connection, self.cursor.as_ref()).await;
        connection.release();
        let (cursor, found) = looked?;
        let is_first = self.cursor.is_none();
        self.cursor = Some(cursor);
        lock(&shared.health).looked();
        match found {
            Found::Changes(changes) => {
                let any = !changes.is_empty();
                if any {
                    shared.generation.fetch_add(1, Ordering::Release);
                }
                let hub = lock(&shared.hub);
                changes.into_iter().for_each(|change| hub.deliver(change));
                Ok(any)
            }
            Found::Unknown => {
                if !is_first {
                    lock(&shared.health).reset();
                }
                shared.generation.fetch_add(1, Ordering::Release);
                lock(&shared.hub).reset();
                Ok(true)
            }
        }
    }

    /// After a look that has found nothing: waits longer, and falls asleep.
    async fn rest(&mut self, shared: &Shared) -> Result<Duration> {
        let settings = &shared.settings;
        let Some(snapshot) = self.cursor.as_ref().map(|cursor| &cursor.snapshot) else {
            return Ok(settings.max_wait);
        };
        match self.rest {
            Rest::Awake => {
                self.wait = (self.wait * 3 / 2).min(settings.max_wait);
                if self.wait < TIRED.min(settings.max_wait) || !self.listens(shared).await? {
                    return Ok(self.wait);
                }
                self.note(shared).await?;
                let until = later_transaction(shared).await?;
                self.rest = Rest::Dozing { until };
                self.wait = settings.min_wait;
                Ok(Duration::ZERO)
            }
            Rest::Dozing { until } => {
                if snapshot.first_unseen() >= until {
                    let noted = Instant::now();
                    self.rest = Rest::Asleep { noted };
                    return Ok(LOOK_ASLEEP);
                }
                self.wait = (self.wait * 3 / 2).min(settings.max_wait);
                Ok(self.wait)
            }
            Rest::Asleep { noted } => {
                let before = Instant::now();
                self.note(shared).await?;
                // If it has not held all the time, somebody may not have notified.
                if before.duration_since(noted) < NOTE_HOLDS / 2 {
                    self.rest = Rest::Asleep { noted: before };
                    return Ok(LOOK_ASLEEP);
                }
                let until = later_transaction(shared).await?;
                self.rest = Rest::Dozing { until };
                Ok(Duration::ZERO)
            }
        }
    }

    async fn listens(&mut self, shared: &Shared) -> Result<bool> {
        if let Listener::None { since } = self.listener {
            let is_due = since.is_none_or(|since| since.elapsed() > LISTEN_AGAIN);
            if !shared.settings.listen || !is_due {
                return Ok(false);
            }
            self.listener = match listen(&shared.pool, &shared.sql).await? {
                Some(listener) => Listener::Some(Box::new(listener)),
                None => Listener::None {
                    since: Some(Instant::now()),
                },
            };
        }
        let listens = matches!(self.listener, Listener::Some(_));
        lock(&shared.health).listens = listens;
        Ok(listens)
    }

    /// Notes that it sleeps.
    async fn note(&self, shared: &Shared) -> Result<()> {
        let statement = Statement::composed(shared.sql.sleep.clone(), Operation::Changes);
        let statement = statement.bind(self.name.as_str()).bind(seconds(NOTE_HOLDS));
        execute(shared, statement).await
    }

    /// Removes the note.
    async fn wake(&mut self, shared: &Shared) -> Result<()> {
        if self.rest == Rest::Awake {
            return Ok(());
        }
        let statement = Statement::composed(shared.sql.wake.clone(), Operation::Changes);
        execute(shared, statement.bind(self.name.as_str())).await?;
        self.rest = Rest::Awake;
        Ok(())
    }

    /// Deletes old changes, now and then.
    async fn prune(&mut self, shared: &Shared) -> Result<()> {
        let keep = shared.settings.keep;
        if self.pruned.is_some_and(|at| at.elapsed() < keep / 4) {
            return Ok(());
        }
        let statement = Statement::composed(shared.sql.prune.clone(), Operation::Changes);
        execute(shared, statement.bind(seconds(keep))).await?;
        self.pruned = Some(Instant::now());
        Ok(())
    }
}

async fn execute(shared: &Shared, statement: Statement<'_>) -> Result<()> {
    let mut connection = Lease::acquire(&shared.pool, "keep the feed of documents").await?;
    let done = statement.execute(&mut connection).await;
    connection.release();
    done.map(|_| ())
}

/// A transaction that has begun after this call.
async fn later_transaction(shared: &Shared) -> Result<u64> {
    let mut connection = Lease::acquire(&shared.pool, "keep the feed of documents").await?;
    let statement = Statement::new(LATER_TRANSACTION, Operation::Changes);
    let read = |row: &PgRow| row.try_get::<String, _>(0);
    let xid = statement.fetch_one(&mut connection, read).await;
    connection.release();
    let parsed = xid?.parse();
    parsed.map_err(|error: std::num::ParseIntError| {
        Error::database(Operation::Changes)(sqlx::Error::Decode(error.into()))
    })
}

fn is_in_use<S>(ended: &Either<(Option<()>, S), ((), impl Sized)>) -> bool {
    !matches!(ended, Either::Left((None, _)))
}
