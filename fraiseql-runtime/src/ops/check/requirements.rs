//! The tables and types that a read model needs.

use std::collections::{BTreeSet, HashSet};

use crate::ops::check::type_compat;
use crate::schema::{Link, Shape, Source, Storage, Table, View};
use crate::sql::matview::refreshes;
use crate::sql::rebuild;

/// The tables and type names to look up in the catalog.
#[derive(Default)]
pub(crate) struct Requirements {
    pub(crate) tables: BTreeSet<Table>,
    pub(crate) types: BTreeSet<&'static str>,
    /// The shapes that were visited: a part can be used by many fields.
    visited: HashSet<&'static str>,
}

/// The bookkeeping table of a view's rebuilds.
pub(crate) fn bookkeeping(view: &View) -> Table {
    Table {
        schema: view.table.schema,
        name: rebuild::TABLE,
    }
}

impl Requirements {
    pub(crate) fn of(views: &[&'static View]) -> Self {
        let mut requirements = Self::default();
        for view in views {
            if view.storage != Storage::Live {
                requirements.tables.insert(view.table);
            }
            if view.is_synced() {
                requirements.tables.insert(bookkeeping(view));
            } else if view.storage != Storage::Live {
                requirements.tables.insert(refreshes(view));
            }
            let key = view.key.types.iter().map(|ty| ty.sql);
            requirements.types.extend(key.chain([view.data.sql()]));
            requirements.shape(view.shape);
        }
        let canonical: Vec<&str> = requirements
            .types
            .iter()
            .map(|name| type_compat::canonical(name))
            .collect();
        requirements.types.extend(canonical);
        requirements
    }

    fn shape(&mut self, shape: &'static Shape) {
        if !self.visited.insert(shape.id) {
            return;
        }
        self.tables.insert(shape.table);
        for field in shape.fields {
            match &field.source {
                Source::Column { ty, .. }
                | Source::Expr { ty, .. }
                | Source::GlobalId { ty }
                | Source::Through { ty, .. } => {
                    self.types.insert(ty.sql);
                }
                Source::OfGroup(aggregate) => {
                    self.types.insert(aggregate.ty.sql);
                }
                Source::Aggregate(aggregate) => {
                    self.tables.insert(aggregate.table);
                    let between = aggregate.through.map(|rows| rows.table);
                    self.tables.extend(between);
                    self.types.insert(aggregate.ty.sql);
                }
                Source::Values(values) => {
                    self.tables.insert(values.table);
                    self.link(&values.link);
                    self.types.insert(values.ty.sql);
                }
                Source::One(one) => self.shape(one.shape.get()),
                Source::Many(many) | Source::First(many) => {
                    self.link(&many.link);
                    self.shape(many.shape.get());
                }
            }
        }
    }

    fn link(&mut self, link: &Link) {
        if let Link::Through { table, .. } = link {
            self.tables.insert(*table);
        }
    }
}
