//! A sync target without a database, for the unit tests of services. [`changes`] is what makes it
//! one for mutations, too.

pub mod changes;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::db::mutex::lock;
use crate::error::Result;
use crate::read::typed::TView;
use crate::schema::Table;
use crate::schema::key::{Key, Keys};
use crate::sync::report::SyncReport;
use crate::sync::request::Mode;
use crate::sync::request::Request;
use crate::sync::target::SyncTarget;
use crate::sync::watch::{StartedBatch, Watch};
use crate::testing::failure::Failure;
use crate::testing::recorder::changes::Change;

/// A sync target without a database: it records what it is asked to do.
///
/// Pass `&recorder` where the application passes `&pool` or `&mut tx`. Clones share one
/// record, so a service can own one while the test keeps another. A call without keys does
/// nothing, on a recorder as on a pool, and is not recorded.
///
/// A service that holds its target asks for an `S` where `for<'a> &'a S: SyncTarget`: it is a
/// `PgPool` in the application, and a `Recorder` in its tests.
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
/// A function that syncs once takes the target by value: `async fn rename(db: &mut Db, target:
/// impl SyncTarget)`, and is called with `&recorder`.
///
/// It answers as told, or that every key was updated (or deleted), and can be told to fail:
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
    record: Arc<Mutex<Record>>,
}

#[derive(Default)]
struct Record {
    calls: Vec<Call>,
    next: VecDeque<Failure>,
    failing: Vec<(Table, Failure)>,
    reports: Vec<(Table, SyncReport)>,
    /// What an assertion was about.
    expected: Vec<(Table, Mode)>,
    changes: Vec<Change>,
    /// The tables and columns that an assertion was about.
    expected_changes: Vec<(String, String)>,
}

/// A call that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The view's entity: `post`.
    pub entity: &'static str,
    /// The view table.
    pub view: Table,
    /// What was asked for.
    pub mode: Mode,
    /// The keys, each once and in order; none for a full sync.
    pub keys: Keys,
    /// The error it was told to fail with.
    pub error: Option<String>,
}

impl fmt::Display for Call {
    /// `sync post 1, 2, 3`, with at most ten keys; `full post`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.mode, self.entity)?;
        if self.mode != Mode::Full {
            write!(f, " {}", self.keys)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("calls", &self.lock().calls)
            .finish_non_exhaustive()
    }
}

impl Recorder {
    /// A recorder that has recorded nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every call, in order, also those that failed.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// The keys of `V` that were synced by key, each once, in the order of their first call.
    /// Calls that failed do not count.
    #[must_use]
    pub fn synced<V: TView>(&self) -> Vec<V::Key> {
        self.keys::<V>(Mode::Sync)
    }

    /// The keys of `V` whose documents were deleted, each once, in the order of their first
    /// call. Calls that failed do not count.
    #[must_use]
    pub fn deleted<V: TView>(&self) -> Vec<V::Key> {
        self.keys::<V>(Mode::Delete)
    }

    /// How often all of `V` was synced. Calls that failed do not count.
    #[must_use]
    pub fn fully_synced<V: TView>(&self) -> usize {
        let record = self.lock();
        record.of(V::VIEW.table, Mode::Full).count()
    }

    /// Forgets all calls and changes. How it answers and fails stays.
    pub fn clear(&self) {
        let mut record = self.lock();
        record.calls.clear();
        record.expected.clear();
        record.changes.clear();
        record.expected_changes.clear();
    }

    /// The next call fails, of whatever view. Several are used one after another.
    pub fn fail_next(&self, failure: Failure) {
        self.lock().next.push_back(failure);
    }

    /// Every call for `V` fails, until [`heal`](Self::heal).
    pub fn fail<V: TView>(&self, failure: Failure) {
        set(&mut self.lock().failing, V::VIEW.table, failure);
    }

    /// Calls for `V` do not fail any more.
    pub fn heal<V: TView>(&self) {
        self.lock()
            .failing
            .retain(|(view, _)| *view != V::VIEW.table);
    }

    /// Calls for `V` that succeed answer with this report.
    pub fn reports<V: TView>(&self, report: SyncReport) {
        set(&mut self.lock().reports, V::VIEW.table, report);
    }

    /// Asserts that exactly these keys of `V` were synced by key: these, in any order and
    /// however often, and no others. For some among others, look into
    /// [`synced`](Self::synced).
    ///
    /// # Panics
    /// When others were. It prints what is missing, what is too much, and all that was
    /// recorded.
    #[track_caller]
    pub fn assert_synced<V: TView>(&self, keys: &[V::Key]) {
        self.assert_keys::<V>(Mode::Sync, "synced", keys);
    }

    /// Asserts that exactly the documents of these keys were deleted, as
    /// [`assert_synced`](Self::assert_synced).
    ///
    /// # Panics
    /// When others were.
    #[track_caller]
    pub fn assert_deleted<V: TView>(&self, keys: &[V::Key]) {
        self.assert_keys::<V>(Mode::Delete, "deleted", keys);
    }

    /// Asserts that all of `V` was synced at least once.
    ///
    /// # Panics
    /// When it was not.
    #[track_caller]
    pub fn assert_fully_synced<V: TView>(&self) {
        self.lock().expect(V::VIEW.table, Mode::Full);
        if self.fully_synced::<V>() == 0 {
            self.fail_with(&format!("expected all of {} to be synced", V::VIEW.entity));
        }
    }

    /// Asserts that nothing of `V` was synced, by key or in full.
    ///
    /// # Panics
    /// When something was.
    #[track_caller]
    pub fn assert_not_synced<V: TView>(&self) {
        if !self.synced::<V>().is_empty() || self.fully_synced::<V>() > 0 {
            self.fail_with(&format!("expected no {} to be synced", V::VIEW.entity));
        }
    }

    /// Asserts that nothing of `V` was deleted.
    ///
    /// # Panics
    /// When something was.
    #[track_caller]
    pub fn assert_not_deleted<V: TView>(&self) {
        if !self.deleted::<V>().is_empty() {
            self.fail_with(&format!("expected no {} to be deleted", V::VIEW.entity));
        }
    }

    /// Asserts that there was no call at all, and that nothing was said to be changed.
    ///
    /// # Panics
    /// When there was one, also if it failed.
    #[track_caller]
    pub fn assert_nothing(&self) {
        if !self.lock().calls.is_empty() {
            self.fail_with("expected no call at all");
        }
        self.assert_nothing_changed();
    }

    /// Asserts that there was no call, and no change, beyond those that earlier assertions were
    /// about: none of another view, mode or table. Calls that failed do not count.
    ///
    /// # Panics
    /// When there was one.
    #[track_caller]
    pub fn assert_no_more(&self) {
        let more: Vec<String> = {
            let record = self.lock();
            let unexpected = |call: &&Call| {
                call.error.is_none() && !record.expected.contains(&(call.view, call.mode))
            };
            let unexpected_change = |change: &&Change| {
                let is_of = |(table, column): &(String, String)| {
                    *table == change.table && *column == change.column
                };
                !record.expected_changes.iter().any(is_of)
            };
            let calls = record.calls.iter().filter(unexpected).map(Call::to_string);
            let changes = record.changes.iter().filter(unexpected_change);
            calls.chain(changes.map(Change::to_string)).collect()
        };
        if !more.is_empty() {
            self.fail_with(&format!(
                "expected no call beyond those that were asserted\n  unexpected: {}",
                more.join("; ")
            ));
        }
    }

    #[track_caller]
    fn assert_keys<V: TView>(&self, mode: Mode, verb: &str, expected: &[V::Key]) {
        self.lock().expect(V::VIEW.table, mode);
        let actual = self.listed::<V>(mode);
        let expected = Keys::of(expected);
        let entity = V::VIEW.entity;
        self.assert_same(&actual, &expected, || {
            if expected.is_empty() {
                format!("expected no {entity} to be {verb}")
            } else {
                format!("expected these of {entity} to be {verb}, and no others: {expected}")
            }
        });
    }

    /// Fails with what was expected, and with what is missing and what is too much, where there
    /// is any.
    #[track_caller]
    fn assert_same(&self, actual: &Keys, expected: &Keys, expectation: impl FnOnce() -> String) {
        let without = |keys: &Keys, others: &Keys| {
            let mut keys = keys.clone();
            keys.remove(others);
            keys
        };
        let missing = without(expected, actual);
        let unexpected = without(actual, expected);
        if missing.is_empty() && unexpected.is_empty() {
            return;
        }
        let mut text = expectation();
        for (what, keys) in [("missing", missing), ("unexpected", unexpected)] {
            if !keys.is_empty() {
                text.push_str(&format!("\n  {what}: {keys}"));
            }
        }
        self.fail_with(&text);
    }

    #[track_caller]
    fn fail_with(&self, expectation: &str) -> ! {
        let record = self.lock();
        let mut recorded = if record.calls.is_empty() && !record.changes.is_empty() {
            "recorded:".to_owned()
        } else {
            table(&record.calls)
        };
        for change in &record.changes {
            recorded.push_str(&format!("\n  {change}"));
        }
        drop(record);
        panic!("{expectation}\n{recorded}");
    }

    fn keys<V: TView>(&self, mode: Mode) -> Vec<V::Key> {
        let mut keys = Vec::new();
        V::Key::each(&self.listed::<V>(mode), &mut |key| keys.push(key));
        keys
    }

    /// The keys of the calls that succeeded, each where it comes first.
    fn listed<V: TView>(&self, mode: Mode) -> Keys {
        let mut keys = V::handle().no_keys();
        for call in self.lock().of(V::VIEW.table, mode) {
            keys.append(call.keys.clone());
        }
        keys.distinct()
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        // An assertion that fails never holds the lock.
        lock(&self.record)
    }

    fn answer(&self, request: &Request<'_>, keys: &Keys) -> Result<SyncReport> {
        let (view, mode, _) = request.summary();
        let table = view.view.table;
        let mut record = self.lock();
        let failure = record
            .next
            .pop_front()
            .or_else(|| get(&record.failing, table).cloned());
        let result = match failure {
            Some(failure) => Err(failure.error(view, mode == Mode::Delete, keys)),
            None => Ok(match get(&record.reports, table) {
                Some(report) => report.clone(),
                None => every(mode, keys.len() as u64),
            }),
        };
        record.calls.push(Call {
            entity: view.view.entity,
            view: table,
            mode,
            keys: keys.clone(),
            error: result.as_ref().err().map(ToString::to_string),
        });
        result
    }
}

impl Record {
    /// The calls of this view and mode that succeeded.
    fn of(&self, view: Table, mode: Mode) -> impl Iterator<Item = &Call> {
        self.calls
            .iter()
            .filter(move |call| call.view == view && call.mode == mode && call.error.is_none())
    }

    fn expect(&mut self, view: Table, mode: Mode) {
        self.expected.push((view, mode));
    }
}

/// A report that says so of every key.
fn every(mode: Mode, keys: u64) -> SyncReport {
    match mode {
        Mode::Delete => SyncReport {
            deleted: keys,
            ..SyncReport::default()
        },
        Mode::Sync | Mode::Full => SyncReport {
            updated: keys,
            ..SyncReport::default()
        },
    }
}

fn get<T>(list: &[(Table, T)], view: Table) -> Option<&T> {
    list.iter()
        .find(|(other, _)| *other == view)
        .map(|(_, value)| value)
}

fn set<T>(list: &mut Vec<(Table, T)>, view: Table, value: T) {
    list.retain(|(other, _)| *other != view);
    list.push((view, value));
}

/// What was recorded, for people.
fn table(calls: &[Call]) -> String {
    if calls.is_empty() {
        return "nothing was recorded".to_owned();
    }
    let width = |of: fn(&Call) -> usize| calls.iter().map(of).max().unwrap_or(0).max(4);
    let number = calls.len().to_string().len();
    let entity = width(|call| call.entity.chars().count());
    let mode = width(|call| call.mode.as_str().len());
    let mut text = format!(
        "recorded:\n  {:>number$}  {:entity$}  {:mode$}  keys",
        "#", "view", "mode"
    );
    for (index, call) in calls.iter().enumerate() {
        let keys = match call.mode {
            Mode::Full => "all".to_owned(),
            Mode::Sync | Mode::Delete => call.keys.to_string(),
        };
        text.push_str(&format!(
            "\n  {:>number$}  {:entity$}  {:mode$}  {keys}",
            index + 1,
            call.entity,
            call.mode
        ));
        if let Some(error) = &call.error {
            text.push_str(&format!("  failed: {error}"));
        }
    }
    text
}

impl SyncTarget for &Recorder {
    async fn run(self, request: Request<'_>, watch: &Watch<'_>) -> Result<SyncReport> {
        let (view, mode, _) = request.summary();
        let keys = match &request {
            Request::Sync { keys, .. } | Request::Delete { keys, .. } if keys.is_empty() => {
                return Ok(SyncReport::default());
            }
            Request::Sync { keys, .. }
            | Request::Delete { keys, .. }
            | Request::Replace { keys, .. } => keys.clone(),
            Request::Full { .. } => view.no_keys(),
        };
        let batch = StartedBatch::now(watch, view, mode, &keys);
        batch.end_unlogged(self.answer(&request, &keys))
    }
}
