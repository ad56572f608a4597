//! Measures requests: how many, how long, and what became of them.
//!
//! A route is the pattern that matched and a method one of the known, so that no client can make
//! labels up.

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

/// What no route is for.
const UNMATCHED: &str = "unmatched";

/// The measures of requests. A clone is another handle.
#[derive(Clone)]
pub struct Requests(Arc<Measures>);

struct Measures {
    in_flight: Gauge,
    /// By route. A metric is looked up by its labels once, when it is first needed.
    routes: RwLock<HashMap<Box<str>, Vec<Measure>>>,
}

/// The requests of a route that ended in one way.
#[derive(Clone)]
struct Measure {
    method: &'static str,
    /// `None` where the client did not wait for the answer.
    status: Option<StatusCode>,
    requests: Counter,
    duration: Histogram,
}

/// A request that is running. Dropped, it is over.
struct Running<'r> {
    requests: &'r Measures,
    route: Option<MatchedPath>,
    method: &'static str,
    start: Instant,
    status: Option<StatusCode>,
}

/// The middleware.
pub async fn measure(State(requests): State<Requests>, request: Request, next: Next) -> Response {
    let mut running = Running::begin(
        &requests.0,
        request.extensions().get().cloned(),
        name(request.method()),
    );
    let response = next.run(request).await;
    running.status = Some(response.status());
    response
}

impl Default for Requests {
    fn default() -> Self {
        Self(Arc::new(Measures {
            in_flight: gauge!(IN_FLIGHT),
            routes: RwLock::default(),
        }))
    }
}

impl<'r> Running<'r> {
    fn begin(requests: &'r Measures, route: Option<MatchedPath>, method: &'static str) -> Self {
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

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let Self { requests, .. } = self;
        requests.in_flight.decrement(1.0);
        let route = self.route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        requests.count(route, self.method, self.status, self.start);
    }
}

impl Measures {
    fn count(&self, route: &str, method: &'static str, status: Option<StatusCode>, start: Instant) {
        let duration = start.elapsed();
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let known = routes
            .get(route)
            .and_then(|ends| find(ends, method, status));
        if let Some(measure) = known {
            measure.requests.increment(1);
            measure.duration.record(duration);
            return;
        }
        drop(routes);
        let measure = Measure::new(route, method, status);
        measure.requests.increment(1);
        measure.duration.record(duration);
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let ends = routes.entry(route.into()).or_default();
        if find(ends, method, status).is_none() {
            ends.push(measure);
        }
    }
}

fn find<'m>(
    ends: &'m [Measure],
    method: &'static str,
    status: Option<StatusCode>,
) -> Option<&'m Measure> {
    ends.iter()
        .find(|end| end.method == method && end.status == status)
}

impl Measure {
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

/// Anybody can send methods of their own.
fn name(method: &Method) -> &'static str {
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
