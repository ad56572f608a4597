//! `Dependents`: a set of documents of several views.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::read::typed::TView;
use crate::schema::key::{Key, Keys};
use crate::schema::{Table, View};
use crate::view::Handle;

/// The documents that depend on given rows: each once, in the order in which a mutation syncs them.
///
/// Returned by [`ReadModel::dependents`](crate::ReadModel::dependents).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Dependents {
    /// By view table. All transactions lock documents in this order.
    views: BTreeMap<Table, (Handle, Keys)>,
}

impl Dependents {
    /// The views with such documents, and the keys of these.
    pub fn iter(&self) -> impl Iterator<Item = (&'static View, &Keys)> + '_ {
        self.views
            .values()
            .map(|(handle, keys)| (handle.view, keys))
    }

    /// The keys of the documents of one view.
    #[must_use]
    pub fn keys<V: TView>(&self) -> Vec<V::Key> {
        let mut keys = Vec::new();
        let mut views = self.views.iter();
        if let Some((_, (_, found))) = views.find(|(table, _)| table.is_declared_as(V::VIEW.table))
        {
            V::Key::each(found, &mut |key| keys.push(key));
        }
        keys
    }

    /// The number of documents, of all views.
    #[must_use]
    pub fn len(&self) -> usize {
        self.views.values().map(|(_, keys)| keys.len()).sum()
    }

    /// Whether there are no documents.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// Adds other documents, such as those that were found before a row was moved.
    pub fn extend(&mut self, others: Self) {
        for (handle, keys) in others.views.into_values() {
            self.add(handle, keys);
        }
    }

    pub(crate) fn handles(&self) -> impl Iterator<Item = Handle> + '_ {
        self.views.values().map(|(handle, _)| *handle)
    }

    /// The keys of one view.
    pub(crate) fn keys_of(&self, view: Handle) -> Keys {
        let found = self.views.get(&view.view.table);
        found.map_or_else(|| view.no_keys(), |(_, keys)| keys.clone())
    }

    /// The views in the order in which they are synced, with the keys of their documents.
    pub(crate) fn into_views(self) -> impl Iterator<Item = (Handle, Keys)> {
        self.views.into_values()
    }

    pub(crate) fn add(&mut self, handle: Handle, keys: Keys) {
        if keys.is_empty() {
            return;
        }
        match self.views.entry(handle.view.table) {
            Entry::Vacant(entry) => {
                entry.insert((handle, keys));
            }
            Entry::Occupied(mut entry) => entry.get_mut().1.unite(keys),
        }
    }
}
