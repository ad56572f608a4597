//! Who is to be told of which documents.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::feed::inbox::Inbox;
use crate::feed::interest::Interest;

/// The subscriptions of a feed.
#[derive(Debug, Default)]
pub(super) struct Hub {
    /// Whether the reader knows from where on it reads, so that pictures may be read.
    is_open: bool,
    next: u64,
    count: usize,
    inboxes: HashMap<Interest, HashMap<u64, Arc<Inbox>>>,
}

/// A change of documents as it is stored: the view table, the keys, and the tenants of the documents.
#[derive(Debug, Deserialize)]
pub(super) struct StoredChange(
    pub(super) String,
    pub(super) Option<Vec<String>>,
    pub(super) Option<Vec<Option<String>>>,
);

impl Hub {
    /// Adds a subscription. Returns its number, and whether it is the first one.
    pub(super) fn add(&mut self, interest: Interest, inbox: Arc<Inbox>) -> (u64, bool) {
        if self.is_open {
            inbox.reset();
        }
        let id = self.next;
        self.next += 1;
        self.count += 1;
        let of_interest = self.inboxes.entry(interest).or_default();
        of_interest.insert(id, inbox);
        (id, self.count == 1)
    }

    pub(super) fn remove(&mut self, interest: &Interest, id: u64) {
        let Some(inboxes) = self.inboxes.get_mut(interest) else {
            return;
        };
        if inboxes.remove(&id).is_some() {
            self.count -= 1;
        }
        if inboxes.is_empty() {
            self.inboxes.remove(interest);
        }
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// The reader knows from where on it reads, or may have missed changes before.
    pub(super) fn reset(&mut self) {
        self.is_open = true;
        for inbox in self.inboxes.values().flat_map(HashMap::values) {
            inbox.reset();
        }
    }

    /// The reader does not read any more. Returns false if somebody has subscribed meanwhile.
    pub(super) fn close(&mut self) -> bool {
        let closes = self.count == 0;
        self.is_open &= !closes;
        closes
    }

    /// Tells those who asked for these documents.
    pub(super) fn deliver(&self, change: StoredChange) {
        let StoredChange(table, keys, tenants) = change;
        let Some(keys) = keys else {
            return self.reset_table(&table);
        };
        let tenants = tenants.unwrap_or_default();
        let mut tenants = tenants.into_iter();
        let mut document = Interest::Document {
            table: table.clone(),
            key: String::new(),
        };
        let whole = Interest::View {
            table: table.clone(),
            tenant: None,
        };
        let whole = self.inboxes.get(&whole);
        let mut of_tenant = Interest::View {
            table,
            tenant: None,
        };
        for text in keys {
            if let Some(Some(tenant)) = tenants.next() {
                if let Interest::View { tenant: wanted, .. } = &mut of_tenant {
                    *wanted = Some(tenant);
                }
                tell(self.inboxes.get(&of_tenant), &text);
            }
            tell(whole, &text);
            if let Interest::Document { key, .. } = &mut document {
                *key = text;
            }
            if let Interest::Document { key, .. } = &document {
                tell(self.inboxes.get(&document), key);
            }
        }
    }

    fn reset_table(&self, changed: &str) {
        for (interest, inboxes) in &self.inboxes {
            if interest.table() == changed {
                inboxes.values().for_each(|inbox| inbox.reset());
            }
        }
    }
}

fn tell(inboxes: Option<&HashMap<u64, Arc<Inbox>>>, key: &str) {
    for inbox in inboxes.into_iter().flat_map(HashMap::values) {
        inbox.changed(key);
    }
}
