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

/// A column of a foreign key.
#[derive(Debug)]
pub(crate) struct ForeignKey {
    /// The constraint, which may have several columns.
    pub(crate) constraint: i64,
    pub(crate) column: String,
    pub(crate) parent_oid: i64,
    pub(crate) parent_column: String,
}

/// Those of `indexes` that begin with these columns, in any order; or that are unique in some of them.
pub(crate) fn indexes_on<'r>(
    indexes: &'r [RelationIndex],
    columns: &'r [&'r str],
) -> impl Iterator<Item = &'r RelationIndex> {
    indexes.iter().filter(move |index| {
        let first = index.columns.iter().take(columns.len());
        let begins_with = |name: &&str| first.clone().flatten().any(|column| column == name);
        columns.iter().all(begins_with) || index.is_unique_in(columns)
    })
}

impl RelationIndex {
    /// Whether it guarantees that no two rows have the same values in these columns.
    fn is_unique_in(&self, columns: &[&str]) -> bool {
        let is_one = |column: &Option<String>| {
            let name = column.as_deref();
            name.is_some_and(|name| columns.contains(&name))
        };
        self.unique && self.valid && !self.partial && self.columns.iter().all(is_one)
    }

    /// Whether it finds all rows with given values in its first columns.
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

    /// Whether a unique index on these columns alone is possible: one of a partitioned table must contain
    /// the columns that it is partitioned by.
    pub(crate) fn can_be_unique(&self, columns: &[&str]) -> bool {
        let mut partitioned_by = self.partitioned_by.iter();
        partitioned_by.all(|name| columns.contains(&name.as_str()))
    }

    /// Whether no two rows have the same values in these columns, apart from rows of tables that inherit
    /// from this one.
    pub(crate) fn is_unique(&self, columns: &[&str]) -> bool {
        self.indexes.iter().any(|index| index.is_unique_in(columns))
    }

    /// The unique indexes of exactly these columns.
    pub(crate) fn unique_indexes<'r>(
        &'r self,
        columns: &'r [&'r str],
    ) -> impl Iterator<Item = &'r RelationIndex> {
        let indexes = self.indexes.iter();
        indexes.filter(|index| index.columns.len() == columns.len() && index.is_unique_in(columns))
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
        if self.refers(&[column], parent, &[parent_column]) {
            return None;
        }
        let mut keys = self.foreign_keys.iter();
        let key = keys.find(|key| key.column == column && key.parent_oid == parent.oid)?;
        Some(&key.parent_column)
    }

    /// Whether a foreign key refers with `columns` to `parent_columns` of `parent`, one by one.
    pub(crate) fn refers(
        &self,
        columns: &[&str],
        parent: &CatalogRelation,
        parent_columns: &[&str],
    ) -> bool {
        let has = |constraint: i64, column: &str, parent_column: &str| {
            self.foreign_keys.iter().any(|key| {
                key.constraint == constraint
                    && key.column == column
                    && key.parent_oid == parent.oid
                    && key.parent_column == parent_column
            })
        };
        self.foreign_keys.iter().any(|key| {
            let mut pairs = columns.iter().zip(parent_columns);
            pairs.all(|(column, parent_column)| has(key.constraint, column, parent_column))
        })
    }
}
