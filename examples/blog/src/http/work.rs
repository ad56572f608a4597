//! The response header `Server-Timing`: the work of a request, for clients that ask for it. Browsers
//! show it in their developer tools.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::work::{DocumentCounts, StatementStats, Work, WorkReport};

/// Request header; with the value `1` the response has `Server-Timing`.
const X_SERVER_TIMING: HeaderName = HeaderName::from_static("x-server-timing");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Middleware: adds `Server-Timing` to the response of a request with `x-server-timing: 1`.
/// Durations are in milliseconds, as the specification requires:
///
/// ```text
/// sql;desc="15 statements";dur=21.4, transaction;desc="14 statements";dur=8.1,
/// sync;desc="comment: 1 inserted, post: 1 updated, user: 1 updated";dur=17.9, total;dur=36.023
/// ```
///
/// The duration of `sync` includes its statements, which are also in `sql`; `total` is the time in
/// the server. Other requests are not measured.
pub(super) async fn server_timing(request: Request, next: Next) -> Response {
    let value = request.headers().get(X_SERVER_TIMING);
    if value.is_none_or(|value| value != "1") {
        return next.run(request).await;
    }
    let start = Instant::now();
    let (mut response, report) = Work::measure(next.run(request)).await;
    // It is always a valid header: names of entities, digits and punctuation.
    if let Ok(value) = HeaderValue::from_str(&header_value(&report, start.elapsed())) {
        response.headers_mut().insert(SERVER_TIMING, value);
    }
    response
}

fn header_value(report: &WorkReport, total: Duration) -> String {
    let mut text = String::new();
    push_statements(&mut text, "sql", report.statements);
    if report.transaction.count > 0 {
        push_statements(&mut text, "transaction", report.transaction);
    }
    if !report.documents.is_empty() {
        let entities: Vec<String> = report
            .documents
            .iter()
            .map(|(entity, counts)| format!("{entity}: {}", describe(*counts)))
            .collect();
        let (desc, dur) = (entities.join(", "), milliseconds(report.sync_duration));
        let _ = write!(text, "sync;desc=\"{desc}\";dur={dur}, ");
    }
    let _ = write!(text, "total;dur={}", milliseconds(total));
    text
}

fn push_statements(text: &mut String, name: &str, stats: StatementStats) {
    let StatementStats { count, duration } = stats;
    let s = if count == 1 { "" } else { "s" };
    let dur = milliseconds(duration);
    let _ = write!(text, "{name};desc=\"{count} statement{s}\";dur={dur}, ");
}

/// The counts that are not zero; `0 updated` if all are.
fn describe(documents: DocumentCounts) -> String {
    let counts = [
        (documents.inserted, "inserted"),
        (documents.updated, "updated"),
        (documents.deleted, "deleted"),
        (documents.unchanged, "unchanged"),
    ];
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, outcome)| format!("{count} {outcome}"))
        .collect();
    if parts.is_empty() {
        "0 updated".to_owned()
    } else {
        parts.join(", ")
    }
}

/// Milliseconds with three decimals.
fn milliseconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_only_metrics_that_were_measured() {
        let mut report = WorkReport {
            statements: StatementStats {
                count: 1,
                duration: Duration::from_micros(420),
            },
            ..WorkReport::default()
        };
        let total = Duration::from_nanos(1_234_567);
        assert_eq!(
            header_value(&report, total),
            r#"sql;desc="1 statement";dur=0.420, total;dur=1.235"#
        );

        report.transaction.count = 2;
        report.sync_duration = Duration::from_millis(2);
        let post = DocumentCounts {
            inserted: 1,
            unchanged: 3,
            ..DocumentCounts::default()
        };
        report.documents = [("user", DocumentCounts::default()), ("post", post)].into();
        assert_eq!(
            header_value(&report, total),
            "sql;desc=\"1 statement\";dur=0.420, transaction;desc=\"2 statements\";dur=0.000, \
             sync;desc=\"post: 1 inserted, 3 unchanged, user: 0 updated\";dur=2.000, \
             total;dur=1.235"
        );
    }
}
