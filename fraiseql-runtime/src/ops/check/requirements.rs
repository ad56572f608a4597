//! The tables and types that a read model needs.

use std::collections::{BTreeSet, HashSet};

use crate::ops::check::type_compat;
use crate::schema::{Link, Shape, Source, Table, View};
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
            requirements.tables.extend([view.table, bookkeeping(view)]);
            requirements
                .types
                .extend([view.data.sql(), view.key.ty.sql]);
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
                Source::Column { ty, .. } | Source::Expr { ty, .. } => {
                    self.types.insert(ty.sql);
                }
                Source::Aggregate(aggregate) => {
                    self.tables.insert(aggregate.table);
                    self.types.insert(aggregate.ty.sql);
                }
                Source::One(one) => self.shape((one.shape)()),
                Source::Many(many) => {
                    if let Link::Through { table, .. } = many.link {
                        self.tables.insert(table);
                    }
                    self.shape((many.shape)());
                }
            }
        }
    }
}
