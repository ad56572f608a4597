//! A table of the catalog, with its columns, indexes and foreign keys.

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
    pub(crate) columns: Vec<RelationColumn>,
    pub(crate) indexes: Vec<RelationIndex>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
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

impl CatalogRelation {
    pub(crate) fn column(&self, name: &str) -> Option<&RelationColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether no two rows have the same value in `column`.
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

    /// The indexes whose first column is `column`.
    pub(crate) fn indexes_on<'r>(
        &'r self,
        column: &'r str,
    ) -> impl Iterator<Item = &'r RelationIndex> {
        self.indexes
            .iter()
            .filter(move |index| index.columns.first().and_then(Option::as_deref) == Some(column))
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
