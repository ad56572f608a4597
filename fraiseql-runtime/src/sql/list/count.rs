//! The statement that counts the documents of a list.

use super::condition::Condition;
use super::rows::Rows;
use crate::schema::View;
use crate::sql::text::Sql;

/// The number of the documents of a list. The result is one row, which has the number as text where a list has its
/// documents.
#[derive(Clone, Debug)]
pub(crate) struct CountQuery<'a> {
    pub(crate) view: &'a View,
    pub(crate) condition: Option<Condition>,
    /// Whether only the documents of the tenant in the array `$1` are counted.
    pub(crate) by_tenant: bool,
}

impl CountQuery<'_> {
    /// The statement. That of a live view is for a session that has what documents need, as
    /// [`ListQuery`](super::ListQuery).
    pub(crate) fn compose(&self) -> String {
        let rows = Rows {
            view: self.view,
            condition: self.condition.as_ref(),
            by_tenant: self.by_tenant,
        };
        let mut sql = Sql::new();
        sql.line("SELECT pg_catalog.count(*)::text AS data");
        rows.from(&mut sql, Vec::new());
        sql.conditions("WHERE", &rows.conditions());
        sql.finish()
    }
}
