//! The routes, and the response headers that say what may be cached.

use std::future::ready;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use fraiseql_graphql::http::{GraphQl, Refusal};

use crate::app::App;
use crate::graphql::{self, Caller};

/// Time limit of a request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// All routes of the server.
pub fn router(app: &App) -> Router {
    let endpoint = GraphQl::new(graphql::schema(app.clone()))
        .graphiql(true)
        .timeout(TIMEOUT)
        .with_data(|parts| ready(Ok::<_, Refusal>(caller(parts))));
    Router::new()
        .route_service("/graphql", endpoint)
        .route("/health", get(async || "ok"))
        .layer(from_fn(cache_headers))
}

/// Who calls: the header `x-user`, in place of a session.
fn caller(parts: &Parts) -> Caller {
    let user = parts
        .headers
        .get("x-user")
        .and_then(|user| user.to_str().ok());
    Caller(user.unwrap_or("unknown").to_owned())
}

/// Middleware: a response may be cached if it is one to a GET of which every field has a `max_age`. All others
/// have `Cache-Control: no-store`.
async fn cache_headers(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let may_be_cached = headers
        .get(CACHE_CONTROL)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("max-age"));
    if !is_read || !may_be_cached {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
