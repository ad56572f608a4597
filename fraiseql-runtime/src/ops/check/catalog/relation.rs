//! A table of the catalog, with its columns, indexes and foreign keys.

use crate::schema::TableName;

/// The relation that has the name of a table, or why there is none.
#[derive(Debug)]
pub(crate) enum Resolution {
    NoSchema,
    NoTable,
    /// This role may not use the schema, so it is not known whether the table exists.
    NoUsage,
    Found(CatalogRelation),
}

/// A table, a view or the like.
#[derive(Debug)]
pub(crate) struct CatalogRelation {
    pub(crate) oid: i64,
    pub(crate) kind: RelationKind,
    pub(crate) can_insert: bool,
    pub(crate) can_update: bool,
    pub(crate) can_delete: bool,
    pub(crate) can_lock: bool,
    pub(crate) row_security: bool,
    pub(crate) unlogged: bool,
    /// The columns that it is partitioned by, empty for an expression; none if it is not partitioned.
    pub(crate) partitioned_by: Vec<String>,
    /// Its partitions, or the tables that inherit from it.
    pub(crate) children: Vec<ChildTable>,
    pub(crate) columns: Vec<RelationColumn>,
    pub(crate) indexes: Vec<RelationIndex>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
}

/// A table whose rows are also rows of another one.
#[derive(Debug)]
pub(crate) struct ChildTable {
    pub(crate) oid: i64,
    pub(crate) table: TableName,
    pub(crate) is_foreign: bool,
    pub(crate) indexes: Vec<RelationIndex>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelationKind {
    Table,
    View,
    Materialized,
    Foreign,
}

#[derive(Debug)]
pub(crate) struct RelationColumn {
    pub(crate) name: String,
    pub(crate) type_oid: i64,
    /// NOT NULL, without regard to the domain that its type may be.
    pub(crate) never_null: bool,
    pub(crate) can_select: bool,
    /// The type with its length, as it is written in SQL.
    pub(crate) type_sql: String,
    /// Whether the collation is nondeterministic: values with different bytes can be equal.
    pub(crate) is_nondeterministic: bool,
}

#[derive(Debug)]
pub(crate) struct RelationIndex {
    pub(crate) schema: String,
    pub(crate) name: String,
    /// The key columns; `None` for an expression.
    pub(crate) columns: Vec<Option<String>>,
    pub(crate) unique: bool,
    pub(crate) valid: bool,
    pub(crate) partial: bool,
    /// Whether uniqueness is checked by each statement, and not at the end of the transaction.
    pub(crate) immediate: bool,
    pub(crate) primary: bool,
    /// Whether the index can find the rows with a given value.
    pub(crate) finds_equal: bool,
}

#[derive(Debug)]
pub(crate) struct ForeignKey {
    pub(crate) column: String,
    pub(crate) parent_oid: i64,
    pub(crate) parent_column: String,
}

/// Those of `indexes` whose first column is `column`.
pub(crate) fn indexes_on<'r>(
    indexes: &'r [RelationIndex],
    column: &'r str,
) -> impl Iterator<Item = &'r RelationIndex> {
    indexes
        .iter()
        .filter(move |index| index.columns.first().and_then(Option::as_deref) == Some(column))
}

impl RelationIndex {
    /// Whether it finds all rows with a given value in its first column.
    pub(crate) fn finds_rows(&self) -> bool {
        self.valid && !self.partial && self.finds_equal
    }
}

impl CatalogRelation {
    pub(crate) fn column(&self, name: &str) -> Option<&RelationColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub(crate) fn is_partitioned(&self) -> bool {
        !self.partitioned_by.is_empty()
    }

    /// Whether tables inherit from it. Its indexes and foreign keys are about its own rows only.
    pub(crate) fn is_inherited(&self) -> bool {
        !self.is_partitioned() && !self.children.is_empty()
    }

    /// Whether a unique index on `column` alone is possible: one of a partitioned table must contain
    /// the columns that it is partitioned by.
    pub(crate) fn can_be_unique(&self, column: &str) -> bool {
        self.partitioned_by.iter().all(|name| name == column)
    }

    /// Whether no two rows have the same value in `column`, apart from rows of tables that inherit
    /// from this one.
    pub(crate) fn is_unique(&self, column: &str) -> bool {
        self.unique_indexes(column).next().is_some()
    }

    /// The indexes that guarantee that no two rows have the same value in `column`.
    pub(crate) fn unique_indexes<'r>(
        &'r self,
        column: &'r str,
    ) -> impl Iterator<Item = &'r RelationIndex> {
        self.indexes.iter().filter(move |index| {
            index.unique
                && index.valid
                && !index.partial
                && index.columns.len() == 1
                && index.columns[0].as_deref() == Some(column)
        })
    }

    pub(crate) fn has_primary_key(&self) -> bool {
        self.indexes.iter().any(|index| index.primary)
    }

    /// The column of `parent` that a foreign key on `column` refers to, if it is another one than
    /// `parent_column`, and none refers to that.
    pub(crate) fn refers_elsewhere(
        &self,
        column: &str,
        parent: &CatalogRelation,
        parent_column: &str,
    ) -> Option<&str> {
        if self.refers(column, parent, parent_column) {
            return None;
        }
        let mut keys = self.foreign_keys.iter();
        let key = keys.find(|key| key.column == column && key.parent_oid == parent.oid)?;
        Some(&key.parent_column)
    }

    /// Whether a foreign key on `column` refers to `parent_column` of `parent`.
    pub(crate) fn refers(
        &self,
        column: &str,
        parent: &CatalogRelation,
        parent_column: &str,
    ) -> bool {
        self.foreign_keys.iter().any(|key| {
            key.column == column
                && key.parent_oid == parent.oid
                && key.parent_column == parent_column
        })
    }
}
