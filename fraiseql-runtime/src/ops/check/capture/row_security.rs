//! Tables whose rows are hidden from the owner of the functions that sync.
//!
//! The functions run with the privileges of their owner, not with those of the role that is checked.

use sqlx::{PgConnection, Row as _};

use super::query;
use crate::error::Result;
use crate::error::check_report::FindingKind;
use crate::ops::check::diagnostic::Diagnostic;
use crate::ops::check::findings::Findings;
use crate::ops::migrate::ModelObjects;
use crate::sql::capture::catalog;
use crate::sql::function::FunctionDdl;

/// Reports each base table and view table of which the owner of a function does not see every row.
pub(super) async fn owners(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    model: &ModelObjects<'_>,
) -> Result<()> {
    let base = findings.base.tables.iter().copied();
    let tables = base.chain(model.views.iter().map(|view| view.table));
    let relations: Vec<i64> = tables
        .filter_map(|table| findings.catalog.relation(table))
        .map(|relation| relation.oid)
        .collect();
    let functions = model.functions.iter().copied();
    let signatures: Vec<String> = functions.map(FunctionDdl::signature).collect();
    let hidden = query(catalog::HIDDEN_FROM_OWNERS)
        .bind(relations)
        .bind(signatures)
        .fetch_each(connection, |row| {
            let table: String = row.try_get("table_name")?;
            Ok((table, row.try_get::<String, _>("owner")?))
        })
        .await?;
    for (table, owner) in hidden {
        let message = format!(
            "row level security is active on {table} for the role {owner}, which owns the functions that \
             sync: they do not see the rows that it hides, and delete or cannot replace their documents"
        );
        let diagnostic = Diagnostic::warning(FindingKind::RowSecurity, table, message)
            .advice("let a role own the functions that sees every row, such as one with BYPASSRLS");
        findings.add(None, "", diagnostic);
    }
    Ok(())
}
