//! A sync target with observers and a log.

use std::sync::Arc;

use crate::error::Result;
use crate::schema::default_schema::DefaultSchema;
use crate::sync::report::SyncReport;
use crate::sync::request::SyncRequest;
use crate::sync::run::run_observed;
use crate::sync::target::SyncTarget;
use crate::sync::watch::{Observers, Watch};

/// A target whose batches are reported to the observers and the log of a read model; see
/// [`ReadModel::on`](crate::ReadModel::on).
///
/// It can be used wherever its target can. If one is nested in another, the observers of the
/// innermost are called, and its schema is synced and read. One that holds a `PgPool` or a [`Recorder`](crate::Recorder) by value can be
/// used by reference, many times.
#[derive(Clone, Debug)]
pub struct Observed<T> {
    target: T,
    observers: Arc<Observers>,
    schema: DefaultSchema,
}

impl<T> Observed<T> {
    pub(crate) fn new(target: T, observers: Arc<Observers>, schema: DefaultSchema) -> Self {
        Self {
            target,
            observers,
            schema,
        }
    }

    /// The schema that stands for `public`.
    pub(crate) const fn schema(&self) -> DefaultSchema {
        self.schema
    }

    /// The target and its observers.
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
    async fn run(self, request: SyncRequest<'_>, _: &Watch<'_>) -> Result<SyncReport> {
        run_observed(self.target, &self.observers, request.in_schema(self.schema)).await
    }
}

impl<'a, T: Sync> SyncTarget for &'a Observed<T>
where
    &'a T: SyncTarget,
{
    // Not an `async fn`: its future would hold `self`, and the compiler could prove that future to
    // be `Send` only for this one lifetime.
    fn run(
        self,
        request: SyncRequest<'_>,
        _: &Watch<'_>,
    ) -> impl Future<Output = Result<SyncReport>> + Send {
        run_observed(
            &self.target,
            &self.observers,
            request.in_schema(self.schema),
        )
    }
}
