//! Request metrics: middleware that counts and times HTTP requests.
//!
//! The label `route` is the matched pattern and `method` is one of a fixed list, so that clients
//! cannot create series.

use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

pub(super) const REQUESTS: &str = "blog_http_requests_total";
pub(super) const DURATION: &str = "blog_http_request_duration_seconds";
pub(super) const IN_FLIGHT: &str = "blog_http_requests_in_flight";

/// The label of requests that match no route.
const UNMATCHED: &str = "unmatched";

/// Records requests. A clone is another handle.
#[derive(Clone)]
pub struct Requests(Arc<RequestMetrics>);

struct RequestMetrics {
    in_flight: Gauge,
    /// By route. The recorder hashes all labels to find a metric, so the handles are kept here.
    routes: RwLock<HashMap<Box<str>, Vec<Series>>>,
}

/// The metrics of the requests of one route with the same method and status.
#[derive(Clone)]
struct Series {
    method: &'static str,
    /// `None` if the client went away before the response.
    status: Option<StatusCode>,
    requests: Counter,
    duration: Histogram,
}

/// A request that is being served. It is counted when it is dropped, also by a client that goes
/// away: hyper then drops the future of the whole request.
struct InFlightRequest<'r> {
    requests: &'r RequestMetrics,
    route: Option<MatchedPath>,
    method: &'static str,
    start: Instant,
    status: Option<StatusCode>,
}

/// The middleware.
pub async fn measure(State(requests): State<Requests>, request: Request, next: Next) -> Response {
    let mut request_in_flight = InFlightRequest::begin(
        &requests.0,
        request.extensions().get().cloned(),
        method_label(request.method()),
    );
    let response = next.run(request).await;
    request_in_flight.status = Some(response.status());
    response
}

impl Default for Requests {
    fn default() -> Self {
        Self(Arc::new(RequestMetrics {
            in_flight: gauge!(IN_FLIGHT),
            routes: RwLock::default(),
        }))
    }
}

impl<'r> InFlightRequest<'r> {
    fn begin(
        requests: &'r RequestMetrics,
        route: Option<MatchedPath>,
        method: &'static str,
    ) -> Self {
        requests.in_flight.increment(1.0);
        Self {
            requests,
            route,
            method,
            start: Instant::now(),
            status: None,
        }
    }
}

impl Drop for InFlightRequest<'_> {
    fn drop(&mut self) {
        let Self { requests, .. } = self;
        requests.in_flight.decrement(1.0);
        let route = self.route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        requests.count(route, self.method, self.status, self.start);
    }
}

impl RequestMetrics {
    fn count(&self, route: &str, method: &'static str, status: Option<StatusCode>, start: Instant) {
        let duration = start.elapsed();
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let known = routes
            .get(route)
            .and_then(|series| find_series(series, method, status));
        if let Some(series) = known {
            series.requests.increment(1);
            series.duration.record(duration);
            return;
        }
        drop(routes);
        let added = Series::new(route, method, status);
        added.requests.increment(1);
        added.duration.record(duration);
        // Another request may have added the same series since the read lock was released.
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let series = routes.entry(route.into()).or_default();
        if find_series(series, method, status).is_none() {
            series.push(added);
        }
    }
}

fn find_series<'m>(
    series: &'m [Series],
    method: &'static str,
    status: Option<StatusCode>,
) -> Option<&'m Series> {
    series
        .iter()
        .find(|one| one.method == method && one.status == status)
}

impl Series {
    fn new(route: &str, method: &'static str, status: Option<StatusCode>) -> Self {
        let route = route.to_owned();
        let label = status.map_or_else(
            || "cancelled".to_owned(),
            |status| status.as_str().to_owned(),
        );
        Self {
            method,
            status,
            requests: counter!(REQUESTS, "route" => route.clone(), "method" => method, "status" => label),
            duration: histogram!(DURATION, "route" => route, "method" => method),
        }
    }
}

/// The value of the label `method`. Clients can send methods that they invent.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

impl Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").finish_non_exhaustive()
    }
}
