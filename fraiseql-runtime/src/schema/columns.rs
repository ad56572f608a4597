//! One or several columns that are compared as a whole: those of a key, or of a foreign key.

use std::fmt;

use crate::schema::scalar::ScalarType;

/// The names of one or several columns of a table, which are compared as a whole: the columns of a
/// key, or of a foreign key.
///
/// ```
/// use fraiseql_runtime::schema::{Columns, Source};
/// use fraiseql_runtime::{Embed, TView};
///
/// #[derive(TView)]
/// struct Ticket {
///     id: i64,
///     #[tview(one(fk = "org_id, project_id"))]
///     project: Project,
/// }
///
/// #[derive(Embed)]
/// struct Project {
///     #[tview(key)]
///     org_id: i64,
///     #[tview(key)]
///     id: i64,
/// }
///
/// # fn main() {
/// let Source::One(one) = &Ticket::SHAPE.fields[1].source else { unreachable!() };
/// assert_eq!(one.fk, Columns::new(&["org_id", "project_id"]));
/// assert_eq!(one.shape.get().key_columns().to_string(), "org_id, id");
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Columns(&'static [&'static str]);

impl Columns {
    /// The column of a key that is not declared.
    pub(crate) const ID: Self = Self(&["id"]);

    /// The columns of these names, in the order in which they are compared.
    #[must_use]
    pub const fn new(names: &'static [&'static str]) -> Self {
        Self(names)
    }

    /// Their names.
    #[must_use]
    pub const fn names(self) -> &'static [&'static str] {
        self.0
    }

    /// The name, if it is one column.
    #[must_use]
    pub const fn single(self) -> Option<&'static str> {
        match self.0 {
            [name] => Some(*name),
            _ => None,
        }
    }

    /// The name of their values in changes. Values of several columns are arrays.
    pub(crate) fn name_in_changes(self) -> String {
        match self.single() {
            Some(name) => name.to_owned(),
            // As a row in SQL, which no column is called.
            None => {
                let names: Vec<String> = self.0.iter().map(|name| format!("{name:?}")).collect();
                format!("({})", names.join(", "))
            }
        }
    }

    /// The number of columns.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Columns {
    /// The names, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl PartialEq<str> for Columns {
    /// Whether it is one column of this name.
    fn eq(&self, name: &str) -> bool {
        self.single() == Some(name)
    }
}

/// The names of one or several columns that are known at run time: those by which rows are marked, or read again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ColumnNames(Vec<String>);

impl ColumnNames {
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// Several columns, whose names are separated by commas.
    pub(crate) fn separated(names: &str) -> Self {
        let names = names.split(',').map(|name| name.trim().to_owned());
        Self(names.collect())
    }

    /// The name, if it is one column.
    pub(crate) fn single(&self) -> Option<&str> {
        match self.0.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }
}

impl From<&str> for ColumnNames {
    /// One column.
    fn from(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }
}

impl From<Columns> for ColumnNames {
    fn from(columns: Columns) -> Self {
        Self(columns.0.iter().map(|&name| name.to_owned()).collect())
    }
}

impl PartialEq<Columns> for ColumnNames {
    fn eq(&self, columns: &Columns) -> bool {
        self.0 == columns.0
    }
}

impl fmt::Display for ColumnNames {
    /// The names, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// The columns of a key, with their types.
///
/// ```
/// use fraiseql_runtime::TView;
///
/// #[derive(TView)]
/// #[tview(table = "tb_line")]
/// struct Line {
///     #[tview(key)]
///     order_id: i64,
///     #[tview(key)]
///     product_id: i32,
///     quantity: i32,
/// }
///
/// # fn main() {
/// let key = Line::VIEW.key;
/// let columns: Vec<_> = key.iter().map(|(name, ty)| (name, ty.sql)).collect();
/// assert_eq!(columns, [("order_id", "int8"), ("product_id", "int4")]);
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The columns in the base table. [`View::key_columns`](crate::schema::View::key_columns) are
    /// those in the view table.
    pub columns: Columns,
    /// Their types, in the same order.
    pub types: &'static [ScalarType],
}

impl Key {
    /// The columns and their types.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static ScalarType)> + use<> {
        self.columns.0.iter().copied().zip(self.types)
    }

    /// The type, if it is one column.
    #[must_use]
    pub const fn single(&self) -> Option<(&'static str, &'static ScalarType)> {
        match (self.columns.0, self.types) {
            ([name], [ty]) => Some((*name, ty)),
            _ => None,
        }
    }
}
