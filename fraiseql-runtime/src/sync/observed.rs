//! A sync target with observers and a log.

use std::sync::Arc;

use crate::error::Result;
use crate::sync::report::SyncReport;
use crate::sync::request::Request;
use crate::sync::run::run_observed;
use crate::sync::target::SyncTarget;
use crate::sync::watch::{Observers, Watch};

/// A target whose batches are told to the observers and the log of a read model; see
/// [`ReadModel::on`](crate::ReadModel::on).
///
/// It can be used where its target can; of nested ones, the innermost is told. One that holds a
/// `PgPool` or a [`Recorder`](crate::Recorder) by value can be used by reference, many times.
#[derive(Clone, Debug)]
pub struct Observed<T> {
    target: T,
    observers: Arc<Observers>,
}

impl<T> Observed<T> {
    pub(crate) fn new(target: T, observers: Arc<Observers>) -> Self {
        Self { target, observers }
    }

    /// The target, and who watches it.
    pub(crate) fn parts(&self) -> (&T, &Observers) {
        (&self.target, &self.observers)
    }

    pub(crate) fn into_parts(self) -> (T, Arc<Observers>) {
        (self.target, self.observers)
    }

    /// The target itself.
    pub fn into_inner(self) -> T {
        self.target
    }
}

impl<T: SyncTarget> SyncTarget for Observed<T> {
    async fn run(self, request: Request<'_>, _: &Watch<'_>) -> Result<SyncReport> {
        run_observed(self.target, &self.observers, request).await
    }
}

impl<'a, T: Sync> SyncTarget for &'a Observed<T>
where
    &'a T: SyncTarget,
{
    // Not an `async fn`: that one would hold `self`, whose `Send` is known for this lifetime only.
    fn run(
        self,
        request: Request<'_>,
        _: &Watch<'_>,
    ) -> impl Future<Output = Result<SyncReport>> + Send {
        run_observed(&self.target, &self.observers, request)
    }
}
