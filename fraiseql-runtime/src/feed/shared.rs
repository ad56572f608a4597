//! `Shared`: what the streams of a feed and its reader share.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use futures_channel::mpsc;
use sqlx::PgPool;

use crate::feed::health::Health;
use crate::feed::hub::Hub;
use crate::feed::settings::Settings;
use crate::read::readers::Readers;
use crate::schema::default_schema::DefaultSchema;
use crate::sql::feed::FeedSql;

/// What the streams of a feed and its reader share.
pub(super) struct Shared {
    pub(super) pool: PgPool,
    pub(super) sql: FeedSql,
    pub(super) settings: Settings,
    pub(super) hub: Mutex<Hub>,
    pub(super) health: Mutex<Health>,
    /// The looks that have found something.
    pub(super) generation: AtomicU64,
    pub(super) schema: DefaultSchema,
    pub(super) readers: Readers,
    kick: mpsc::Sender<()>,
}

impl Shared {
    /// Also what the reader is woken by.
    pub(super) fn new(
        pool: PgPool,
        sql: FeedSql,
        settings: Settings,
        schema: DefaultSchema,
        readers: Readers,
    ) -> (Self, mpsc::Receiver<()>) {
        let (kick, kicks) = mpsc::channel(1);
        let shared = Self {
            pool,
            sql,
            settings,
            hub: Mutex::default(),
            health: Mutex::default(),
            generation: AtomicU64::new(0),
            schema,
            readers,
            kick,
        };
        (shared, kicks)
    }

    /// Wakes the reader.
    pub(super) fn kick(&self) {
        // A full channel has a kick that was not taken yet.
        let _ = self.kick.clone().try_send(());
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
