//! HTTP routes and middleware.

mod posts;
mod process_time;
mod work;

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, StatusCode};
use axum::middleware::from_fn;
use fraiseql_graphql::http::GraphQl;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::app::App;
use crate::{graphql, ops, page};

/// Time limit of a GraphQL request.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest body of a request. A layer in front with a limit of its own would answer in plain text;
/// the other routes read no body.
const MAX_BODY_BYTES: usize = 1 << 20;
/// Largest response of a GraphQL request.
const MAX_RESPONSE_BYTES: usize = 16 << 20;
/// What all responses take in memory until they have been sent.
const MAX_IN_FLIGHT_BYTES: usize = 256 << 20;
/// Header with the request's ID, which is also in the log and in the response.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// All routes of the server, with their middleware.
pub fn router(app: &App) -> Router {
    let endpoint = GraphQl::new(graphql::schema(app.clone()))
        .graphiql(true)
        .max_body(MAX_BODY_BYTES)
        .max_response(MAX_RESPONSE_BYTES)
        .max_in_flight(MAX_IN_FLIGHT_BYTES)
        .timeout(TIMEOUT)
        .with_data(graphql::viewer);
    let middleware = ServiceBuilder::new()
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(TraceLayer::new_for_http().make_span_with(ops::logs::request))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(CompressionLayer::new())
        // The endpoint has its own time limit, whose error is a GraphQL response. This one is for
        // everything else, and must not fire first.
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            TIMEOUT + Duration::from_secs(5),
        ));
    let router = Router::new()
        .route_service("/graphql", endpoint)
        .layer(from_fn(work::server_timing))
        .merge(posts::router(app))
        .merge(page::router())
        .merge(ops::router(app))
        .layer(middleware)
        .layer(from_fn(process_time::process_time));
    // Outermost, so that requests that the other layers reject are measured too.
    ops::measured(router, app)
}
