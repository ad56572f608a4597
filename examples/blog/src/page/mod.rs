//! The HTML page at `/`: recent posts, and what each action costs. Static files without a
//! framework or a build step; nothing is loaded from other hosts.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

/// Content-Security-Policy: scripts, styles, images and requests only from and to this server, no
/// framing by other sites, and no text that becomes markup (Trusted Types).
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// A file of the page.
#[derive(Clone, Copy)]
struct File {
    path: &'static str,
    content_type: &'static str,
    content: &'static str,
}

const FILES: [File; 5] = [
    File {
        path: "/",
        content_type: "text/html; charset=utf-8",
        content: include_str!("index.html"),
    },
    File {
        path: "/page.css",
        content_type: "text/css; charset=utf-8",
        content: include_str!("page.css"),
    },
    File {
        path: "/page.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("page.js"),
    },
    File {
        path: "/api.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("api.js"),
    },
    File {
        path: "/icon.svg",
        content_type: "image/svg+xml",
        content: include_str!("icon.svg"),
    },
];

/// The routes of the page's files.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.into_iter().fold(Router::new(), |router, file| {
        // A weak ETag, because the response may be compressed.
        let mut hasher = DefaultHasher::new();
        file.content.hash(&mut hasher);
        let tag = format!("W/\"{:016x}\"", hasher.finish());
        router.route(
            file.path,
            get(async move |headers: HeaderMap| file.respond(&tag, &headers)),
        )
    })
}

impl File {
    /// The file, or 304 if the client has it. `no-cache` makes browsers revalidate it each time.
    fn respond(self, tag: &str, headers: &HeaderMap) -> Response {
        let common_headers = [
            (ETAG, tag),
            (CACHE_CONTROL, "no-cache"),
            (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
        ];
        if matches_etag(headers, tag) {
            return (StatusCode::NOT_MODIFIED, common_headers).into_response();
        }
        (
            common_headers,
            [(CONTENT_TYPE, self.content_type)],
            self.content,
        )
            .into_response()
    }
}

/// Whether `If-None-Match` lists the tag. Compared weakly, as RFC 9110 requires.
fn matches_etag(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let values = headers.get_all(IF_NONE_MATCH).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|given| given.trim() == "*" || opaque(given) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_small_and_loads_nothing_from_other_hosts() {
        let bytes: usize = FILES.iter().map(|file| file.content.len()).sum();
        assert!(bytes < 28_000, "{bytes}");
        for file in FILES {
            let text = file.content.replace("http://www.w3.org/2000/svg", "");
            assert!(
                !text.contains("//") || !text.contains("http"),
                "{}",
                file.path
            );
            for markup in [
                "innerHTML",
                "insertAdjacentHTML",
                "document.write",
                "style=",
            ] {
                assert!(!text.contains(markup), "{}: {markup}", file.path);
            }
        }
    }

    #[test]
    fn if_none_match_is_compared_weakly() {
        let given = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, value.parse().unwrap());
            headers
        };
        for value in ["W/\"a\"", "\"a\"", "*", "\"b\", W/\"a\""] {
            assert!(matches_etag(&given(value), "W/\"a\""), "{value}");
        }
        for value in ["W/\"b\"", "a", ""] {
            assert!(!matches_etag(&given(value), "W/\"a\""), "{value}");
        }
        assert!(!matches_etag(&HeaderMap::new(), "W/\"a\""));
    }
}
