//! State that the mutations of one read model share.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::lock::Mutex;

use crate::mutation::capture::Capture;
use crate::mutation::committed_reader::Waiting;
use crate::mutation::dependents::index::DependencyIndex;
use crate::mutation::limits::Limits;
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
    pub(crate) observers: Arc<Observers>,
    /// The statements about changes, composed on first use.
    queue: OnceLock<QueueSql>,
    /// How many rows of the table of changes were deleted, when they were last counted.
    pub(crate) deleted: std::sync::Mutex<Option<(Instant, i64)>>,
    /// The limits of a mutation that sets none.
    pub(crate) limits: Limits,
    /// How long a mutation waits for a second connection.
    pub(crate) second_connection_wait: Duration,
    /// How many of them wait for one.
    pub(crate) waiting: Waiting,
    /// Held by the one that takes a second connection before it begins.
    pub(crate) turn: Arc<Mutex<()>>,
    /// Whether mutations note at their beginning what their session has written before: since the
    /// first that was strict, so that others do not pay for it. That one compares with nothing, and
    /// may count what its session wrote in the second before it began.
    pub(crate) notes_counts: AtomicBool,
}

impl MutationContext {
    pub(crate) fn new(
        mut views: Vec<Handle>,
        capture: Capture,
        observers: Observers,
        limits: Limits,
        second_connection_wait: Duration,
    ) -> Self {
        views.sort_by_key(|handle| handle.view.table);
        Self {
            index: DependencyIndex::new(&views),
            views,
            capture,
            functions: OnceLock::new(),
            queue: OnceLock::new(),
            deleted: std::sync::Mutex::default(),
            observers: Arc::new(observers),
            limits,
            second_connection_wait,
            waiting: Waiting::default(),
            turn: Arc::default(),
            notes_counts: AtomicBool::new(false),
        }
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
                || QueueSql::compose(0, "public", "pg_catalog.now"),
                |functions| {
                    let drain = functions.drain.qualified();
                    QueueSql::compose(functions.id, functions.schema, &drain)
                },
            )
        })
    }
}
