//! The schema that stands for `public` in the tables of a read model.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, MutexGuard};

use crate::mutex::lock;
use crate::schema::{Table, TableName};

/// The schema of a table that is declared without one.
const PUBLIC: &str = "public";

/// The schema that stands for `public` in the tables of a read model. Tables that are declared in another
/// schema stay there.
///
/// Its name lives as long as the program, as those of declared tables do. Equal names are one, so that
/// the memory is bounded by the number of schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DefaultSchema(&'static str);

impl Default for DefaultSchema {
    fn default() -> Self {
        Self::DECLARED
    }
}

impl DefaultSchema {
    /// That of a read model which is not [in another schema](crate::ReadModel::in_schema).
    pub(crate) const DECLARED: Self = Self(PUBLIC);

    /// The schema of this name.
    pub(crate) fn named(name: &str) -> Self {
        if name == PUBLIC {
            return Self::DECLARED;
        }
        let mut names = names();
        let interned = names.get(name).copied().unwrap_or_else(|| {
            let name: &'static str = name.to_owned().leak();
            names.insert(name);
            name
        });
        Self(interned)
    }

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        self.0
    }

    /// A table, as it was declared.
    pub(crate) fn table(self, table: Table) -> Table {
        let schema = match table.schema {
            PUBLIC => self.0,
            other => other,
        };
        Table { schema, ..table }
    }

    /// A table whose name is known at run time only.
    pub(crate) fn table_name(self, table: TableName) -> TableName {
        let schema = match &*table.schema {
            PUBLIC => Cow::Borrowed(self.0),
            _ => table.schema,
        };
        TableName { schema, ..table }
    }
}

/// The names of all schemas but `public`.
fn names() -> MutexGuard<'static, HashSet<&'static str>> {
    static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    lock(&NAMES)
}

impl Table {
    /// Whether it is a declared table, in the schema that it was declared in or in the default schema of a
    /// read model.
    pub(crate) fn is_declared_as(self, declared: Table) -> bool {
        self == declared
            || declared.schema == PUBLIC && self.name == declared.name && {
                // Another declared table may be in a schema of an equal name, whose text is elsewhere.
                let name = names().get(self.schema).copied();
                name.is_some_and(|name| std::ptr::eq(name, self.schema))
            }
    }
}
