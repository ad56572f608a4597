//! Checks that the rows of a view have documents.

use sqlx::PgConnection;

use crate::error::Result;
use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::ops::check::execute::judge;
use crate::ops::check::findings::Findings;
use crate::ops::rebuild::status;
use crate::ops::rebuild::status::RebuildState;
use crate::schema::naming::table_name;
use crate::view::Handle;

/// Reports a view that lacks documents, because it was not filled.
///
/// It looks at the bookkeeping of rebuilds, and whether the tables have a row: it counts nothing.
pub(crate) async fn view(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    handle: Handle,
) -> Result<()> {
    let view = handle.view;
    let is_broken = [Breaks::Documents, Breaks::Storage, Breaks::Bookkeeping]
        .into_iter()
        .any(|breaks| findings.is_broken(view, breaks));
    if is_broken {
        return Ok(());
    }
    let result = status::read(connection, handle).await;
    // Another finding explains why the tables cannot be read.
    let Ok(noted) = judge(connection, result, 0).await? else {
        return Ok(());
    };
    let why = match noted.status.state {
        RebuildState::Unfilled => "rows exist that have no document",
        RebuildState::Interrupted if noted.is_fill() => {
            "a rebuild that inserted the documents of its rows was interrupted"
        }
        _ => return Ok(()),
    };
    let message = format!(
        "{} is not filled: {why}, and reads do not find them",
        table_name(view.table)
    );
    let diagnostic = Diagnostic::warning(FindingKind::Unfilled, view.table.to_string(), message)
        .remedies([Remedy::Rebuild]);
    findings.add(Some(view), view.shape.name, diagnostic);
    Ok(())
}
