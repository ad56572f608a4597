//! The Prometheus recorder and the gauges of the process.
//!
//! fraiseql-runtime records syncs, and [`http`] records requests. The gauges of the pool, of readiness and
//! of what is left to the workers are set when the metrics are rendered.

use std::fmt::{self, Debug};
use std::time::Duration;

use anyhow::{Context as _, Result};
use fraiseql_runtime::ReadModel;
use metrics::{Gauge, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::changes::{self, WORKER_TIME};
use super::{http, ready, slow};
use crate::app::App;

/// Histogram buckets in seconds: from a lookup by key to a request that has timed out.
const DURATION_BUCKETS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Histogram buckets for numbers of documents. A batch has at most 500, a mutation as many as its
/// limits allow.
const DOCUMENT_BUCKETS: [f64; 12] = [
    0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 10_000.0,
];
/// How often histograms are aggregated. They keep every value in memory until then.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

const POOL_CONNECTIONS: &str = "blog_pool_connections";
const POOL_CONNECTIONS_MAX: &str = "blog_pool_connections_max";
const READY: &str = "blog_ready";
const PENDING: &str = "blog_changes_pending";
const FAILING: &str = "blog_changes_failing";
const OLDEST: &str = "blog_changes_oldest_seconds";
const DEAD: &str = "blog_dead_letters";
const WORKER: &str = "blog_worker_alive";

/// The recorder, and the gauges that are set when it is rendered.
#[derive(Clone)]
pub struct Metrics {
    recorder: PrometheusHandle,
    busy: Gauge,
    idle: Gauge,
    max: Gauge,
    ready: Gauge,
    changes: ChangeGauges,
}

/// What is left to the workers of all processes, and the worker of this one.
#[derive(Clone)]
struct ChangeGauges {
    pending: Gauge,
    failing: Gauge,
    oldest: Gauge,
    dead: Gauge,
    worker: Gauge,
}

impl Metrics {
    pub(super) fn install() -> Result<Self> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS)?
            .set_buckets_for_metric(Matcher::Suffix("_documents".to_owned()), &DOCUMENT_BUCKETS)?
            .set_buckets_for_metric(Matcher::Suffix("_dependents".to_owned()), &DOCUMENT_BUCKETS)?
            .install_recorder()
            .context("cannot install the metrics recorder")?;
        fraiseql_runtime::sync::describe_metrics();
        describe();
        let upkeep = recorder.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
            loop {
                interval.tick().await;
                upkeep.run_upkeep();
            }
        });
        Ok(Self {
            recorder,
            busy: gauge!(POOL_CONNECTIONS, "state" => "busy"),
            idle: gauge!(POOL_CONNECTIONS, "state" => "idle"),
            max: gauge!(POOL_CONNECTIONS_MAX),
            ready: gauge!(READY),
            changes: ChangeGauges {
                pending: gauge!(PENDING),
                failing: gauge!(FAILING),
                oldest: gauge!(OLDEST),
                dead: gauge!(DEAD),
                worker: gauge!(WORKER),
            },
        })
    }

    /// All metrics in the Prometheus text format.
    pub(super) async fn render(&self, app: &App) -> String {
        let ready = ready::check(app).await.is_ok();
        self.ready.set(f64::from(u8::from(ready)));
        let (all, idle) = (app.pool.size(), app.pool.num_idle());
        let idle = u32::try_from(idle).unwrap_or(all).min(all);
        self.idle.set(f64::from(idle));
        self.busy.set(f64::from(all - idle));
        self.max
            .set(f64::from(app.pool.options().get_max_connections()));
        self.changes.set(app).await;
        self.recorder.render()
    }
}

impl ChangeGauges {
    /// Numbers that cannot be read are not a number, rather than those of an earlier time.
    #[expect(clippy::cast_precision_loss, reason = "f64 is exact up to 2^53")]
    async fn set(&self, app: &App) {
        let changes = changes::read(app).await;
        let changes = changes.as_ref();
        let number = |count: Option<u64>| count.map_or(f64::NAN, |count| count as f64);
        self.pending.set(number(changes.map(|it| it.pending)));
        self.failing.set(number(changes.map(|it| it.failing)));
        self.dead.set(number(changes.map(|it| it.dead)));
        let oldest = changes.map(|it| it.oldest.unwrap_or_default().as_secs_f64());
        self.oldest.set(oldest.unwrap_or(f64::NAN));
        let alive = app.worker.is_alive(WORKER_TIME);
        self.worker.set(f64::from(u8::from(alive)));
    }
}

/// Creates the counters at zero: Prometheus does not see an increase from an absent series.
pub fn register(model: &ReadModel) {
    model.register_metrics();
    for view in model.views() {
        counter!(slow::SLOW_SYNCS, "entity" => view.entity).increment(0);
    }
}

fn describe() {
    describe_counter!(
        slow::SLOW_SYNCS,
        Unit::Count,
        "Syncs that took longer than --slow-sync"
    );
    describe_counter!(
        http::REQUESTS,
        Unit::Count,
        "Completed or cancelled requests"
    );
    describe_histogram!(
        http::DURATION,
        Unit::Seconds,
        "Time from a request to its response"
    );
    describe_gauge!(
        http::IN_FLIGHT,
        Unit::Count,
        "Requests that are being served"
    );
    describe_gauge!(POOL_CONNECTIONS, Unit::Count, "Connections to the database");
    describe_gauge!(
        POOL_CONNECTIONS_MAX,
        Unit::Count,
        "Maximum number of connections to the database"
    );
    describe_gauge!(READY, Unit::Count, "1 if /ready returns 200, otherwise 0");
    describe_gauge!(
        PENDING,
        Unit::Count,
        "Changes whose documents are not synced"
    );
    describe_gauge!(
        FAILING,
        Unit::Count,
        "Those of them that have failed and wait for another attempt"
    );
    describe_gauge!(
        OLDEST,
        Unit::Seconds,
        "Age of the oldest of them; 0 if there is none"
    );
    describe_gauge!(
        DEAD,
        Unit::Count,
        "Documents that the workers have given up"
    );
    describe_gauge!(
        WORKER,
        Unit::Count,
        "1 if the worker of this process is alive, otherwise 0"
    );
}

impl Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
