//! `Recorder`, and what it has recorded.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::mutex::lock;
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::key::{Key, Keys};
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;
use crate::testing::failure::Failure;
use crate::testing::recorder::call::Call;
use crate::testing::recorder::change::Change;

/// A sync target without a database, which records each call.
///
/// Pass `&recorder` where the application passes `&pool` or `&mut tx`. Clones share one record, so
/// a service can own one clone while the test keeps another. A call without keys does nothing, as
/// on a pool, and is not recorded.
///
/// A service that holds its target is generic over an `S` with `for<'a> &'a S: SyncTarget`: a
/// `PgPool` in the application, a `Recorder` in its tests.
///
/// ```
/// use fraiseql_runtime::{Recorder, Result, SyncTarget, TView};
///
/// #[derive(TView)]
/// struct Post { id: i64, title: String }
///
/// /// Where posts are stored: PostgreSQL, or a list in a test.
/// trait Posts {
///     fn rename(&mut self, post: i64, title: &str);
/// }
///
/// struct Service<P, S> { posts: P, target: S }
///
/// impl<P: Posts, S> Service<P, S>
/// where
///     for<'a> &'a S: SyncTarget,
/// {
///     async fn rename(&mut self, post: i64, title: &str) -> Result<()> {
///         self.posts.rename(post, title);
///         sync_post(&self.target, &[post]).await?;
///         Ok(())
///     }
/// }
///
/// impl Posts for Vec<String> {
///     fn rename(&mut self, post: i64, title: &str) {
///         self.push(format!("{post} is {title}"));
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let recorder = Recorder::new();
/// let mut service = Service { posts: Vec::new(), target: recorder.clone() };
/// service.rename(7, "Notes").await?;
/// recorder.assert_synced::<Post>(&[7]);
/// recorder.assert_no_more();
/// # Ok(()) }
/// ```
///
/// A function that syncs once takes the target by value, `async fn rename(db: &mut Db, target: impl
/// SyncTarget)`, and is called with `&recorder`.
///
/// By default a call succeeds, and reports every key as updated, or as deleted. A recorder can be
/// set to return another report, or to fail:
///
/// ```
/// # use fraiseql_runtime::{Failure, Recorder, SyncReport, TView};
/// # #[derive(TView)]
/// # struct Post { id: i64, title: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> fraiseql_runtime::Result<()> {
/// let recorder = Recorder::new();
/// assert_eq!(sync_post(&recorder, &[1, 2]).await?.updated, 2);
///
/// let mut report = SyncReport::default();
/// report.unchanged = 1;
/// recorder.reports::<Post>(report);
/// assert_eq!(sync_post(&recorder, &[1]).await?.unchanged, 1);
///
/// recorder.fail_next(Failure::Deadlock);
/// let error = sync_post(&recorder, &[1]).await.unwrap_err();
/// assert!(error.is_retryable());
/// assert!(sync_post(&recorder, &[1]).await.is_ok());
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct Recorder {
    record: Arc<Mutex<RecorderState>>,
}

#[derive(Default)]
pub(super) struct RecorderState {
    pub(super) calls: Vec<Call>,
    pub(super) changes: Vec<Change>,
    /// Failures of the next calls, of any view.
    pub(super) next_failures: VecDeque<Failure>,
    /// Failures of all calls for a view.
    pub(super) failures: BTreeMap<Table, Failure>,
    /// Reports of the calls for a view that succeed.
    pub(super) reports: BTreeMap<Table, SyncReport>,
    /// The views and modes that were asserted: `assert_no_more` is about all others.
    pub(super) asserted_calls: Vec<(Table, Mode)>,
    /// The tables and columns whose changes were asserted.
    pub(super) asserted_columns: Vec<(String, String)>,
}

impl Recorder {
    /// A recorder that has recorded nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All calls, in order. Calls that failed are among them.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// The keys of `V` that were synced by key, each once, in the order of their first call. Calls
    /// that failed do not count.
    #[must_use]
    pub fn synced<V: TView>(&self) -> Vec<V::Key> {
        self.keys::<V>(Mode::Sync)
    }

    /// The keys of `V` whose documents were deleted, each once, in the order of their first call.
    /// Calls that failed do not count.
    #[must_use]
    pub fn deleted<V: TView>(&self) -> Vec<V::Key> {
        self.keys::<V>(Mode::Delete)
    }

    /// The number of full syncs of `V`. Calls that failed do not count.
    #[must_use]
    pub fn fully_synced<V: TView>(&self) -> usize {
        let record = self.lock();
        record.succeeded(V::VIEW.table, Mode::Full).count()
    }

    /// All marks of changed rows, in order. A mark without keys is not recorded.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        self.lock().changes.clone()
    }

    /// Discards all recorded calls and changes. Reports and failures that were set stay.
    pub fn clear(&self) {
        let mut record = self.lock();
        record.calls.clear();
        record.asserted_calls.clear();
        record.changes.clear();
        record.asserted_columns.clear();
    }

    fn keys<V: TView>(&self, mode: Mode) -> Vec<V::Key> {
        let mut keys = Vec::new();
        V::Key::each(&self.distinct_keys::<V>(mode), &mut |key| keys.push(key));
        keys
    }

    /// The keys of the calls that succeeded, each once, in the order of their first call.
    pub(super) fn distinct_keys<V: TView>(&self, mode: Mode) -> Keys {
        let mut keys = V::handle().no_keys();
        for call in self.lock().succeeded(V::VIEW.table, mode) {
            keys.append(call.keys.clone());
        }
        keys.distinct()
    }

    /// No assertion panics while it holds this lock.
    pub(super) fn lock(&self) -> MutexGuard<'_, RecorderState> {
        lock(&self.record)
    }
}

impl RecorderState {
    /// The calls of this view and mode that succeeded.
    fn succeeded(&self, view: Table, mode: Mode) -> impl Iterator<Item = &Call> {
        self.calls
            .iter()
            .filter(move |call| call.view == view && call.mode == mode && call.error.is_none())
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("calls", &self.lock().calls)
            .finish_non_exhaustive()
    }
}
