//! Lookups in the catalog: relations by name, and types by identifier or by name.

use std::collections::HashMap;

use crate::ops::check::catalog::relation::{CatalogRelation, RelationColumn, Resolution};
use crate::schema::Table;

/// A type of PostgreSQL.
#[derive(Debug)]
pub(crate) struct PgType {
    pub(crate) oid: i64,
    pub(crate) name: String,
    /// Whether it is in the schema `pg_catalog`.
    pub(crate) built_in: bool,
    /// `pg_type.typtype`: `e` is an enum, `d` a domain, `c` a composite type, `r` a range, `m` a
    /// multirange.
    pub(crate) typtype: char,
    /// The type under a domain.
    pub(crate) base: i64,
    /// The type of an array's elements; 0 if it is not an array.
    pub(crate) element: i64,
    /// Whether a domain is NOT NULL.
    pub(crate) never_null: bool,
    /// As it is written in SQL.
    pub(crate) sql: String,
    /// Whether a cast to json decides how `to_jsonb` converts it.
    pub(crate) as_json: bool,
    /// The labels of an enum, in their order.
    pub(crate) labels: Vec<String>,
}

/// What the server has of the tables and types that a read model needs.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(super) tables: HashMap<Table, Resolution>,
    pub(super) types: HashMap<i64, PgType>,
    pub(super) type_names: HashMap<String, i64>,
    /// Schema and name of every relation, to suggest one for a missing table. Empty if no table
    /// is missing.
    pub(crate) all_relations: Vec<(String, String)>,
}

impl Catalog {
    pub(crate) fn table(&self, table: Table) -> &Resolution {
        self.tables.get(&table).unwrap_or(&Resolution::NoTable)
    }

    pub(crate) fn relation(&self, table: Table) -> Option<&CatalogRelation> {
        match self.table(table) {
            Resolution::Found(relation) => Some(relation),
            _ => None,
        }
    }

    pub(super) fn relations(&self) -> impl Iterator<Item = &CatalogRelation> {
        self.tables
            .values()
            .filter_map(|resolution| match resolution {
                Resolution::Found(relation) => Some(relation),
                _ => None,
            })
    }

    /// The type `oid`, or the type under it if it is a domain.
    pub(crate) fn base(&self, oid: i64) -> Option<&PgType> {
        let mut ty = self.types.get(&oid)?;
        // A domain can be over another domain.
        while ty.typtype == 'd' {
            ty = self.types.get(&ty.base)?;
        }
        Some(ty)
    }

    /// The type `oid` as it was declared: a domain, or a type that is not one.
    pub(crate) fn declared(&self, oid: i64) -> Option<&PgType> {
        self.types.get(&oid)
    }

    /// Whether a column cannot be null, by its own constraint or by that of its domain.
    pub(crate) fn never_null(&self, column: &RelationColumn) -> bool {
        let mut oid = column.type_oid;
        while let Some(ty) = self.types.get(&oid).filter(|ty| ty.typtype == 'd') {
            if ty.never_null {
                return true;
            }
            oid = ty.base;
        }
        column.never_null
    }

    /// The type with this name.
    pub(crate) fn named(&self, name: &str) -> Option<&PgType> {
        self.types.get(self.type_names.get(name)?)
    }
}
