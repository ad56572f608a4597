//! Statements that depend on what is known at run time only, as which rows were marked: each is
//! composed once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use crate::db::mutex::lock;

/// What was composed, by what it depends on.
#[derive(Debug)]
pub(crate) struct Composed<K>(Mutex<HashMap<K, Arc<str>>>);

impl<K> Default for Composed<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Composed<K> {
    /// The statement of `key`.
    pub(crate) fn get(&self, key: K, compose: impl FnOnce() -> String) -> Arc<str> {
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
        let composed = Composed::default();
        let first = composed.get("posts", || "SELECT 1".to_owned());
        let again = composed.get("posts", || unreachable!("it is there"));
        assert!(Arc::ptr_eq(&first, &again));
        let other = composed.get("users", || "SELECT 2".to_owned());
        assert_eq!((&*again, &*other), ("SELECT 1", "SELECT 2"));
    }
}
