//! What one request did, for those that ask: statements, documents synced.
//!
//! A request that asks runs in [`Work::of`]. Its statements are counted from what sqlx tells
//! `tracing`, by a [`layer`] that is off for everybody else; its documents are counted by an
//! [observer](observe) of the read model.

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

/// Where sqlx says what it ran.
const QUERIES: &str = "sqlx::query";

tokio::task_local! {
    static WORK: Work;
}

/// What is being done. A clone is another handle.
#[derive(Clone, Debug, Default)]
pub struct Work(Arc<Mutex<Done>>);

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Statements, those of the sync and of its log among them.
    pub statements: Asked,
    /// What begins and ends transactions and savepoints.
    pub transaction: Asked,
    /// Documents that were synced, by entity.
    pub documents: BTreeMap<&'static str, Documents>,
    /// The time that syncs took, their statements included.
    pub syncing: Duration,
}

/// What the database was asked; each is a round trip. A statement that a connection has not run
/// before is another one, which prepares it, and is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// How often.
    pub times: u64,
    /// How long the answers took.
    pub duration: Duration,
}

/// What became of documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Documents {
    /// Those that were not there before.
    pub inserted: u64,
    /// Those that were replaced.
    pub updated: u64,
    /// Those that were equal already.
    pub unchanged: u64,
    /// Those whose row is gone.
    pub deleted: u64,
}

impl Work {
    /// Runs a future, and says what it did.
    pub async fn of<F: Future>(future: F) -> (F::Output, Done) {
        let work = Self::default();
        let output = WORK.scope(work.clone(), future).await;
        let done = std::mem::take(&mut *work.lock());
        (output, done)
    }

    /// The work that this is a part of, where somebody asks.
    #[must_use]
    pub fn current() -> Option<Self> {
        WORK.try_with(Self::clone).ok()
    }

    /// Runs a future on behalf of others, who wait in tasks of their own: each of them has done
    /// all of it.
    pub async fn for_others<F: Future>(others: Vec<Self>, future: F) -> F::Output {
        if others.is_empty() {
            return future.await;
        }
        let (output, done) = Self::of(future).await;
        for other in others {
            other.lock().add(&done);
        }
        output
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Done> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Done {
    fn add(&mut self, other: &Self) {
        self.statements.add(other.statements);
        self.transaction.add(other.transaction);
        for (entity, documents) in &other.documents {
            self.documents.entry(entity).or_default().add(*documents);
        }
        self.syncing += other.syncing;
    }
}

impl Asked {
    fn add(&mut self, other: Self) {
        self.times += other.times;
        self.duration += other.duration;
    }
}

impl Documents {
    fn add(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
    }
}

/// Counts documents: for [`ReadModelBuilder::observe`](fraiseql_runtime::model::ReadModelBuilder::observe).
pub fn observe(batch: &BatchEvent<'_>) {
    let Ok(report) = batch.result else { return };
    let documents = Documents {
        inserted: report.inserted,
        updated: report.updated,
        unchanged: report.unchanged,
        deleted: report.deleted,
    };
    // Nobody asks.
    let _ = WORK.try_with(|work| {
        let mut done = work.lock();
        done.documents
            .entry(batch.entity)
            .or_default()
            .add(documents);
        done.syncing += batch.duration;
    });
}

/// Counts statements, beside a layer that prints what `log` lets through.
pub fn layer<S>(log: &EnvFilter) -> impl Layer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    Statements.with_filter(WhereAsked).and_then(Gate::new(log))
}

struct Statements;

/// Is on inside [`Work::of`] alone.
struct WhereAsked;

/// Lets through what the log lets through, and statements where somebody asks. With the filters of
/// the two layers alone, sqlx would be told that somebody might be interested, and write down
/// every statement.
struct Gate(Option<EnvFilter>);

impl Gate {
    fn new(log: &EnvFilter) -> Self {
        let log = log.to_string();
        // A copy does not know of spans.
        Self((!log.contains('[')).then(|| EnvFilter::new(log)))
    }
}

impl<S: Subscriber> Layer<S> for Gate {
    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        let Self(Some(log)) = self else { return true };
        let asked = metadata.target() == QUERIES && WORK.try_with(|_| ()).is_ok();
        asked || Filter::enabled(log, metadata, &context)
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match &self.0 {
            Some(_) if metadata.target() == QUERIES => Interest::sometimes(),
            Some(log) => Filter::<S>::callsite_enabled(log, metadata),
            None => Interest::always(),
        }
    }
}

impl<S> Filter<S> for WhereAsked {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        metadata.target() == QUERIES && WORK.try_with(|_| ()).is_ok()
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.target() == QUERIES {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // The level of sqlx for statements that are not slow.
        Some(LevelFilter::DEBUG)
    }
}

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let _ = WORK.try_with(|work| {
            let mut statement = Statement::default();
            event.record(&mut statement);
            statement.count(&mut work.lock());
        });
    }
}

/// What sqlx says of a statement.
#[derive(Default)]
struct Statement {
    kind: Kind,
    duration: Duration,
}

#[derive(Default)]
enum Kind {
    #[default]
    Statement,
    Begin,
    Savepoint,
    End,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "summary" {
            self.kind = Kind::of(value);
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.duration = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl Kind {
    fn of(summary: &str) -> Self {
        let mut words = summary.split_whitespace();
        match (words.next(), words.next()) {
            (Some("BEGIN"), _) => Self::Begin,
            (Some("COMMIT" | "ROLLBACK"), None) => Self::End,
            (Some("SAVEPOINT" | "RELEASE" | "ROLLBACK"), _) => Self::Savepoint,
            _ => Self::Statement,
        }
    }
}

impl Statement {
    fn count(&self, done: &mut Done) {
        let (asked, times) = match self.kind {
            Kind::Statement => (&mut done.statements, 1),
            Kind::Savepoint => (&mut done.transaction, 1),
            // Of most transactions sqlx tells the end alone: it stands for the beginning too.
            Kind::Begin => (&mut done.transaction, 0),
            Kind::End => (&mut done.transaction, 2),
        };
        asked.add(Asked {
            times,
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
    async fn documents_are_counted_by_entity_also_those_that_another_task_syncs() {
        let blog = views::read_model().observe(observe).build().unwrap();
        let recorder = Recorder::new();
        let (post, user) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let work = async {
            sync_post(blog.on(&recorder), &[post]).await.unwrap();
            let asking: Vec<Work> = Work::current().into_iter().collect();
            let (blog, recorder) = (blog.clone(), recorder.clone());
            let other = async move {
                let sync = async {
                    sync_post(blog.on(&recorder), &[post]).await.unwrap();
                    sync_user(blog.on(&recorder), &[user]).await.unwrap();
                };
                Work::for_others(asking, sync).await;
            };
            tokio::spawn(other).await.unwrap();
        };
        let ((), done) = Work::of(work).await;
        let counted: Vec<(&str, u64)> = done
            .documents
            .iter()
            .map(|(entity, documents)| (*entity, documents.updated + documents.inserted))
            .collect();
        assert_eq!(counted, [("post", 2), ("user", 1)]);
    }
}
