//! The page at `/`: recent posts, and what each action does. Files as they are; no
//! framework, no build step, nothing from elsewhere.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

/// Only files of this server run in the page, it talks to this server alone, no site frames it,
/// and no text becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
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

/// Its routes.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.into_iter().fold(Router::new(), |router, file| {
        // Weak: what it names may be compressed on its way.
        let mut hasher = DefaultHasher::new();
        file.content.hash(&mut hasher);
        let tag = format!("W/\"{:016x}\"", hasher.finish());
        router.route(
            file.path,
            get(async move |headers: HeaderMap| file.answer(&tag, &headers)),
        )
    })
}

impl File {
    /// Browsers keep it, and ask each time whether it has changed.
    fn answer(self, tag: &str, headers: &HeaderMap) -> Response {
        let about = [
            (ETAG, tag),
            (CACHE_CONTROL, "no-cache"),
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
        ];
        if has(headers, tag) {
            return (StatusCode::NOT_MODIFIED, about).into_response();
        }
        (about, [(CONTENT_TYPE, self.content_type)], self.content).into_response()
    }
}

/// Whether a client has what the tag names.
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let given = headers.get_all(IF_NONE_MATCH).iter();
    given
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|given| given.trim() == "*" || opaque(given) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_small_and_has_nothing_from_elsewhere() {
        let bytes: usize = FILES.iter().map(|file| file.content.len()).sum();
        assert!(bytes < 25_000, "{bytes}");
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
    fn a_tag_is_found_among_those_that_a_client_has() {
        let given = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, value.parse().unwrap());
            headers
        };
        for value in ["W/\"a\"", "\"a\"", "*", "\"b\", W/\"a\""] {
            assert!(has(&given(value), "W/\"a\""), "{value}");
        }
        for value in ["W/\"b\"", "a", ""] {
            assert!(!has(&given(value), "W/\"a\""), "{value}");
        }
        assert!(!has(&HeaderMap::new(), "W/\"a\""));
    }
}
