//! The name of any table, also of one that no struct names.

use std::borrow::Cow;

use crate::schema::Table;

/// The name of a table in two parts. Its `Display` is quoted, as in SQL: `"public"."tv_post"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// The schema.
    pub schema: Cow<'static, str>,
    /// The table's own name.
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

/// By the names alone, for a log that is compared with a view's.
impl PartialEq<Table> for TableName {
    fn eq(&self, other: &Table) -> bool {
        self.schema == other.schema && self.name == other.name
    }
}
