//! The response header `X-Process-Time`: the time in the server, in seconds.

use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

const X_PROCESS_TIME: HeaderName = HeaderName::from_static("x-process-time");

/// Middleware: adds `X-Process-Time` to every response, such as `0.001959`. It ends when the headers of
/// the response are known.
pub(super) async fn process_time(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let mut response = next.run(request).await;
    let seconds = format!("{:.6}", start.elapsed().as_secs_f64());
    // It is always a valid header: digits and a point.
    if let Ok(seconds) = HeaderValue::from_str(&seconds) {
        response.headers_mut().insert(X_PROCESS_TIME, seconds);
    }
    response
}
