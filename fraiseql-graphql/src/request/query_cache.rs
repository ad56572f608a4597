//! Cache of parsed queries by their text.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use async_graphql::ServerError;
use async_graphql::parser::parse_query;
use lru::LruCache;

use crate::error::clip;
use crate::request::limits::DocumentLimits;
use crate::request::query::Query;
use fraiseql_runtime::__graphql::lock;

/// The default number of queries in a cache.
pub(crate) const DEFAULT_CAPACITY: usize = 1_000;

/// The length of a query that is cached at most. Together with the capacity, it bounds the memory
/// of a cache.
const MAX_CACHED_BYTES: usize = 16 * 1024;

/// Reads queries within limits, and keeps the most recently used ones.
pub(crate) struct QueryCache {
    limits: DocumentLimits,
    /// `None` if the capacity is 0.
    queries: Option<Mutex<LruCache<String, Arc<Query>>>>,
}

impl QueryCache {
    pub(crate) fn new(limits: DocumentLimits, capacity: usize) -> Self {
        Self {
            limits,
            queries: NonZeroUsize::new(capacity)
                .map(|capacity| Mutex::new(LruCache::new(capacity))),
        }
    }

    pub(crate) const fn limits(&self) -> DocumentLimits {
        self.limits
    }

    pub(crate) fn capacity(&self) -> usize {
        let queries = self.queries.as_ref();
        queries.map_or(0, |queries| lock(queries).cap().get())
    }

    /// Returns a query that is in the cache.
    pub(crate) fn get(&self, text: &str) -> Option<Arc<Query>> {
        lock(self.queries.as_ref()?).get(text).map(Arc::clone)
    }

    /// Returns a query from the cache, or checks its size, parses it and caches it.
    pub(crate) fn read(&self, text: &str) -> Result<Arc<Query>, ServerError> {
        if let Some(query) = self.get(text) {
            return Ok(query);
        }
        // The text is limited before it is parsed, since the parser recurses for each bracket; the
        // document before anything traverses it, since its fragments can multiply its size and can
        // have cycles. The lock is not held: a slow query would keep all others waiting. Two
        // requests that read one new query parse it twice.
        self.limits.check_text(text)?;
        let document = parse_query(text).map_err(syntax_error)?;
        self.limits.check_document(&document)?;
        let query = Arc::new(Query::new(document));
        if let Some(queries) = &self.queries
            && text.len() <= MAX_CACHED_BYTES
        {
            lock(queries).put(text.to_owned(), Arc::clone(&query));
        }
        Ok(query)
    }
}

/// Converts an error of the parser. Its message quotes the whole line, however long that is, and
/// draws an arrow below; only the reason is kept, since the error has a location.
fn syntax_error(error: async_graphql::parser::Error) -> ServerError {
    let mut error = ServerError::from(error);
    if let Some((_, reason)) = error.message.rsplit_once("\n  = ") {
        error.message = format!("syntax error: {reason}");
    }
    clip(&mut error.message);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(capacity: usize) -> QueryCache {
        QueryCache::new(DocumentLimits::default(), capacity)
    }

    #[test]
    fn a_query_is_parsed_once() {
        let cache = cache(2);
        let first = cache.read("{ a }").unwrap();
        assert!(Arc::ptr_eq(&first, &cache.read("{ a }").unwrap()));
        cache.read("{ b }").unwrap();
        cache.read("{ c }").unwrap();
        assert!(cache.get("{ a }").is_none(), "the oldest query was removed");
        assert!(cache.get("{ c }").is_some());
    }

    #[test]
    fn nothing_is_cached_with_a_capacity_of_zero() {
        let cache = cache(0);
        assert_eq!(cache.capacity(), 0);
        let query = cache.read("{ a }").unwrap();
        assert_eq!(Arc::strong_count(&query), 1);
        assert!(cache.get("{ a }").is_none());
    }

    #[test]
    fn long_queries_and_invalid_queries_are_not_cached() {
        let cache = cache(2);
        let long = format!("{{ a }}{}", " ".repeat(MAX_CACHED_BYTES));
        cache.read(&long).unwrap();
        assert!(cache.get(&long).is_none());
        let error = cache.read("{ a").err().unwrap();
        assert!(error.message.starts_with("syntax error: "), "{error:?}");
        assert!(cache.get("{ a").is_none());
    }
}
