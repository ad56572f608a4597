//! Logging: events on standard error, each with the span of its request.

use axum::http::Request;
use clap::ValueEnum;
use tower_http::request_id::RequestId;
use tracing::Span;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::work;

/// The filter if `RUST_LOG` is not set.
const DEFAULT_FILTER: &str = "info,sqlx=warn";

/// Format of a log line.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Format {
    /// Text for humans.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Installs the global subscriber. Call it once.
pub fn init(format: Format) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| DEFAULT_FILTER.into());
    let count = work::layer(&filter);
    let print = fmt::layer().with_writer(std::io::stderr);
    let print = match format {
        Format::Text => print.boxed(),
        Format::Json => print
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(print.with_filter(filter))
        .with(count)
        .init();
}

/// The span of a request, with the ID that is also in its response. The query string is left out:
/// it may contain personal data. The level is ERROR so that no usual filter disables the span.
pub fn request<B>(request: &Request<B>) -> Span {
    let id = request
        .extensions()
        .get::<RequestId>()
        .and_then(|id| id.header_value().to_str().ok());
    tracing::error_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        id,
    )
}
