//! What a monitor asks over HTTP. Nothing of it is to be cached.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;

use super::syncs::{self, Syncs};
use super::{http, ready};
use crate::app::App;

const UNCACHED: (HeaderName, &str) = (CACHE_CONTROL, "no-store");
/// The version of the format, not of Prometheus.
const PROMETHEUS: (HeaderName, &str) = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");

/// The routes of a monitor.
pub fn router(app: &App) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/metrics.json", get(metrics_json))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .with_state(app.clone())
}

/// Measures the requests of all these routes.
pub(crate) fn measured(router: Router, app: &App) -> Router {
    router.layer(axum::middleware::from_fn_with_state(
        app.ops.requests.clone(),
        http::measure,
    ))
}

async fn metrics(State(app): State<App>) -> impl IntoResponse {
    ([UNCACHED, PROMETHEUS], app.ops.metrics.render(&app).await)
}

/// The process runs: no database is asked, whose failure no restart would mend.
async fn health() -> impl IntoResponse {
    ([UNCACHED], Json(json!({"status": "ok"})))
}

async fn ready(State(app): State<App>) -> impl IntoResponse {
    match ready::check(&app).await {
        Ok(()) => (StatusCode::OK, [UNCACHED], Json(json!({"status": "ready"}))),
        Err(reason) => (
            StatusCode::SERVICE_UNAVAILABLE,
            [UNCACHED],
            Json(json!({"status": "not ready", "reason": reason.to_string()})),
        ),
    }
}

#[derive(Serialize)]
struct SyncMetrics {
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_type: Option<&'static str>,
    total_syncs: i64,
    avg_duration_ms: Option<f64>,
    success_rate: Option<f64>,
}

async fn metrics_json(State(app): State<App>) -> Response {
    let day = match syncs::last_day(&app.pool, &app.blog).await {
        Ok(day) => day,
        Err(error) => {
            tracing::error!(%error, "the log of syncs cannot be read");
            let answer = Json(json!({"error": "the log of syncs cannot be read"}));
            return (StatusCode::SERVICE_UNAVAILABLE, [UNCACHED], answer).into_response();
        }
    };
    let of = |entity_type: Option<&'static str>, syncs: Syncs| SyncMetrics {
        entity_type,
        total_syncs: syncs.total,
        avg_duration_ms: syncs.avg_duration_ms,
        success_rate: syncs.success_rate(),
    };
    let by_entity: Vec<SyncMetrics> = day
        .by_entity
        .iter()
        .map(|(entity, syncs)| of(Some(entity), *syncs))
        .collect();
    let answer = json!({"sync_metrics_24h": {
        "overall": of(None, day.overall),
        "by_entity": by_entity,
    }});
    ([UNCACHED], Json(answer)).into_response()
}
