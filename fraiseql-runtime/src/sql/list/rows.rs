//! The rows that a list has: where they are read, and the conditions on them.

use super::condition::Condition;
use super::view_row::V;
use crate::schema::{Storage, View};
use crate::sql::document;
use crate::sql::tenant;
use crate::sql::text::Sql;

/// The rows that meet a filter.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) view: &'a View,
    pub(super) condition: Option<&'a Condition>,
    /// Whether only the documents of the tenant in the array `$1` are read.
    pub(super) by_tenant: bool,
}

impl Rows<'_> {
    /// Writes the rows that are filtered: stored ones, or those of the base table with these columns beside the
    /// columns that are compared.
    pub(super) fn from(self, sql: &mut Sql, mut wanted: Vec<&'static str>) {
        if self.view.storage != Storage::Live {
            sql.line(format!("FROM {} AS {V}", self.view.table));
            return;
        }
        if let Some(condition) = self.condition {
            condition.add_columns(&mut wanted);
        }
        if let Some(tenant) = self.view.tenant.filter(|_| self.by_tenant) {
            wanted.push(tenant.column);
        }
        sql.block("FROM (", format!(") AS {V}"), |sql| {
            document::write_rows(sql, self.view, &wanted);
        });
    }

    /// The conditions, each for a line of its own.
    pub(super) fn conditions(self) -> Vec<String> {
        let filters = match self.condition {
            None => Vec::new(),
            Some(Condition::All(all)) if !all.is_empty() => {
                all.iter().map(Condition::text).collect()
            }
            Some(condition) => vec![condition.text()],
        };
        let tenant = tenant::of_stored(self.view, V, 1).filter(|_| self.by_tenant);
        tenant.into_iter().chain(filters).collect()
    }
}
