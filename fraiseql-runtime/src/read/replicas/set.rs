//! The primary and its replicas, and which of them may answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::lock::Mutex as AsyncMutex;
use sqlx::PgPool;

use crate::db::wal_position::WalPosition;
use crate::mutex::lock;
use crate::read::readers::Readers;
use crate::read::replicas::primary::Primary;
use crate::read::replicas::replica::{Counters, Replica};
use crate::read::replicas::settings::Settings;
use crate::read::replicas::state::ReplicaState;
use crate::read::server::Look;

/// The primary and its replicas.
#[derive(Clone, Debug)]
pub(super) struct ReplicaSet {
    pub(super) primary: Arc<PrimaryServer>,
    pub(super) replicas: Vec<Arc<Replica>>,
    pub(super) settings: Settings,
    /// Whose turn it is.
    turn: Arc<AtomicUsize>,
}

/// The primary with its pool.
#[derive(Debug)]
pub(super) struct PrimaryServer {
    pub(super) readers: Readers,
    pub(super) seen: Mutex<Primary>,
    /// When the servers were last looked at.
    pub(super) probed: Mutex<Option<Instant>>,
    /// Held while they are.
    pub(super) probing: Arc<AsyncMutex<()>>,
    pub(super) counters: Counters,
}

impl PrimaryServer {
    fn new(readers: Readers) -> Self {
        Self {
            readers,
            seen: Mutex::default(),
            probed: Mutex::default(),
            probing: Arc::default(),
            counters: Counters::default(),
        }
    }
}

impl ReplicaSet {
    pub(super) fn new(primary: PgPool) -> Self {
        Self {
            primary: Arc::new(PrimaryServer::new(Readers::lending(primary))),
            replicas: Vec::new(),
            settings: Settings::default(),
            turn: Arc::default(),
        }
    }

    /// Adds a replica.
    pub(super) fn add(&mut self, pool: PgPool) {
        let name = Replica::name_of(&pool, &self.replicas);
        let replica = Replica::new(self.readers(pool), name);
        self.replicas.push(Arc::new(replica));
    }

    /// Switches lending on or off, before there are reads: it forgets what is known of the servers.
    pub(super) fn lend(&mut self, on: bool) {
        self.settings.lends = on;
        let primary = self.primary.readers.pool().clone();
        self.primary = Arc::new(PrimaryServer::new(self.readers(primary)));
        for replica in std::mem::take(&mut self.replicas) {
            self.add(replica.readers.pool().clone());
        }
    }

    fn readers(&self, pool: PgPool) -> Readers {
        match self.settings.lends {
            true => Readers::lending(pool),
            false => Readers::from(pool),
        }
    }

    /// What a server is for reads, by what it has said about itself.
    pub(super) fn state_of(&self, look: &Look) -> ReplicaState {
        let primary = lock(&self.primary.seen);
        let Some(last) = primary.last() else {
            // Whose replica it is cannot be known.
            return ReplicaState::Unknown;
        };
        let (expected, position) = (last.position, look.position);
        if expected.system != position.system || last.database != look.database {
            return ReplicaState::Foreign;
        }
        if !look.is_standby {
            return ReplicaState::Promoted;
        }
        if expected.timeline != position.timeline {
            return ReplicaState::OtherTimeline;
        }
        let lag = primary.lag(position).unwrap_or(0);
        let age = primary.age(position, Instant::now());
        match lag > self.settings.max_lag || age > self.settings.max_age {
            true => ReplicaState::Lagging,
            false => ReplicaState::Serving,
        }
    }

    /// Whether a server may answer a read without a position.
    pub(super) fn may_answer(&self, look: &Look) -> bool {
        self.state_of(look) == ReplicaState::Serving
    }

    /// Whether a server has replayed a position.
    pub(super) fn has(&self, look: &Look, wanted: WalPosition) -> bool {
        lock(&self.primary.seen).has(look.position, wanted)
    }

    /// Whether it makes sense to wait until a replica has replayed a position.
    pub(super) fn may_arrive(&self, look: &Look, wanted: WalPosition) -> bool {
        let primary = lock(&self.primary.seen);
        let is_later = look.position < wanted && !self.settings.max_wait.is_zero();
        // How old it was when it was asked: since then it has gone on.
        is_later && primary.age(look.position, look.at) <= self.settings.max_wait
    }

    /// The replicas that may answer, as far as is known: those first that have the position, each time
    /// another one.
    pub(super) fn candidates(&self, wanted: Option<WalPosition>) -> Vec<&Arc<Replica>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = self.replicas.len();
        let in_turn = (0..count).map(|offset| &self.replicas[turn.wrapping_add(offset) % count]);
        let (mut first, mut others) = (Vec::new(), Vec::new());
        for replica in in_turn {
            let Some(look) = replica.last().filter(|look| self.may_answer(look)) else {
                continue;
            };
            match wanted.is_none_or(|wanted| self.has(&look, wanted)) {
                true => first.push(replica),
                false => others.push(replica),
            }
        }
        first.append(&mut others);
        first
    }
}
