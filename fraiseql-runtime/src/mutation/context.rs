//! State that the mutations of one read model share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::lock::Mutex;

use crate::mutation::committed_reader::Waiting;
use crate::mutation::dependents::index::DependencyIndex;
use crate::mutation::limits::Limits;
use crate::sql::queue::QueueSql;
use crate::sync::watch::Observers;

/// State that the mutations of one read model share.
#[derive(Debug)]
pub(crate) struct MutationContext {
    /// The paths from base tables to documents.
    pub(crate) index: DependencyIndex,
    pub(crate) observers: Arc<Observers>,
    /// The statements about changes.
    pub(crate) queue: QueueSql,
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
