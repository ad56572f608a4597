//! Compares the definition of a materialized view with its struct.

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::check_report::{FindingKind, Remedy};
use crate::error::{Operation, Result};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::ops::check::findings::Findings;
use crate::schema::naming::table_name;
use crate::sql::catalog::COMMENT;
use crate::view::Handle;

/// Reports a materialized view of another definition: reads by key build its documents, and lists may miss
/// columns.
pub(crate) async fn definition(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    handle: Handle,
) -> Result<()> {
    let view = handle.view;
    let Some(sql) = &handle.statements().matview else {
        return Ok(());
    };
    if findings.is_broken(view, Breaks::Storage) {
        return Ok(());
    }
    let comment: Option<String> = Statement::new(COMMENT, Operation::Check)
        .bind(view.table.to_string())
        .fetch_one(connection, |row| row.try_get(0))
        .await?;
    if comment.as_ref() == Some(&sql.mark) {
        return Ok(());
    }
    let message = format!(
        "{} was not created for this struct: its documents are stale, and reads by key build them",
        table_name(view.table)
    );
    let subject = view.table.to_string();
    let diagnostic = Diagnostic::warning(FindingKind::OutdatedViewTable, subject, message)
        .remedies([Remedy::Migrate]);
    findings.add(Some(view), view.shape.name, diagnostic);
    Ok(())
}
