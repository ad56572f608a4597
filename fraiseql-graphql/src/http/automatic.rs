//! Automatic persisted queries, by the protocol of Apollo's clients.

use std::sync::{Arc, Mutex};

use async_graphql::{Response, Value, from_value};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use fraiseql_runtime::__graphql::lock;
use lru::LruCache;
use serde::Deserialize;

use crate::error::error;
use crate::http::refusal::Refusal;
use crate::http::trusted::id::sha256_hex;

/// The name of the extension of a request.
pub(super) const EXTENSION: &str = "persistedQuery";

/// What a text needs in the cache beside its bytes: its hash, and its place in the map.
const ENTRY_BYTES: usize = 256;

/// The extension of a request that names a query by its hash.
#[derive(Deserialize)]
pub(super) struct PersistedQuery {
    version: i32,
    #[serde(rename = "sha256Hash")]
    pub(super) hash: String,
}

impl PersistedQuery {
    pub(super) fn read(extension: &Value) -> Result<Self, Refusal> {
        let persisted = from_value(extension.clone()).ok();
        persisted
            .filter(|persisted: &Self| persisted.version == 1)
            .ok_or_else(|| {
                let message =
                    "the extension `persistedQuery` has a `version` that is 1, and a `sha256Hash`";
                Refusal::new(StatusCode::BAD_REQUEST, message)
            })
    }

    /// Checks that the hash is that of the text.
    pub(super) fn check(&self, text: &str) -> Result<(), Refusal> {
        if sha256_hex(text) == self.hash {
            return Ok(());
        }
        let message = "provided sha does not match query";
        Err(Refusal::new(StatusCode::BAD_REQUEST, message).code("PERSISTED_QUERY_HASH_MISMATCH"))
    }
}

/// The error after which a client sends the text. The status is that of an invalid query: clients of
/// Apollo read the body of `application/json` only if it is 200.
pub(super) fn not_found() -> Response {
    let error = error("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND");
    let mut response = Response::from_errors(vec![error]);
    let no_store = HeaderValue::from_static("no-store");
    response.http_headers.insert(CACHE_CONTROL, no_store);
    response
}

/// Texts that clients have sent with their hashes, up to a number of bytes. The texts that were used
/// least recently are removed.
pub(super) struct AutomaticQueries {
    max_bytes: usize,
    kept: Mutex<Kept>,
}

struct Kept {
    texts: LruCache<String, Arc<str>>,
    bytes: usize,
}

impl AutomaticQueries {
    pub(super) fn new(max_bytes: usize) -> Self {
        let texts = LruCache::unbounded();
        Self {
            max_bytes,
            kept: Mutex::new(Kept { texts, bytes: 0 }),
        }
    }

    pub(super) const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    pub(super) fn get(&self, hash: &str) -> Option<Arc<str>> {
        lock(&self.kept).texts.get(hash).map(Arc::clone)
    }

    /// Keeps a text whose hash was checked, unless it is larger than the cache.
    pub(super) fn keep(&self, hash: String, text: &str) {
        let bytes = size_of(text);
        if bytes > self.max_bytes {
            return;
        }
        let mut kept = lock(&self.kept);
        if kept.texts.put(hash, text.into()).is_none() {
            kept.bytes += bytes;
        }
        while kept.bytes > self.max_bytes
            && let Some((_, oldest)) = kept.texts.pop_lru()
        {
            kept.bytes -= size_of(&oldest);
        }
    }
}

fn size_of(text: &str) -> usize {
    text.len() + ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_by_bytes() {
        let queries = AutomaticQueries::new(3 * (ENTRY_BYTES + 10));
        let text = "a".repeat(10);
        for hash in ["a", "b", "c", "a", "c"] {
            queries.keep(hash.to_owned(), &text);
        }
        assert_eq!(lock(&queries.kept).bytes, queries.max_bytes());
        assert!(queries.get("a").is_some(), "it is used again");
        queries.keep("d".to_owned(), &text);
        assert!(queries.get("b").is_none(), "it was used least recently");
        queries.keep("e".to_owned(), &"e".repeat(ENTRY_BYTES + 20));
        let left = ["a", "c", "d", "e"].map(|hash| queries.get(hash).is_some());
        assert_eq!(left, [false, false, true, true]);
        queries.keep("f".to_owned(), &"f".repeat(queries.max_bytes()));
        assert!(queries.get("f").is_none() && queries.get("e").is_some());
        assert!(lock(&queries.kept).bytes <= queries.max_bytes());
    }
}
