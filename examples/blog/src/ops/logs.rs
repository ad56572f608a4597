//! How events are written: to standard error, each with the request that it belongs to.

use axum::http::Request;
use clap::ValueEnum;
use tower_http::request_id::RequestId;
use tracing::Span;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::work;

/// What `RUST_LOG` is where nobody has set it.
const FILTER: &str = "info,sqlx=warn";

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: an object per line.
    Json,
}

/// Begins to write events. Called once.
pub fn init(format: Format) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| FILTER.into());
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

/// The span of a request, with the ID that its answer has. Not with its query, which may hold what
/// is not for logs. Its level lets it be written with every event, whatever the filter.
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
