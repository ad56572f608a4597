//! Captured changes: triggers that write to the change table what each statement has changed.
//!
//! | module | composes |
//! |---|---|
//! | `columns` | which columns of a base table documents are made of |
//! | `change_table` | the change table |
//! | `trigger_function` | `fraiseql_capture_tb_post_..`: writes a change for each statement |
//! | `triggers` | the triggers that call it |
//! | `catalog` | the queries of what exists, and of what is left over |
//!
//! # Changes
//!
//! A statement writes one row, or one for each 10,000 rows that it has changed. The row has the distinct values, before and after,
//! of those columns by which paths lead from the base table to documents:
//!
//! | statement | `operation` | `old` | `new` |
//! |---|---|---|---|
//! | INSERT, COPY | `INSERT` | null | `{"id": [70], "post_id": [7]}` |
//! | UPDATE, also by ON CONFLICT and MERGE | `UPDATE` | `{"id": [70], "post_id": [7]}` | `{"id": [70], "post_id": [8]}` |
//! | DELETE | `DELETE` | `{"id": [70], "post_id": [8]}` | null |
//! | TRUNCATE | `TRUNCATE` | null | null |
//!
//! Nulls, and columns that have nothing but nulls, are left out: they lead to no document. An image is never an empty object. A
//! statement that changes nothing that a document could contain writes no row.

pub(crate) mod catalog;
mod change_table;
mod columns;
mod trigger_function;
mod triggers;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::change_table::create as create_change_table;
pub(crate) use self::change_table::create_index as create_change_index;
pub(crate) use self::columns::Relevant;
pub(crate) use self::triggers::{Event, create_trigger, trigger_name};
use crate::schema::{Columns, Table, View};
use crate::sql::capture::columns::RelevantColumns;
use crate::sql::function::FunctionDdl;
use crate::sql::function::model::suffix;

/// The trigger functions of a read model.
#[derive(Debug)]
pub(crate) struct CaptureSql {
    /// The end of the names of functions and triggers, which tells one release from another.
    pub(crate) suffix: String,
    /// In the order of tables.
    pub(crate) tables: Vec<CapturedTable>,
}

/// A base table whose changes are captured.
#[derive(Debug)]
pub(crate) struct CapturedTable {
    pub(crate) table: Table,
    /// The columns that documents are made of.
    pub(crate) relevant: Relevant,
    /// The function that its triggers call.
    pub(crate) function: FunctionDdl,
}

/// What the functions of a read model have in common.
pub(crate) struct CapturedModel<'a> {
    /// The id of the read model, which its changes have.
    pub(crate) id: i64,
    /// The schema of the change table and of the functions.
    pub(crate) schema: &'static str,
    pub(crate) views: &'a [&'static View],
}

/// Composes the trigger functions. `first_columns` are the columns by which paths leave the rows of each table.
pub(crate) fn compose(
    model: &CapturedModel<'_>,
    first_columns: &BTreeMap<Table, BTreeSet<Columns>>,
) -> CaptureSql {
    let relevant = RelevantColumns::of(model.views);
    let tables = first_columns.iter().map(|(&table, first)| {
        let relevant = relevant.of_table(table, first);
        let has_namesake = first_columns
            .keys()
            .any(|other| other.name == table.name && other.schema != table.schema);
        CapturedTable {
            function: trigger_function::compose(model, table, first, &relevant, has_namesake),
            table,
            relevant,
        }
    });
    CaptureSql {
        suffix: suffix(model.id),
        tables: tables.collect(),
    }
}
