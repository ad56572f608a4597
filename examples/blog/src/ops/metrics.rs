//! The metrics of the process, for Prometheus.
//!
//! What is synced is measured by the library; requests by [`http`]. The pool and
//! readiness are asked when somebody reads.

use std::fmt::{self, Debug};
use std::time::Duration;

use anyhow::{Context as _, Result};
use fraiseql_runtime::ReadModel;
use metrics::{Gauge, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::{http, ready, slow};
use crate::app::App;

/// From a lookup by key to what nobody waits for.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// A batch has 500 at most, and a mutation as many as its limits allow.
const DOCUMENTS: [f64; 12] = [
    0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 10_000.0,
];
/// Histograms keep every value until they are summed up.
const BETWEEN_UPKEEPS: Duration = Duration::from_secs(5);

const CONNECTIONS: &str = "blog_pool_connections";
const CONNECTIONS_MAX: &str = "blog_pool_connections_max";
const READY: &str = "blog_ready";

/// The recorder, and what it is told when somebody reads.
#[derive(Clone)]
pub struct Metrics {
    recorder: PrometheusHandle,
    busy: Gauge,
    idle: Gauge,
    max: Gauge,
    ready: Gauge,
}

impl Metrics {
    pub(super) fn install() -> Result<Self> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_documents".to_owned()), &DOCUMENTS)?
            .set_buckets_for_metric(Matcher::Suffix("_dependents".to_owned()), &DOCUMENTS)?
            .install_recorder()
            .context("cannot measure")?;
        fraiseql_runtime::sync::describe_metrics();
        describe();
        let upkeep = recorder.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(BETWEEN_UPKEEPS);
            loop {
                interval.tick().await;
                upkeep.run_upkeep();
            }
        });
        Ok(Self {
            recorder,
            busy: gauge!(CONNECTIONS, "state" => "busy"),
            idle: gauge!(CONNECTIONS, "state" => "idle"),
            max: gauge!(CONNECTIONS_MAX),
            ready: gauge!(READY),
        })
    }

    /// Everything, in the format of Prometheus.
    pub(super) async fn render(&self, app: &App) -> String {
        let ready = ready::check(app).await.is_ok();
        self.ready.set(f64::from(u8::from(ready)));
        let (all, idle) = (app.pool.size(), app.pool.num_idle());
        let idle = u32::try_from(idle).unwrap_or(all).min(all);
        self.idle.set(f64::from(idle));
        self.busy.set(f64::from(all - idle));
        self.max
            .set(f64::from(app.pool.options().get_max_connections()));
        self.recorder.render()
    }
}

/// Shows the counters before the first event: Prometheus does not see an increment from nothing.
pub fn register(model: &ReadModel) {
    model.register_metrics();
    for view in model.views() {
        counter!(slow::SLOW, "entity" => view.entity).increment(0);
    }
}

fn describe() {
    describe_counter!(
        slow::SLOW,
        Unit::Count,
        "Syncs that took longer than --slow-sync"
    );
    describe_counter!(http::REQUESTS, Unit::Count, "Requests that are over");
    describe_histogram!(
        http::DURATION,
        Unit::Seconds,
        "The time until a request has its answer"
    );
    describe_gauge!(http::IN_FLIGHT, Unit::Count, "Requests that are running");
    describe_gauge!(CONNECTIONS, Unit::Count, "Connections to the database");
    describe_gauge!(
        CONNECTIONS_MAX,
        Unit::Count,
        "The connections that there can be"
    );
    describe_gauge!(READY, Unit::Count, "Whether /ready says so: 1, or 0");
}

impl Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
