//! The name of a table that may be known at run time only.

use std::borrow::Cow;

use crate::schema::Table;

/// The name of a table with its schema. Its `Display` is quoted, as in SQL: `"public"."tv_post"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// The schema.
    pub schema: Cow<'static, str>,
    /// The name of the table.
    pub name: Cow<'static, str>,
}

impl From<Table> for TableName {
    fn from(table: Table) -> Self {
        Self {
            schema: Cow::Borrowed(table.schema),
            name: Cow::Borrowed(table.name),
        }
    }
}

/// For a comparison of the sync log with a view table.
impl PartialEq<Table> for TableName {
    fn eq(&self, other: &Table) -> bool {
        self.schema == other.schema && self.name == other.name
    }
}
