//! Dependents: the documents that are made of given rows.
//!
//! [`index`] reads from the constant tables which ways lead from a table up to documents,
//! [`find`] follows them. [`cascade`] finds the rows that go with deleted ones. [`composed`] keeps
//! their statements.

pub(crate) mod cascade;
mod composed;
pub(crate) mod find;
pub(crate) mod index;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sqlx::{Acquire, PgConnection, Postgres};

use self::find::{Found, find};
use crate::error::{Error, Operation, Result};
use crate::mutation::dependents::index::Index;
use crate::read::typed::TView;
use crate::schema::key::{Key, Keys};
use crate::schema::naming::near;
use crate::schema::naming::table_name;
use crate::schema::{Table, View};
use crate::view::Handle;

/// The documents that are made of some rows: each once, in the order in which they are written
/// when they are synced.
///
/// Made by [`ReadModel::dependents`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Dependents {
    views: BTreeMap<Table, (Handle, Keys)>,
}

impl Dependents {
    /// The views that have such documents, and their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&'static View, &Keys)> + '_ {
        self.views
            .values()
            .map(|(handle, keys)| (handle.view, keys))
    }

    /// The keys of the documents of one view.
    #[must_use]
    pub fn keys<V: TView>(&self) -> Vec<V::Key> {
        let mut keys = Vec::new();
        if let Some((_, found)) = self.views.get(&V::VIEW.table) {
            V::Key::each(found, &mut |key| keys.push(key));
        }
        keys
    }

    /// How many documents there are, of all views.
    #[must_use]
    pub fn len(&self) -> usize {
        self.views.values().map(|(_, keys)| keys.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// Adds others, as those that were looked up before a row was moved.
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

impl From<Found> for Dependents {
    fn from(found: Found) -> Self {
        let mut dependents = Self::default();
        for way in found.ways {
            dependents.add(way.view, way.keys);
        }
        dependents
    }
}

impl Index {
    /// The table of this name that documents are made of.
    pub(crate) fn table_named(&self, wanted: &str) -> Result<Table> {
        let is_named = |table: &Table| {
            table_name(*table) == wanted
                || wanted == format!("{}.{}", table.schema, table.name)
                || wanted == table.to_string()
        };
        self.tables().find(is_named).ok_or_else(|| {
            let names: Vec<String> = self.tables().map(table_name).collect();
            Error::NoSuchTable {
                table: wanted.to_owned(),
                near: near(wanted, names.iter().map(String::as_str)).map(ToOwned::to_owned),
            }
        })
    }

    /// The documents that are made of these rows now.
    pub(crate) async fn look_up<'a>(
        &self,
        database: impl Acquire<'a, Database = Postgres>,
        table: Table,
        column: &str,
        rows: &Keys,
    ) -> Result<Dependents> {
        let mut connection =
            database
                .acquire()
                .await
                .map_err(Error::database(Operation::AcquireConnection(
                    "look for dependents",
                )))?;
        let connection: &mut PgConnection = &mut connection;
        let found = find(self, connection, table, column, rows, false, usize::MAX);
        Ok(found.await?.into())
    }
}
