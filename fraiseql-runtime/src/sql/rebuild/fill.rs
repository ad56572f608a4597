//! The conditions that tell whether the rows of a base table have documents.
//!
//! None of them counts: each stops at the first row that decides it.

use crate::schema::View;
use crate::sql::fragment::fragment;
use crate::sql::text::Sql;

/// Whether the view has documents.
pub(super) fn has_documents(view: &View) -> String {
    format!("EXISTS (SELECT FROM {})", view.table)
}

/// Whether the base table has a row that should have a document.
pub(super) fn has_rows(view: &View) -> String {
    let mut sql = Sql::new();
    sql.block("EXISTS (", ")", |sql| {
        sql.line(format!("SELECT FROM {} AS k", view.shape.table));
        sql.conditions("WHERE", &filter(view).into_iter().collect::<Vec<_>>());
    });
    sql.finish()
}

/// Whether the base table has a row that should have a document, and has none. It reads the keys of
/// both tables if every row has one.
pub(super) fn lacks_documents(view: &View) -> String {
    let mut conditions: Vec<String> = filter(view).into_iter().collect();
    conditions.push(format!(
        "NOT EXISTS (SELECT FROM {} AS v WHERE {})",
        view.table,
        view.stored_key("v").is_same(&view.base_key("k"))
    ));
    let mut sql = Sql::new();
    sql.block("EXISTS (", ")", |sql| {
        sql.line(format!("SELECT FROM {} AS k", view.shape.table));
        sql.conditions("WHERE", &conditions);
    });
    sql.finish()
}

fn filter(view: &View) -> Option<String> {
    let filter = view.shape.filter?;
    Some(format!("({})", fragment(filter, "k")))
}
