//! Verifying: comparing documents with what they should be. Here what a verification is told,
//! in [`target`] where it can run, in `run` the work, in [`report`] what it found, in
//! [`difference`] how two documents differ; [`assertion`] is for tests.

pub mod difference;
pub mod report;
mod run;
pub mod target;
mod telemetry;

pub use self::difference::{Difference, Explained};
pub use self::report::{KeyList, VerifyProgress, VerifyReport, VerifyReports};
pub use self::target::VerifyTarget;

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;

use crate::error::Result;
use crate::read::typed::TView;
use crate::sync::watch::{NOBODY, Watch};
use crate::view::Handle;

/// A verification that has not started: `verify_post(&pool)`, or [`ReadModel::verify`](crate::ReadModel::verify) for all
/// views. Awaiting it runs it.
///
/// It goes through the keys of the base table and of the view table, as a full sync does, builds
/// the documents of each chunk and compares them with those that are stored, data and promoted
/// columns alike, in one statement and so in one snapshot. Nothing is written, unless
/// [`repair`](Self::repair) is asked for: it runs on a hot standby, and in a transaction that is
/// read-only or REPEATABLE READ.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL);
/// #     INSERT INTO tb_post SELECT i, 'Notes' FROM generate_series(1, 9) AS i", async |pool| {
/// # migrate::<Post>(&pool).await;
/// sync_all_posts(&pool).await?;
/// assert!(verify_post(&pool).await?.is_clean());
///
/// // Somebody forgets to sync:
/// sqlx::raw_sql("UPDATE tb_post SET title = 'More' WHERE id IN (7, 8);
///     INSERT INTO tb_post VALUES (10, 'New'); DELETE FROM tb_post WHERE id = 1")
///     .execute(&pool)
///     .await?;
/// let report = verify_post(&pool).await?;
/// assert_eq!(report.checked, 10);
/// assert_eq!(report.drifted.of::<Post>(), [7, 8]);
/// assert_eq!(report.missing.of::<Post>(), [10]);
/// assert_eq!(report.orphaned.of::<Post>(), [1]);
///
/// // A tenth of the documents, by chance, and what is wrong among them is synced.
/// verify_post(&pool).sample(0.1).repair().await?;
///
/// // All of them, and what it found and did.
/// println!("{}", verify_post(&pool).repair().await?);
/// assert!(verify_post(&pool).await?.is_clean());
/// # Ok(()) }) }
/// ```
///
/// A document whose row was changed a moment ago, and is synced in a moment, differs. On a system
/// at work, verify again before you call it an error, or repair: what was synced meanwhile is
/// counted as unchanged in [`VerifyReport::repaired`].
///
/// On a replica, what is found can be synced on the primary:
/// `sync_post(&primary, &report.drifted.of::<Post>())`.
///
/// # Errors
/// Awaiting it fails when the database refuses a statement, [`Error::Sample`](crate::Error::Sample)
/// when the share of a sample is none. A document that cannot be built is no error; it is listed in
/// [`VerifyReport::invalid`].
#[must_use = "a verification does nothing until it is awaited"]
pub struct Verify<'a, R = VerifyReport> {
    /// The target, behind a function: a wrong one is then one error of the compiler, not another
    /// at each `.await`.
    run: Box<dyn FnOnce(Request<'a>) -> Reports<'a> + Send + 'a>,
    views: Vec<Handle>,
    settings: Settings<'a>,
    report: PhantomData<fn() -> R>,
}

type Reports<'a> = Pin<Box<dyn Future<Output = Result<Vec<VerifyReport>>> + Send + 'a>>;

/// Called after each chunk of a verification.
type OnProgress<'a> = Box<dyn FnMut(&VerifyProgress) + Send + 'a>;

/// What a verification was told.
#[derive(Default)]
struct Settings<'a> {
    chunk: Option<usize>,
    sample: Option<f64>,
    seed: Option<i64>,
    explain: usize,
    repair: bool,
    progress: Option<OnProgress<'a>>,
}

/// What a target is asked to verify.
#[derive(Debug)]
pub struct Request<'a> {
    views: Vec<Handle>,
    settings: Settings<'a>,
}

impl fmt::Debug for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("chunk", &self.chunk)
            .field("sample", &self.sample)
            .field("seed", &self.seed)
            .field("explain", &self.explain)
            .field("repair", &self.repair)
            .finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for Verify<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let views = self.views.iter().map(|handle| handle.view.entity);
        f.debug_struct("Verify")
            .field("views", &views.collect::<Vec<_>>())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A verification of the view `V` on `target`. This is what `verify_post` calls.
pub fn verify<'a, V: TView>(target: impl VerifyTarget + 'a) -> Verify<'a> {
    Verify::new(target, vec![V::handle()])
}

impl<'a, R> Verify<'a, R> {
    pub(crate) fn new(target: impl VerifyTarget + 'a, views: Vec<Handle>) -> Self {
        Self {
            run: Box::new(|request| {
                Box::pin(async { target.verify(request, &Watch::new(&NOBODY)).await })
            }),
            views,
            settings: Settings::default(),
            report: PhantomData,
        }
    }

    /// How many documents each statement builds and compares; at least 1. Unless told, as many
    /// as make about 1.5 MB, and 1,000 at most.
    pub fn chunk(mut self, documents: usize) -> Self {
        self.settings.chunk = Some(documents.max(1));
        self
    }

    /// Looks at a share of the documents, from 0 to 1: `0.01` is one of a hundred. Each key of
    /// the base table and of the view table has this chance, so documents that are missing or
    /// orphaned are met as often as others.
    ///
    /// The keys that are not in the sample are still read, from the indexes of both tables.
    pub fn sample(mut self, share: f64) -> Self {
        self.settings.sample = Some(share);
        self
    }

    /// Which sample it is: the same seed picks the same keys, on the same server. Unless told,
    /// each verification takes another.
    pub fn seed(mut self, seed: i64) -> Self {
        self.settings.seed = Some(seed);
        self
    }

    /// Says of the first so many drifted documents of each view where they differ, in
    /// [`VerifyReport::explained`].
    pub fn explain(mut self, documents: usize) -> Self {
        self.settings.explain = documents;
        self
    }

    /// Syncs what is drifted, missing or orphaned, chunk by chunk, as `sync_post` does on this
    /// target. What was done is in [`VerifyReport::repaired`].
    pub fn repair(mut self) -> Self {
        self.settings.repair = true;
        self
    }

    /// Calls `progress` after each chunk.
    pub fn on_progress(mut self, progress: impl FnMut(&VerifyProgress) + Send + 'a) -> Self {
        self.settings.progress = Some(Box::new(progress));
        self
    }
}

/// What awaiting a [`Verify`] gives: a report of one view, or one of each.
pub trait FromReports: Sized {
    #[doc(hidden)]
    fn from_reports(reports: Vec<VerifyReport>) -> Self;
}

impl<'a, R: FromReports + 'a> IntoFuture for Verify<'a, R> {
    type Output = Result<R>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            run,
            views,
            settings,
            ..
        } = self;
        Box::pin(async move { run(Request { views, settings }).await.map(R::from_reports) })
    }
}
