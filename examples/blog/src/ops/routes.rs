//! HTTP routes for monitoring. No response may be cached.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;

use super::changes::{self, WORKER_TIME};
use super::syncs::{self, SyncStats};
use super::{http, ready};
use crate::app::App;

const NO_STORE: (HeaderName, &str) = (CACHE_CONTROL, "no-store");
/// The version is that of the text format, not of Prometheus.
const PROMETHEUS_TEXT: (HeaderName, &str) =
    (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");

/// The monitoring routes.
pub fn router(app: &App) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/metrics.json", get(metrics_json))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .with_state(app.clone())
}

/// Adds the request metrics to all routes of `router`.
pub(crate) fn measured(router: Router, app: &App) -> Router {
    router.layer(axum::middleware::from_fn_with_state(
        app.ops.requests.clone(),
        http::measure,
    ))
}

async fn metrics(State(app): State<App>) -> impl IntoResponse {
    (
        [NO_STORE, PROMETHEUS_TEXT],
        app.ops.metrics.render(&app).await,
    )
}

/// Liveness. It does not query the database, because a restart would not repair that. The worker is not
/// part of it for the same reason: it tries again by itself.
async fn health(State(app): State<App>) -> impl IntoResponse {
    let worker = json!({
        "alive": app.worker.is_alive(WORKER_TIME),
        "lagSeconds": app.worker.lag().map(|lag| lag.as_secs_f64()),
        "lastError": app.worker.last_error(),
    });
    ([NO_STORE], Json(json!({"status": "ok", "worker": worker})))
}

async fn ready(State(app): State<App>) -> impl IntoResponse {
    match ready::check(&app).await {
        Ok(()) => {
            let body = json!({"status": "ready", "changes": pending(&app).await});
            (StatusCode::OK, [NO_STORE], Json(body))
        }
        Err(reason) => (
            StatusCode::SERVICE_UNAVAILABLE,
            [NO_STORE],
            Json(json!({"status": "not ready", "reason": reason.to_string()})),
        ),
    }
}

/// What is left to the workers; null if it cannot be read in time. It does not decide whether the server is
/// ready: documents that are behind are served.
async fn pending(app: &App) -> serde_json::Value {
    let Some(changes) = changes::read(app).await else {
        return serde_json::Value::Null;
    };
    json!({
        "pending": changes.pending,
        "oldestSeconds": changes.oldest.map(|oldest| oldest.as_secs_f64()),
        "failing": changes.failing,
        "deadLetters": changes.dead,
    })
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
            tracing::error!(%error, "the sync log cannot be read");
            let body = Json(json!({"error": "the sync log cannot be read"}));
            return (StatusCode::SERVICE_UNAVAILABLE, [NO_STORE], body).into_response();
        }
    };
    let of = |entity_type: Option<&'static str>, syncs: SyncStats| SyncMetrics {
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
    let body = json!({"sync_metrics_24h": {
        "overall": of(None, day.overall),
        "by_entity": by_entity,
    }});
    ([NO_STORE], Json(body)).into_response()
}
