//! Trusted documents by what requests name them by.

use std::collections::HashMap;
use std::sync::Arc;

use crate::http::trusted::id;
use crate::request::query::Query;

/// The documents of an endpoint. They are parsed and validated, and stay as long as the endpoint.
#[derive(Clone, Default)]
pub(in crate::http) struct Known {
    by_id: HashMap<String, Arc<Query>>,
    by_text: HashMap<Arc<str>, Arc<Query>>,
}

impl Known {
    pub(in crate::http) fn len(&self) -> usize {
        self.by_text.len()
    }

    pub(in crate::http) fn by_id(&self, id: &str) -> Option<&Arc<Query>> {
        self.by_id.get(id)
    }

    /// The document that a client of Apollo names: by the hash of its text, or by the identifier that the
    /// manifest has in place of it.
    pub(in crate::http) fn by_apollo_hash(&self, hash: &str) -> Option<&Arc<Query>> {
        let by_id = self.by_id.get(hash);
        by_id.or_else(|| self.by_id.get(&id::of_hash(hash)))
    }

    pub(in crate::http) fn by_text(&self, text: &str) -> Option<&Arc<Query>> {
        self.by_text.get(text)
    }

    /// Adds a document under its identifier and its hash.
    pub(super) fn insert(&mut self, id: &str, hash: &str, query: &Arc<Query>) {
        self.by_id.insert(id.to_owned(), Arc::clone(query));
        self.by_id.insert(id::of_hash(hash), Arc::clone(query));
        let text = Arc::clone(&query.text);
        self.by_text.insert(text, Arc::clone(query));
    }
}
