//! A cache of statements whose text depends on marks, which are known at run time only.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use crate::mutex::lock;

/// Statements, by the values that their texts depend on. Each is composed once.
#[derive(Debug)]
pub(super) struct StatementCache<K>(Mutex<HashMap<K, Arc<str>>>);

impl<K> Default for StatementCache<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> StatementCache<K> {
    /// Returns the statement of `key`, and composes it on the first call.
    pub(super) fn get(&self, key: K, compose: impl FnOnce() -> String) -> Arc<str> {
        let mut composed = lock(&self.0);
        let text = composed.entry(key).or_insert_with(|| compose().into());
        Arc::clone(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_composed_once() {
        let cache = StatementCache::default();
        let first = cache.get("posts", || "SELECT 1".to_owned());
        let again = cache.get("posts", || unreachable!("it was composed before"));
        assert!(Arc::ptr_eq(&first, &again));
        let other = cache.get("users", || "SELECT 2".to_owned());
        assert_eq!((&*again, &*other), ("SELECT 1", "SELECT 2"));
    }
}
