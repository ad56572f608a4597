//! Conditions on the tenant of a document, and its place in indexes.

use crate::schema::View;
use crate::sql::text::{column, ident};

/// The condition that a row of the view table belongs to the tenant in the array of a parameter. `None`
/// if the view has no tenant.
///
/// An array, as for keys: if it is empty, its first element is null, and no row is found.
pub(crate) fn of_stored(view: &View, alias: &str, parameter: u8) -> Option<String> {
    let tenant = view.tenant?;
    let stored = column(alias, tenant.column);
    Some(format!("{stored} = (${parameter}::{}[])[1]", tenant.ty.sql))
}

/// The same for a row of the base table.
pub(crate) fn of_row(view: &View, alias: &str, parameter: u8) -> Option<String> {
    let tenant = view.tenant?;
    let row = column(alias, tenant.source);
    Some(format!("{row} = (${parameter}::{}[])[1]", tenant.ty.sql))
}

/// The columns of an index of the view table, after the tenant if they do not begin with it: the rows of
/// one tenant are then one range of the index, in the order of the rest.
pub(crate) fn first(view: &View, columns: Vec<String>) -> Vec<String> {
    let Some(tenant) = view.tenant.map(|tenant| ident(tenant.column)) else {
        return columns;
    };
    match columns.first() {
        // `"org_id"` and `"org_id" DESC`.
        Some(first) if *first == tenant || first.starts_with(&format!("{tenant} ")) => columns,
        _ => std::iter::once(tenant).chain(columns).collect(),
    }
}
