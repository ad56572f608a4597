//! The GraphiQL page and its files, which the endpoint serves at its own path: nothing is loaded from
//! other hosts.

use std::io::Read as _;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Response};
use flate2::read::GzDecoder;
use uuid::Uuid;

const PAGE: &str = include_str!("graphiql.html");

/// A file of the page.
struct File {
    /// The query string under which it is served. It has the version, so that a file never changes.
    query: &'static str,
    content_type: &'static str,
    /// Its content, compressed with gzip.
    gzip: &'static [u8],
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

static FILES: [File; 4] = [
    File {
        query: "graphiql=3.9.0/graphiql.min.js",
        content_type: JAVASCRIPT,
        gzip: include_bytes!("../../assets/graphiql/graphiql.min.js.gz"),
    },
    File {
        query: "graphiql=3.9.0/graphiql.min.css",
        content_type: "text/css; charset=utf-8",
        gzip: include_bytes!("../../assets/graphiql/graphiql.min.css.gz"),
    },
    File {
        query: "graphiql=18.3.1/react.production.min.js",
        content_type: JAVASCRIPT,
        gzip: include_bytes!("../../assets/graphiql/react.production.min.js.gz"),
    },
    File {
        query: "graphiql=18.3.1/react-dom.production.min.js",
        content_type: JAVASCRIPT,
        gzip: include_bytes!("../../assets/graphiql/react-dom.production.min.js.gz"),
    },
];

/// Returns the page. Its content security policy allows its own scripts, and connections to this
/// server.
pub(super) fn page() -> Response<Body> {
    let nonce = Uuid::new_v4().simple().to_string();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; \
         font-src data:; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    let page = PAGE.replace("{nonce}", &nonce);
    let mut response = response(
        page.into(),
        "text/html; charset=utf-8",
        "accept",
        "no-store",
    );
    // Always valid: the policy is ASCII without control characters.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Returns a file of the page, if the query string names one.
pub(super) fn file(query: Option<&str>, headers: &HeaderMap) -> Option<Response<Body>> {
    let query = query?;
    let file = FILES.iter().find(|file| file.query == query)?;
    let is_compressed = accepts_gzip(headers);
    let body = if is_compressed {
        Body::from(file.gzip)
    } else {
        let mut content = Vec::new();
        // What is compiled in can be decompressed.
        GzDecoder::new(file.gzip).read_to_end(&mut content).ok()?;
        Body::from(content)
    };
    let for_ever = "public, max-age=31536000, immutable";
    let mut response = response(body, file.content_type, "accept-encoding", for_ever);
    if is_compressed {
        let gzip = HeaderValue::from_static("gzip");
        response.headers_mut().insert(CONTENT_ENCODING, gzip);
    }
    Some(response)
}

fn response(
    body: Body,
    content_type: &'static str,
    vary: &'static str,
    cache: &'static str,
) -> Response<Body> {
    let mut response = Response::new(body);
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (VARY, vary),
        (CACHE_CONTROL, cache),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// Whether the client accepts gzip, by its name.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
            let weight = weight.trim().trim_start_matches("q=").parse::<f32>();
            name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_that_accept_it() {
        let accepts = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            accepts_gzip(&headers)
        };
        for value in ["gzip", "br, GZIP;q=0.5", "deflate,gzip; q=1.0"] {
            assert!(accepts(value), "{value}");
        }
        for value in ["", "br", "gzip;q=0", "xgzip", "*;q=0"] {
            assert!(!accepts(value), "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
