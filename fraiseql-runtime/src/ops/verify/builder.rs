//! A verification as a builder: options, then `.await`.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;

use crate::error::Result;
use crate::ops::verify::options::{VerifyOptions, VerifyRequest};
use crate::ops::verify::report::{FromReports, VerifyProgress, VerifyReport};
use crate::ops::verify::target::VerifyTarget;
use crate::sync::watch::{NO_OBSERVERS, Watch};
use crate::view::Handle;

/// A verification that has not started: `verify_post(&pool)` for one view, or
/// [`ReadModel::verify`](crate::ReadModel::verify) for all views. Awaiting it runs it.
///
/// A verification reads the keys of the base table and of the view table, chunk by chunk, as a
/// full sync does. For each chunk, one statement builds the documents and compares them with the
/// stored ones, both `data` and promoted columns, so all of it is in one snapshot. Nothing is
/// written unless [`repair`](Self::repair) is set, so a verification can run on a hot standby, and
/// in a transaction that is read-only or REPEATABLE READ.
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
/// // Rows change, and nothing syncs their documents:
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
/// // A random tenth of the documents; those of them that are wrong are synced.
/// verify_post(&pool).sample(0.1).repair().await?;
///
/// // All of them, with a report of what was found and repaired.
/// println!("{}", verify_post(&pool).repair().await?);
/// assert!(verify_post(&pool).await?.is_clean());
/// # Ok(()) }) }
/// ```
///
/// A document is drifted between the commit that changes its row and its sync. While the
/// application writes, verify again before you treat a drifted document as an error, or repair:
/// documents that were synced meanwhile are counted as unchanged in [`VerifyReport::repaired`].
///
/// What a verification finds on a replica can be synced on the primary:
/// `sync_post(&primary, &report.drifted.of::<Post>())`.
///
/// # Errors
/// Awaiting it fails if a statement fails, and with [`Error::Sample`](crate::Error::Sample) if the
/// share of a sample is not a number from 0 to 1. A document that cannot be built is not an error:
/// it is listed in [`VerifyReport::invalid`].
#[must_use = "a verification does nothing until it is awaited"]
pub struct Verify<'a, R = VerifyReport> {
    /// Verifies on the target. A closure instead of a type parameter: a wrong target is then one
    /// compile error at the call, and not another one at each `.await`.
    run: Box<dyn FnOnce(VerifyRequest<'a>) -> Reports<'a> + Send + 'a>,
    views: Vec<Handle>,
    options: VerifyOptions<'a>,
    report: PhantomData<fn() -> R>,
}

type Reports<'a> = Pin<Box<dyn Future<Output = Result<Vec<VerifyReport>>> + Send + 'a>>;

impl<R> fmt::Debug for Verify<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let views = self.views.iter().map(|handle| handle.view.entity);
        f.debug_struct("Verify")
            .field("views", &views.collect::<Vec<_>>())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<'a, R> Verify<'a, R> {
    pub(crate) fn new(target: impl VerifyTarget + 'a, views: Vec<Handle>) -> Self {
        Self {
            run: Box::new(|request| {
                Box::pin(async { target.verify(request, &Watch::new(&NO_OBSERVERS)).await })
            }),
            views,
            options: VerifyOptions::default(),
            report: PhantomData,
        }
    }

    /// Sets how many documents each statement builds and compares; at least 1. By default as many
    /// as have about 1.5 MB, and at most 1,000.
    pub fn chunk(mut self, documents: usize) -> Self {
        self.options.chunk = Some(documents.max(1));
        self
    }

    /// Verifies a share of the documents, from 0 to 1: `0.01` is one in a hundred. Each key of
    /// the base table and of the view table is chosen with this probability, so missing and
    /// orphaned documents are found as often as drifted ones.
    ///
    /// The keys that are not in the sample are still read, from the indexes of both tables.
    pub fn sample(mut self, share: f64) -> Self {
        self.options.sample = Some(share);
        self
    }

    /// Sets the seed of the sample: the same seed chooses the same keys, on the same server. By
    /// default each verification has a random seed.
    pub fn seed(mut self, seed: i64) -> Self {
        self.options.seed = Some(seed);
        self
    }

    /// Reports where drifted documents differ, for at most this number of documents of each view,
    /// in [`VerifyReport::explained`].
    pub fn explain(mut self, documents: usize) -> Self {
        self.options.explain = documents;
        self
    }

    /// Syncs drifted, missing and orphaned documents, chunk by chunk, as `sync_post` does on this
    /// target. The result is in [`VerifyReport::repaired`].
    pub fn repair(mut self) -> Self {
        self.options.repair = true;
        self
    }

    /// Calls `progress` after each chunk.
    pub fn on_progress(mut self, progress: impl FnMut(&VerifyProgress) + Send + 'a) -> Self {
        self.options.progress = Some(Box::new(progress));
        self
    }
}

impl<'a, R: FromReports + 'a> IntoFuture for Verify<'a, R> {
    type Output = Result<R>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            run,
            views,
            options,
            ..
        } = self;
        Box::pin(async move {
            run(VerifyRequest { views, options })
                .await
                .map(R::from_reports)
        })
    }
}
