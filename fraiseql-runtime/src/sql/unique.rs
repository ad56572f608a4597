//! The statement that clears unique columns, so that documents can exchange their values.
//!
//! PostgreSQL checks a unique index after each row: an UPDATE that swaps the values of two rows
//! fails, whatever the order. So the columns are set to null first, in the same transaction.

use crate::schema::{IndexOn, Promoted, Source, View};
use crate::sql::document;
use crate::sql::fragment::fragment;
use crate::sql::key_column::in_parameter;
use crate::sql::text::{Sql, column, ident};

/// Clears the unique columns of the documents `$1` whose unique values change; the others stay
/// equal, and are not written. `None` if the view has no unique column.
pub(crate) fn clear_unique(view: &View) -> Option<String> {
    let key = column("v", view.key.column);
    let root_key = column("root", view.key.column);
    let mut cleared = Vec::new();
    let mut differ = vec![format!("{root_key} IS NULL")];
    for field in view.shape.fields {
        let Some(promoted) = field.promoted.filter(|promoted| is_unique(view, promoted)) else {
            continue;
        };
        cleared.push(format!("{} = NULL", ident(promoted.column)));
        let value = match &field.source {
            Source::Column { column, ty } => document::promoted_column("root", column, ty),
            _ => None,
        };
        // A value that is not just read from the root row would have to be computed here and
        // again by the write. It counts as changed unless it is null.
        let value = value.unwrap_or_else(|| "NULL".to_owned());
        let stored = column("own", promoted.column);
        differ.push(format!("{stored} IS DISTINCT FROM {value}"));
    }
    if cleared.is_empty() {
        return None;
    }
    let own_key = column("own", view.key.column);
    let mut sql = Sql::new();
    sql.line(format!("UPDATE {} AS v SET", view.table));
    sql.block_list(cleared);
    sql.line(format!("FROM {} AS own", view.table));
    let table = view.shape.table;
    let rows = match view.shape.filter {
        Some(filter) => format!(
            "(SELECT * FROM {table} AS root WHERE ({}))",
            fragment(filter, "root")
        ),
        None => table.to_string(),
    };
    sql.line(format!(
        "LEFT JOIN {rows} AS root ON {root_key} = {own_key}"
    ));
    sql.conditions(
        "WHERE",
        &[
            in_parameter(&own_key, view, 1),
            format!("{key} = {own_key}"),
            format!("({})", differ.join(" OR ")),
        ],
    );
    Some(sql.finish())
}

/// Whether a unique index of the view table contains the column.
fn is_unique(view: &View, promoted: &Promoted) -> bool {
    let by_index = view.indexes.iter().filter(|index| index.unique);
    promoted.unique
        || by_index.into_iter().any(|index| match index.on {
            IndexOn::Columns { columns, .. } => {
                columns.iter().any(|term| term.column == promoted.column)
            }
            // The expression is not parsed: it may contain any column.
            IndexOn::Expr(_) => true,
            IndexOn::Gin(_) | IndexOn::FullText { .. } => false,
        })
}
