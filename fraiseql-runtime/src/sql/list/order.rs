//! The order of a list.

use super::view_row::column;
use crate::schema::scalar::Enum;
use crate::sql::enums::place_of_name;

/// One term of an order, in the direction in which the list is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Term {
    pub(crate) column: &'static str,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
    /// Whether it is a column of the key, which is never null. The key is last in every order.
    pub(crate) is_key: bool,
    /// Whether it is the only column of the key, which is returned before the terms.
    pub(crate) is_whole_key: bool,
    /// Whether its value is returned as text.
    pub(crate) as_text: bool,
    /// The enum whose names the column has. They are ordered as they are declared.
    pub(crate) names: Option<&'static Enum>,
}

impl Term {
    /// The term of the same order, read backwards.
    pub(crate) const fn reversed(self) -> Self {
        Self {
            descending: !self.descending,
            nulls_first: !self.nulls_first,
            ..self
        }
    }

    /// The column.
    pub(super) fn name(&self) -> String {
        column(self.column)
    }

    /// What the rows are ordered by. An index has the same expression.
    pub(super) fn sorted(&self) -> String {
        self.sorted_value(&self.name())
    }

    /// What a value of the column is ordered by.
    pub(super) fn sorted_value(&self, value: &str) -> String {
        match self.names {
            Some(table) => place_of_name(value, table),
            None => value.to_owned(),
        }
    }

    /// The column with its direction, and nulls where PostgreSQL has them by default.
    pub(super) fn direction(&self) -> String {
        let direction = if self.descending { " DESC" } else { "" };
        format!("{}{direction}", self.sorted())
    }

    /// The column with its direction and the position of nulls.
    pub(super) fn text(&self) -> String {
        // By default, PostgreSQL sorts nulls as larger than all values: last, or first if
        // descending.
        let nulls = match (self.is_key, self.descending, self.nulls_first) {
            (true, ..) | (_, true, true) | (_, false, false) => "",
            (_, false, true) => " NULLS FIRST",
            (_, true, false) => " NULLS LAST",
        };
        format!("{}{nulls}", self.direction())
    }

    /// The operator for values after a value.
    pub(super) const fn after_operator(&self) -> &'static str {
        if self.descending { "<" } else { ">" }
    }
}
