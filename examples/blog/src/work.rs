//! Counts the statements and synced documents of one request.
//!
//! A request that wants these figures runs in [`Work::measure`]. Its statements are counted by a
//! [`layer`], from the events that sqlx sends to `tracing`; its documents by an
//! [observer](observe) of the read model. Both find the request by a task-local, and are inactive
//! for all other requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fraiseql_runtime::sync::BatchEvent;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

/// The `tracing` target of sqlx's events, one for each statement.
const QUERY_TARGET: &str = "sqlx::query";

tokio::task_local! {
    static CURRENT: Work;
}

/// The work of a request that is being measured. A clone is another handle.
#[derive(Clone, Debug, Default)]
pub struct Work(Arc<Mutex<WorkReport>>);

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkReport {
    /// Statements, including those of syncs and of the sync log.
    pub statements: StatementStats,
    /// Statements that begin and end transactions and savepoints.
    pub transaction: StatementStats,
    /// Synced documents, by entity.
    pub documents: BTreeMap<&'static str, DocumentCounts>,
    /// Total duration of the syncs, including their statements.
    pub sync_duration: Duration,
}

/// Statements, each of which is one round trip. The additional round trip that prepares a statement,
/// once for each connection, is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatementStats {
    /// The number of statements.
    pub count: u64,
    /// Total time until their results.
    pub duration: Duration,
}

/// Synced documents, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DocumentCounts {
    /// New documents.
    pub inserted: u64,
    /// Replaced documents.
    pub updated: u64,
    /// Documents that were equal already.
    pub unchanged: u64,
    /// Documents whose row is gone.
    pub deleted: u64,
}

impl Work {
    /// Runs a future, and reports its work.
    pub async fn measure<F: Future>(future: F) -> (F::Output, WorkReport) {
        let work = Self::default();
        let output = CURRENT.scope(work.clone(), future).await;
        let report = std::mem::take(&mut *work.lock());
        (output, report)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, WorkReport> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StatementStats {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.duration += other.duration;
    }
}

impl DocumentCounts {
    fn add(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
    }
}

/// Counts the documents of a batch. It is an observer for
/// [`ReadModelBuilder::observe`](fraiseql_runtime::model::ReadModelBuilder::observe).
pub fn observe(batch: &BatchEvent<'_>) {
    let Ok(report) = batch.result else { return };
    let documents = DocumentCounts {
        inserted: report.inserted,
        updated: report.updated,
        unchanged: report.unchanged,
        deleted: report.deleted,
    };
    // It fails if the work is not measured.
    let _ = CURRENT.try_with(|work| {
        let mut report = work.lock();
        report
            .documents
            .entry(batch.entity)
            .or_default()
            .add(documents);
        report.sync_duration += batch.duration;
    });
}

/// A layer that counts statements. It is installed beside a layer that prints events with the filter
/// `log`.
pub fn layer<S>(log: &EnvFilter) -> impl Layer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    StatementCounter
        .with_filter(MeasuredQueries)
        .and_then(GlobalFilter::new(log))
}

/// Counts the statements of measured work.
struct StatementCounter;

/// Filter of [`StatementCounter`]: statements inside [`Work::measure`].
struct MeasuredQueries;

/// Filter of the whole subscriber: events that `log` enables, and statements of measured work.
///
/// The filters of the single layers are not enough: while one of them is undecided about a callsite
/// (`Interest::sometimes`), the event counts as enabled, and sqlx would format the text of every
/// statement of every request, only for the layers to discard it. `None` lets everything through.
struct GlobalFilter(Option<EnvFilter>);

impl GlobalFilter {
    fn new(log: &EnvFilter) -> Self {
        let log = log.to_string();
        // Directives about spans, such as `[request]=debug`, depend on the spans that the filter has
        // seen being entered. This copy sees none, so it would discard their events.
        Self((!log.contains('[')).then(|| EnvFilter::new(log)))
    }
}

fn is_measured_query(metadata: &Metadata<'_>) -> bool {
    metadata.target() == QUERY_TARGET && CURRENT.try_with(|_| ()).is_ok()
}

impl<S: Subscriber> Layer<S> for GlobalFilter {
    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        let Self(Some(log)) = self else { return true };
        is_measured_query(metadata) || Filter::enabled(log, metadata, &context)
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match &self.0 {
            // It depends on the task, so it must be decided for each event.
            Some(_) if metadata.target() == QUERY_TARGET => Interest::sometimes(),
            Some(log) => Filter::<S>::callsite_enabled(log, metadata),
            None => Interest::always(),
        }
    }
}

impl<S> Filter<S> for MeasuredQueries {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        is_measured_query(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.target() == QUERY_TARGET {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // sqlx logs statements at this level, slow ones at a higher one.
        Some(LevelFilter::DEBUG)
    }
}

impl<S: Subscriber> Layer<S> for StatementCounter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let _ = CURRENT.try_with(|work| {
            let mut query = QueryEvent::default();
            event.record(&mut query);
            query.count(&mut work.lock());
        });
    }
}

/// The fields of sqlx's event that are counted.
#[derive(Default)]
struct QueryEvent {
    kind: StatementKind,
    duration: Duration,
}

#[derive(Default)]
enum StatementKind {
    #[default]
    Statement,
    Begin,
    Savepoint,
    End,
}

impl Visit for QueryEvent {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "summary" {
            self.kind = StatementKind::of(value);
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.duration = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl StatementKind {
    fn of(summary: &str) -> Self {
        let mut words = summary.split_whitespace();
        match (words.next(), words.next()) {
            (Some("BEGIN"), _) => Self::Begin,
            (Some("COMMIT" | "ROLLBACK"), None) => Self::End,
            // A mutation commits and reads the position after the commit by one message.
            (Some("COMMIT"), Some("AND")) => Self::End,
            (Some("SAVEPOINT" | "RELEASE" | "ROLLBACK"), _) => Self::Savepoint,
            _ => Self::Statement,
        }
    }
}

impl QueryEvent {
    fn count(&self, report: &mut WorkReport) {
        let (stats, count) = match self.kind {
            StatementKind::Statement => (&mut report.statements, 1),
            StatementKind::Savepoint => (&mut report.transaction, 1),
            // sqlx logs the end of every transaction, but the BEGIN only of some. So the end counts
            // as two, and a BEGIN that is logged as none.
            StatementKind::Begin => (&mut report.transaction, 0),
            StatementKind::End => (&mut report.transaction, 2),
        };
        stats.add(StatementStats {
            count,
            duration: self.duration,
        });
    }
}

#[cfg(test)]
mod tests {
    use fraiseql_runtime::Recorder;
    use uuid::Uuid;

    use super::*;
    use crate::views::{self, sync_post, sync_user};

    #[tokio::test]
    async fn documents_are_counted_by_entity_and_those_of_other_tasks_are_not() {
        let blog = views::read_model().observe(observe).build().unwrap();
        let recorder = Recorder::new();
        let (post, user) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let work = async {
            sync_post(blog.on(&recorder), &[post]).await.unwrap();
            sync_user(blog.on(&recorder), &[user]).await.unwrap();
            let (blog, recorder) = (blog.clone(), recorder.clone());
            let other = async move {
                sync_post(blog.on(&recorder), &[post]).await.unwrap();
            };
            tokio::spawn(other).await.unwrap();
        };
        let ((), report) = Work::measure(work).await;
        let counted: Vec<(&str, u64)> = report
            .documents
            .iter()
            .map(|(entity, documents)| (*entity, documents.updated + documents.inserted))
            .collect();
        assert_eq!(counted, [("post", 1), ("user", 1)]);
    }
}
