//! Routes and what is around them.

mod work;

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, StatusCode};
use axum::middleware::from_fn;
use fraiseql_graphql::http::GraphQl;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::app::App;
use crate::{graphql, ops, page};

/// A request takes at most so long.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A body has at most so many bytes.
const LARGEST_BODY: usize = 1 << 20;
/// What a request is called in the log, and in its answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Everything that the server answers.
pub fn router(app: &App) -> Router {
    let endpoint = GraphQl::new(graphql::schema(app.clone()))
        .graphiql(true)
        .timeout(TIMEOUT);
    let around = ServiceBuilder::new()
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(TraceLayer::new_for_http().make_span_with(ops::logs::request))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(CompressionLayer::new())
        // The endpoint has a limit of its own, which answers in GraphQL.
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            TIMEOUT + Duration::from_secs(5),
        ))
        .layer(RequestBodyLimitLayer::new(LARGEST_BODY));
    let router = Router::new()
        .route_service("/graphql", endpoint)
        .layer(from_fn(work::told))
        .merge(page::router())
        .merge(ops::router(app))
        .layer(around);
    ops::measured(router, app)
}
