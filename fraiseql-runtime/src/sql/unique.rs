//! The statements for documents that take each other's values of unique columns.
//!
//! PostgreSQL checks a unique index after each row: an UPDATE that swaps the values of two rows
//! fails, whatever the order. So the columns are set to null first, in the same transaction.
//!
//! A document may also take a value that a document of another batch still stores, because that one
//! is stale: its row has given the value up, and its sync has not run yet. The two are written
//! together.

use crate::schema::{IndexOn, Promoted, Source, View};
use crate::sql::differences::{label, promoted_columns};
use crate::sql::document::{self, BatchSize};
use crate::sql::fragment::fragment;
use crate::sql::tenant;
use crate::sql::text::{Sql, column, ident};

/// Clears the unique columns of the documents `$1` whose unique values change; the others stay
/// equal, and are not written. `None` if the view has no unique column.
pub(crate) fn clear_unique(view: &View) -> Option<String> {
    let key = view.stored_key("v");
    let root_key = view.base_key("root");
    let mut cleared = Vec::new();
    let mut differ = vec![root_key.is_missing()];
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
    // A document that moves to another tenant leaves its values to the former one.
    differ.extend(view.tenant.map(|tenant| {
        let stored = column("own", tenant.column);
        let value = document::promoted_column("root", tenant.source, &tenant.ty);
        let value = value.unwrap_or_else(|| column("root", tenant.source));
        format!("{stored} IS DISTINCT FROM {value}")
    }));
    let own_key = view.stored_key("own");
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
        "LEFT JOIN {rows} AS root ON {}",
        root_key.is_same(&own_key)
    ));
    sql.conditions(
        "WHERE",
        &[
            own_key.is_in_parameter(1),
            key.is_same(&own_key),
            format!("({})", differ.join(" OR ")),
        ],
    );
    Some(sql.finish())
}

/// Returns the array of the keys of those documents, other than `$1`, that store a value of a unique
/// index which a document of `$1` should have. `None` if the view has no unique index.
pub(crate) fn unique_holders(view: &View) -> Option<String> {
    let indexes = unique_indexes(view);
    if indexes.is_empty() {
        return None;
    }
    let key = view.stored_key("v");
    let mut sql = Sql::new();
    sql.block("WITH built AS MATERIALIZED (", ")", |sql| {
        let promoted = promoted_columns(view)
            .map(|name| format!("{} AS {}", column("b", &label(view, name)), ident(name)));
        // The tenant is in every unique index, and may be the key, which is not promoted.
        let key = view.tenant.and_then(|tenant| {
            let names = view.key_columns();
            let place = names.iter().position(|name| *name == tenant.column)?;
            let value = view.key.column_of("b.\"key\"", place)?;
            Some(format!("{value} AS {}", ident(tenant.column)))
        });
        sql.line("SELECT");
        sql.block_list(promoted.chain(key));
        sql.block("FROM (", ") AS b", |sql| {
            document::write(sql, view, BatchSize::Few, |root| {
                vec![view.base_key(root).is_in_parameter(1)]
            });
        });
    });
    sql.block("SELECT ARRAY(", ") AS holders", |sql| {
        for (position, terms) in indexes.iter().enumerate() {
            if position > 0 {
                // Not OR: each index is searched by itself.
                sql.line("UNION");
            }
            let terms = terms.join(", ");
            sql.line(format!("SELECT {}", key.value()));
            sql.line(format!("FROM {} AS v", view.table));
            // The terms are not qualified: they are columns of `v` before IN, and of `built` after.
            sql.line(format!("WHERE ({terms}) IN (SELECT {terms} FROM built)"));
            sql.line(format!("  AND NOT ({})", key.is_in_parameter(1)));
        }
    });
    Some(sql.finish())
}

/// The terms of each unique index of the view table, as SQL over its columns.
fn unique_indexes(view: &View) -> Vec<Vec<String>> {
    let of_fields = view.shape.fields.iter().filter_map(|field| field.promoted);
    let of_fields = of_fields
        .filter(|promoted| promoted.unique)
        .map(|promoted| tenant::first(view, vec![ident(promoted.column)]));
    let declared = view.indexes.iter().filter(|index| index.unique);
    let declared = declared.filter_map(|index| {
        let terms = match index.on {
            IndexOn::Columns { columns, .. } => {
                columns.iter().map(|term| ident(term.column)).collect()
            }
            IndexOn::Expr(expr) => vec![format!("({expr})")],
            IndexOn::Gin(_) | IndexOn::FullText { .. } => return None,
        };
        Some(match index.global {
            true => terms,
            false => tenant::first(view, terms),
        })
    });
    of_fields.chain(declared).collect()
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
