//! State that the mutations of one read model share.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use futures_util::lock::Mutex as AsyncMutex;
use sqlx::PgPool;
use std::collections::HashSet;

use crate::mutation::capture::Capture;
use crate::mutation::committed_reader::Waiting;
use crate::mutation::dependents::index::DependencyIndex;
use crate::mutation::limits::Limits;
use crate::mutex::lock;
use crate::schema::View;
use crate::schema::default_schema::DefaultSchema;
use crate::sql::capture::{self, CaptureSql, CapturedModel};
use crate::sql::feed::ModelFeed;
use crate::sql::function::model::ModelFunctions;
use crate::sql::queue::QueueSql;
use crate::sync::watch::Observers;
use crate::view::Handle;

/// State that the mutations of one read model share.
#[derive(Debug)]
pub(crate) struct MutationContext {
    /// The paths from base tables to documents.
    pub(crate) index: DependencyIndex,
    /// The views, in the order in which documents are locked.
    pub(crate) views: Vec<Handle>,
    pub(crate) capture: Capture,
    /// The functions of the read model, composed on first use.
    functions: OnceLock<Option<ModelFunctions>>,
    /// The trigger functions of the read model, composed on first use.
    captured: OnceLock<Option<CaptureSql>>,
    /// The feed of documents, composed on first use.
    feed: OnceLock<Option<ModelFeed>>,
    /// Whether there is one.
    has_feed: bool,
    /// The databases in which these functions were found.
    callable: Mutex<HashSet<String>>,
    pub(crate) observers: Arc<Observers>,
    /// The statements about changes, composed on first use.
    queue: OnceLock<QueueSql>,
    /// How many rows of the table of changes were deleted, when they were last counted.
    pub(crate) deleted: Mutex<Option<(Instant, i64)>>,
    /// The limits of a mutation that sets none.
    pub(crate) limits: Limits,
    /// How long a mutation waits for a second connection.
    pub(crate) second_connection_wait: Duration,
    /// How many of them wait for one.
    pub(crate) waiting: Waiting,
    /// Held by the one that takes a second connection before it begins.
    pub(crate) turn: Arc<AsyncMutex<()>>,
    /// Whether mutations note at their beginning what their session has written before: since the
    /// first that was strict, so that others do not pay for it. That one compares with nothing, and
    /// may count what its session wrote in the second before it began.
    pub(crate) notes_counts: AtomicBool,
    /// Whether the commit reads the position after it: unless the builder says otherwise, and until a
    /// server refuses that.
    pub(crate) positions: AtomicBool,
}

impl MutationContext {
    pub(crate) fn new(
        mut views: Vec<Handle>,
        unsynced: &[Handle],
        capture: Capture,
        observers: Observers,
        limits: Limits,
        second_connection_wait: Duration,
        schema: DefaultSchema,
    ) -> Self {
        views.sort_by_key(|handle| handle.view.table);
        Self {
            index: DependencyIndex::new(&views)
                .with_unsynced(unsynced)
                .in_schema(schema),
            views,
            capture,
            functions: OnceLock::new(),
            queue: OnceLock::new(),
            deleted: Mutex::default(),
            captured: OnceLock::new(),
            feed: OnceLock::new(),
            has_feed: false,
            callable: Mutex::default(),
            observers: Arc::new(observers),
            limits,
            second_connection_wait,
            waiting: Waiting::default(),
            turn: Arc::default(),
            notes_counts: AtomicBool::new(false),
            positions: AtomicBool::new(true),
        }
    }

    /// The same, with commits that read positions or do not.
    pub(crate) fn with_positions(mut self, read: bool) -> Self {
        self.positions = AtomicBool::new(read);
        self
    }

    /// The same, with a feed of documents or without.
    pub(crate) fn with_feed(mut self, feed: bool) -> Self {
        self.has_feed = feed;
        self
    }

    /// The feed of documents. `None` if the read model has no views, or no feed.
    pub(crate) fn feed(&self) -> Option<&ModelFeed> {
        let compose = || {
            let functions = self.functions().filter(|_| self.has_feed)?;
            let views = self.views.iter().map(|handle| handle.view);
            Some(ModelFeed::compose(views, functions.schema))
        };
        self.feed.get_or_init(compose).as_ref()
    }

    /// The functions of the read model. `None` if it has no views.
    pub(crate) fn functions(&self) -> Option<&ModelFunctions> {
        let compose = || self.index.functions(&self.views, self.capture.is_on());
        self.functions.get_or_init(compose).as_ref()
    }

    /// The statements about changes.
    pub(crate) fn queue(&self) -> &QueueSql {
        self.queue.get_or_init(|| {
            let functions = self.functions();
            functions.map_or_else(
                || QueueSql::compose(0, self.index.schema().name(), "pg_catalog.now"),
                |functions| {
                    let drain = functions.drain.qualified();
                    QueueSql::compose(functions.id, functions.schema, &drain)
                },
            )
        })
    }

    /// The trigger functions that capture changes. `None` if the read model has no views, or if nothing is captured.
    pub(crate) fn captured(&self) -> Option<&CaptureSql> {
        let compose = || {
            let functions = self.functions().filter(|_| self.capture.is_on())?;
            let views: Vec<&'static View> = self.views.iter().map(|handle| handle.view).collect();
            let model = CapturedModel {
                id: functions.id,
                schema: functions.schema,
                views: &views,
            };
            Some(capture::compose(&model, &functions.columns))
        };
        self.captured.get_or_init(compose).as_ref()
    }

    /// Whether the functions were found in the database of this pool. A flush then calls them without asking.
    pub(crate) fn is_callable(&self, pool: &PgPool) -> bool {
        lock(&self.callable).contains(&database_of(pool))
    }

    /// Notes whether the functions can be called in the database of this pool.
    pub(crate) fn note_callable(&self, pool: &PgPool, callable: bool) {
        let mut databases = lock(&self.callable);
        match callable {
            true => databases.insert(database_of(pool)),
            false => databases.remove(&database_of(pool)),
        };
    }
}

/// What identifies the database and the role of a pool.
fn database_of(pool: &PgPool) -> String {
    let options = pool.connect_options();
    let socket = options
        .get_socket()
        .map(|socket| socket.display().to_string());
    format!(
        "{}:{} {} {}",
        socket.as_deref().unwrap_or(options.get_host()),
        options.get_port(),
        options.get_database().unwrap_or_default(),
        options.get_username(),
    )
}
