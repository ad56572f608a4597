//! `GET /posts/{id}`: the stored document of a post, as it is; each request counts a view.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use fraiseql_runtime::TView as _;
use serde_json::json;
use uuid::Uuid;

use crate::app::App;
use crate::rows;
use crate::views::Post;

/// The route.
pub(super) fn router(app: &App) -> Router {
    Router::new()
        .route("/posts/{id}", get(read))
        .with_state(app.clone())
}

async fn read(State(app): State<App>, Path(id): Path<Uuid>) -> Response {
    let failed = |error: &dyn std::error::Error| {
        tracing::error!(%error, "a post cannot be read");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    };
    let document = match Post::find_json(&app.replicas, id).await {
        Ok(Some(document)) => document,
        Ok(None) => {
            let body = json!({"error": format!("there is no post {id}")});
            return (StatusCode::NOT_FOUND, axum::Json(body)).into_response();
        }
        Err(error) => return failed(&error),
    };
    if let Err(error) = rows::count_view(&app.pool, id).await {
        return failed(&error);
    }
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, document.get().to_owned()).into_response()
}
