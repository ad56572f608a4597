//! Cache of parsed queries by their text.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use apollo_compiler::ast;
use async_graphql::ServerError;
use async_graphql::parser::types::ExecutableDocument;
use lru::LruCache;

use crate::request::limits::DocumentLimits;
use crate::request::query::{Query, ReadQuery};
use crate::spec::parse::{Parsed, parse};
use crate::spec::print::print;
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
    queries: Option<Mutex<LruCache<Arc<str>, Arc<Query>>>>,
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
    pub(crate) fn read(&self, text: &str) -> Result<ReadQuery, ServerError> {
        if let Some(query) = self.get(text) {
            return Ok(ReadQuery { query, tree: None });
        }
        let (tree, document) = self.parse(text)?;
        let query = Arc::new(Query::new(text.into(), document, self.limits, true));
        self.keep(&query.text, &query);
        let tree = Some(tree);
        Ok(ReadQuery { query, tree })
    }

    /// Returns the query of a document without a text, which an extension of the schema has kept.
    /// Its positions are those of the client's text.
    pub(crate) fn of_document(
        &self,
        document: &ExecutableDocument,
    ) -> Result<ReadQuery, ServerError> {
        let text = print(document);
        // No text begins with this character, so these queries are apart from those with a text.
        let key = format!("\0{text}");
        if let Some(query) = self.get(&key) {
            return Ok(ReadQuery { query, tree: None });
        }
        // The extension has not limited it.
        let (tree, _) = self.parse(&text)?;
        let query = Query::new(text.into(), document.clone(), self.limits, false);
        let query = Arc::new(query);
        self.keep(&key.into(), &query);
        let tree = Some(tree);
        Ok(ReadQuery { query, tree })
    }

    /// Checks the size of a text and parses it.
    ///
    /// The text is limited before it is parsed, since the parser recurses for each bracket; the
    /// document before anything traverses it, since its fragments can multiply its size and can have
    /// cycles. The lock is not held: a slow query would keep all others waiting. Two requests that
    /// read one new query parse it twice.
    fn parse(&self, text: &str) -> Result<(ast::Document, ExecutableDocument), ServerError> {
        let limits = &self.limits;
        let size = limits.check_text(text)?;
        let Parsed { tree, document } =
            parse(text, limits.parsed_tokens(), limits.parsed_nesting())?;
        limits.check_document(&document, size)?;
        Ok((tree, document))
    }

    fn keep(&self, key: &Arc<str>, query: &Arc<Query>) {
        if let Some(queries) = &self.queries
            && key.len() <= MAX_CACHED_BYTES
        {
            lock(queries).put(Arc::clone(key), Arc::clone(query));
        }
    }
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
        let again = cache.read("{ a }").unwrap();
        assert!(Arc::ptr_eq(&first.query, &again.query));
        assert!(first.tree.is_some() && again.tree.is_none());
        cache.read("{ b }").unwrap();
        cache.read("{ c }").unwrap();
        assert!(cache.get("{ a }").is_none(), "the oldest query was removed");
        assert!(cache.get("{ c }").is_some());
    }

    #[test]
    fn nothing_is_cached_with_a_capacity_of_zero() {
        let cache = cache(0);
        assert_eq!(cache.capacity(), 0);
        let query = cache.read("{ a }").unwrap().query;
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
