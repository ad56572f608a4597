//! `Server-Timing`: what a request did, for clients that ask for it; browsers show it in their
//! developer tools.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::work::{Asked, Documents, Done, Work};

/// Who sends `1` is told.
const ASKS: HeaderName = HeaderName::from_static("x-server-timing");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Middleware: a request with `x-server-timing: 1` gets an answer with the header
/// `Server-Timing`, in milliseconds, as the standard says:
///
/// ```text
/// sql;desc="15 statements";dur=21.4, transaction;desc="14 statements";dur=8.1,
/// sync;desc="comment: 1 inserted, post: 1 updated, user: 1 updated";dur=17.9, total;dur=36.023
/// ```
///
/// `sync` includes its statements, which are in `sql` as well; `total` is the time in the server.
/// Other requests cost a look at their headers.
pub(super) async fn told(request: Request, next: Next) -> Response {
    if request.headers().get(ASKS).is_none_or(|value| value != "1") {
        return next.run(request).await;
    }
    let start = Instant::now();
    let (mut response, done) = Work::of(next.run(request)).await;
    // Names of entities, digits and punctuation.
    if let Ok(value) = HeaderValue::from_str(&header(&done, start.elapsed())) {
        response.headers_mut().insert(SERVER_TIMING, value);
    }
    response
}

fn header(done: &Done, total: Duration) -> String {
    let mut text = String::new();
    asked(&mut text, "sql", done.statements);
    if done.transaction.times > 0 {
        asked(&mut text, "transaction", done.transaction);
    }
    if !done.documents.is_empty() {
        let all: Vec<String> = done
            .documents
            .iter()
            .map(|(entity, documents)| format!("{entity}: {}", outcome(*documents)))
            .collect();
        let (all, dur) = (all.join(", "), milliseconds(done.syncing));
        let _ = write!(text, "sync;desc=\"{all}\";dur={dur}, ");
    }
    let _ = write!(text, "total;dur={}", milliseconds(total));
    text
}

fn asked(text: &mut String, name: &str, Asked { times, duration }: Asked) {
    let s = if times == 1 { "" } else { "s" };
    let dur = milliseconds(duration);
    let _ = write!(text, "{name};desc=\"{times} statement{s}\";dur={dur}, ");
}

/// What there was none of is not said, unless there was nothing.
fn outcome(documents: Documents) -> String {
    let counts = [
        (documents.inserted, "inserted"),
        (documents.updated, "updated"),
        (documents.deleted, "deleted"),
        (documents.unchanged, "unchanged"),
    ];
    let said: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if said.is_empty() {
        "0 updated".to_owned()
    } else {
        said.join(", ")
    }
}

/// To the microsecond.
fn milliseconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_was_done_and_no_more() {
        let mut done = Done {
            statements: Asked {
                times: 1,
                duration: Duration::from_micros(420),
            },
            ..Done::default()
        };
        let total = Duration::from_nanos(1_234_567);
        assert_eq!(
            header(&done, total),
            r#"sql;desc="1 statement";dur=0.420, total;dur=1.235"#
        );

        done.transaction.times = 2;
        done.syncing = Duration::from_millis(2);
        let post = Documents {
            inserted: 1,
            unchanged: 3,
            ..Documents::default()
        };
        done.documents = [("user", Documents::default()), ("post", post)].into();
        assert_eq!(
            header(&done, total),
            "sql;desc=\"1 statement\";dur=0.420, transaction;desc=\"2 statements\";dur=0.000, \
             sync;desc=\"post: 1 inserted, 3 unchanged, user: 0 updated\";dur=2.000, \
             total;dur=1.235"
        );
    }
}
