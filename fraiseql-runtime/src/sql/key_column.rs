//! Conditions on key columns, and their order.
//!
//! Every statement that locks rows locks them in key order, so that two statements which lock the
//! same rows never wait for each other.

use crate::schema::{Key, View};

/// Keys in an ORDER BY, in an order that is the same in every database, and in Rust.
///
/// Texts would be sorted by the collation of their column: `COLLATE "C"` sorts them by bytes.
pub(crate) fn key_order(key: &str, ty: &Key) -> String {
    if ty.ty.sql == "text" {
        format!("{key} COLLATE \"C\"")
    } else {
        key.to_owned()
    }
}

/// The condition that `key` is in the array of a parameter.
///
/// The sub-select hides the length of the array from the planner, which would otherwise plan each
/// execution anew for that length. This takes longer than to lock or look up a few rows.
pub(crate) fn in_parameter(key: &str, view: &View, parameter: u8) -> String {
    format!(
        "{key} = ANY ((SELECT ${parameter}::{0}[])::{0}[])",
        view.key.ty.sql
    )
}

/// The condition that `key` is the one in the array of a parameter. An array, so that each statement
/// binds keys in the same way.
pub(crate) fn first_of_parameter(key: &str, view: &View, parameter: u8) -> String {
    format!("{key} = (${parameter}::{}[])[1]", view.key.ty.sql)
}

/// The condition that `key` is in the array `keys` of the CTE `input`.
///
/// As for [`in_parameter`], the sub-select hides the length of the array, so that one plan serves
/// all executions.
pub(crate) fn in_input(key: &str, view: &View) -> String {
    format!(
        "{key} = ANY ((SELECT keys FROM input)::{}[])",
        view.key.ty.sql
    )
}

/// A parameter or a literal as an array of keys.
pub(crate) fn key_array(view: &View, value: &str) -> String {
    format!("{value}::{}[]", view.key.ty.sql)
}
