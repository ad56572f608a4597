//! Compares a view table, and the bookkeeping table beside it, with what `migrate` would create.

use sqlx::PgConnection;

use crate::error::check_report::{FindingKind, Remedy};
use crate::error::{Operation, PARTITION_BOUNDS_REMEDY, Result};
use crate::ops::check::catalog::{CatalogRelation, RelationKind, Resolution};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::ops::check::findings::Findings;
use crate::ops::check::privileges::no_usage;
use crate::ops::check::requirements::bookkeeping;
use crate::ops::check::view_columns;
use crate::ops::migrate::partition_bounds::{PartitionBounds, out_of_order};
use crate::schema::bookkeeping::{DATA, original_columns};
use crate::schema::naming::table_name;
use crate::schema::{Storage, View};
use crate::sql::Statements;
use crate::sql::matview::refreshes;
use crate::sql::probe;

/// Compares the view table of `view`.
pub(crate) fn view(findings: &mut Findings<'_>, view: &'static View, statements: &Statements) {
    for diagnostic in diagnostics(findings, view, statements) {
        findings.add(Some(view), view.shape.name, diagnostic);
    }
}

/// Checks that the partitions of the view table can be created.
pub(crate) async fn partition_bounds(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    view: &'static View,
) -> Result<()> {
    if let Some(bounds) = out_of_order(connection, view, Operation::Check).await? {
        let PartitionBounds { written, ordered } = bounds;
        let message = format!(
            "{} is partitioned at {written}, but the collation of this database orders them \
             {ordered}",
            table_name(view.table)
        );
        let diagnostic = Diagnostic::error(
            FindingKind::PartitionBounds,
            view.table.to_string(),
            message,
        )
        .advice(PARTITION_BOUNDS_REMEDY)
        .breaks(Breaks::Storage);
        findings.add(Some(view), view.shape.name, diagnostic);
    }
    Ok(())
}

fn diagnostics(
    findings: &Findings<'_>,
    view: &'static View,
    statements: &Statements,
) -> Vec<Diagnostic> {
    let table = view.table;
    let role = findings.server.role.as_str();
    let missing = match findings.catalog.table(table) {
        Resolution::Found(relation) if relation.kind == wanted_kind(view) => {
            let mut diagnostics = existing_table(findings, view, statements, relation);
            diagnostics.extend(missing_bookkeeping(findings, view));
            return diagnostics;
        }
        // `migrate` cannot create the table, and that finding has the reason.
        Resolution::NoTable if findings.has(FindingKind::PartitionBounds, &table.to_string()) => {
            return Vec::new();
        }
        Resolution::NoTable => Diagnostic::error(
            FindingKind::MissingViewTable,
            table.to_string(),
            format!("there is no {} {}", kind_name(view), table_name(table)),
        )
        .remedies([Remedy::Migrate]),
        Resolution::NoSchema => Diagnostic::error(
            FindingKind::MissingSchema,
            table.schema,
            format!(
                "there is no schema `{}` for the {}",
                table.schema,
                kind_name(view)
            ),
        )
        .sql(probe::create_schema(table.schema)),
        Resolution::NoUsage => no_usage(table.schema, role),
        Resolution::Found(_) => Diagnostic::error(
            FindingKind::NotATable,
            table.to_string(),
            match view.storage {
                Storage::Matview { .. } => format!(
                    "{} should be a materialized view, but is not one",
                    table_name(table)
                ),
                _ => format!(
                    "{} is the view table, but is not a table",
                    table_name(table)
                ),
            },
        )
        .rust("#[tview(view = \"another name\")]"),
    };
    vec![missing.breaks(Breaks::Storage)]
}

/// The kind of relation that documents are in.
fn wanted_kind(view: &View) -> RelationKind {
    match view.storage {
        Storage::Matview { .. } => RelationKind::Materialized,
        Storage::Table | Storage::Live => RelationKind::Table,
    }
}

fn kind_name(view: &View) -> &'static str {
    match view.storage {
        Storage::Matview { .. } => "materialized view",
        Storage::Table | Storage::Live => "view table",
    }
}

/// Compares an existing view table with its struct.
fn existing_table(
    findings: &Findings<'_>,
    view: &'static View,
    statements: &Statements,
    relation: &CatalogRelation,
) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if let Some(foreign) = not_a_view_table(view, relation) {
        // Nothing else of such a table is worth a finding, except the privileges on it.
        diagnostics.push(foreign);
    } else {
        view_columns::indexes(view, statements, relation, &mut diagnostics);
        view_columns::types(findings.catalog, view, relation, &mut diagnostics);
        diagnostics.extend(key_without_index(view, relation));
    }
    diagnostics.extend(privileges(&findings.server.role, view, relation));
    diagnostics.extend(row_security(&findings.server.role, view, relation));
    diagnostics
}

/// A table that lacks a column of every view table was not created by `migrate` for this key.
fn not_a_view_table(view: &View, relation: &CatalogRelation) -> Option<Diagnostic> {
    let table = view.table;
    let missing: Vec<&str> = view
        .key_columns()
        .into_iter()
        .chain(original_columns().filter(|name| view.is_synced() || *name == DATA))
        .filter(|name| relation.column(name).is_none())
        .collect();
    (!missing.is_empty()).then(|| {
        let message = format!(
            "{} is not the {} of this struct: it has no {}; drop it, and migrate{}",
            table_name(table),
            kind_name(view),
            missing.join(", "),
            if view.is_synced() {
                ", and sync all"
            } else {
                ""
            }
        );
        Diagnostic::error(FindingKind::OutdatedViewTable, table.to_string(), message)
            .sql(match view.storage {
                Storage::Matview { .. } => format!("DROP MATERIALIZED VIEW {table}"),
                Storage::Table | Storage::Live => format!("DROP TABLE {table}"),
            })
            .breaks(Breaks::Storage)
    })
}

/// The bookkeeping table of rebuilds is created together with the view table. It is missing if an
/// older version of `migrate` created the view table.
fn missing_bookkeeping(findings: &Findings<'_>, view: &View) -> Option<Diagnostic> {
    if !view.is_synced() {
        return missing_refreshes(findings, view);
    }
    let table = bookkeeping(view);
    let is_missing = matches!(findings.catalog.table(table), Resolution::NoTable);
    is_missing.then(|| {
        let message = format!(
            "there is no table {}, in which rebuilds record their progress: \
             ReadModel::rebuild fails, syncs and reads work",
            table_name(table)
        );
        Diagnostic::warning(FindingKind::OutdatedViewTable, table.to_string(), message)
            .remedies([Remedy::Migrate])
            .breaks(Breaks::Bookkeeping)
    })
}

/// The table of refreshes is created together with the first materialized view.
fn missing_refreshes(findings: &Findings<'_>, view: &View) -> Option<Diagnostic> {
    let table = refreshes(view);
    let is_missing = matches!(findings.catalog.table(table), Resolution::NoTable);
    is_missing.then(|| {
        let message = format!(
            "there is no table {}, in which refreshes are noted: ReadModel::refresh fails, reads work",
            table_name(table)
        );
        Diagnostic::warning(FindingKind::OutdatedViewTable, table.to_string(), message)
            .remedies([Remedy::Migrate])
            .breaks(Breaks::Bookkeeping)
    })
}

/// Without a unique index that is checked immediately, `ON CONFLICT` has no arbiter.
fn key_without_index(view: &View, relation: &CatalogRelation) -> Option<Diagnostic> {
    let (table, key) = (view.table, view.key_columns());
    let is_unique = relation.unique_indexes(&key).any(|index| index.immediate);
    (!is_unique).then(|| {
        let message = format!(
            "{}.{} is not unique, so a sync cannot tell a document from a new one",
            table_name(table),
            key.join(", ")
        );
        Diagnostic::error(FindingKind::ViewKey, table.to_string(), message)
            .sql(if relation.has_primary_key() {
                probe::create_unique_index(table, &key)
            } else {
                probe::add_primary_key(table, &key)
            })
            .breaks(Breaks::Storage)
    })
}

fn privileges(role: &str, view: &View, relation: &CatalogRelation) -> Option<Diagnostic> {
    let table = view.table;
    let can_select = relation.columns.iter().all(|column| column.can_select);
    let is_written = view.is_synced();
    let granted = [
        ("SELECT", can_select),
        ("INSERT", relation.can_insert || !is_written),
        ("UPDATE", relation.can_update || !is_written),
        ("DELETE", relation.can_delete || !is_written),
    ];
    let missing: Vec<&str> = granted
        .iter()
        .filter_map(|(privilege, is_granted)| (!is_granted).then_some(*privilege))
        .collect();
    (!missing.is_empty()).then(|| {
        let missing = missing.join(", ");
        let message = format!(
            "the role {role} lacks privileges on the {} {}: {missing}",
            kind_name(view),
            table_name(table)
        );
        // PREPARE does not check privileges, so this breaks no statement.
        Diagnostic::error(FindingKind::Privilege, table.to_string(), message)
            .sql(probe::grant(&missing, table, role))
    })
}

fn row_security(role: &str, view: &View, relation: &CatalogRelation) -> Option<Diagnostic> {
    let table = view.table;
    relation.row_security.then(|| {
        let message = format!(
            "row level security is active on the view table {} for the role {role}: a sync cannot \
             replace the documents that it hides",
            table_name(table)
        );
        Diagnostic::warning(FindingKind::RowSecurity, table.to_string(), message)
            .advice("sync as a role that sees every row, such as one with BYPASSRLS")
    })
}
