//! Prepares and plans every statement of a view, and traces a rejection to the fragment that caused it.

use sqlx::PgConnection;

use crate::error::Result;
use crate::error::check_report::FindingKind;
use crate::error::sqlstate::INSUFFICIENT_PRIVILEGE;
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::ops::check::execute::{Rejection, plan};
use crate::ops::check::findings::Findings;
use crate::ops::check::fragments::{Fragment, column_at, line_at, marked, position_in_fragment};
use crate::ops::check::requirements::bookkeeping;
use crate::schema::View;
use crate::sql::matview::refreshes;
use crate::sql::statements::{ListedStatement, StatementKind, StatementTable};
use crate::sql::{Statements, document};

/// Prepares and plans every statement of a view, except those that a known finding breaks. A rejection that
/// a finding explains already is not reported again.
pub(crate) async fn statements(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    view: &'static View,
    statements: &'static Statements,
    fragments: &[Fragment],
) -> Result<()> {
    // Every other statement contains the same query, or reads what it stores.
    if findings.is_broken(view, Breaks::Documents) {
        return Ok(());
    }
    let query = document::query(view);
    let query = Prepared {
        sql: &query,
        shown: "the query that builds documents".to_owned(),
        advice: "compare it, from sql::document::query, with the tables".to_owned(),
        subject: view.table.to_string(),
    };
    let mut all = vec![query];
    if !findings.is_broken(view, Breaks::Storage) {
        let has_bookkeeping = !findings.is_broken(view, Breaks::Bookkeeping);
        all.extend(
            statements
                .all()
                .filter(|statement| statement.kind == StatementKind::Query)
                .filter(|statement| {
                    has_bookkeeping
                        || !matches!(
                            statement.table,
                            StatementTable::Bookkeeping | StatementTable::Refreshes
                        )
                })
                .map(|statement| Prepared::listed(view, statement)),
        );
    }
    for prepared in all {
        if let Err(rejection) = plan(connection, prepared.sql).await? {
            // Another finding names the privilege.
            if rejection.code == INSUFFICIENT_PRIVILEGE && findings.lacks_privileges() {
                continue;
            }
            let (path, diagnostic) = rejected(view, &prepared, &rejection, fragments);
            findings.add(Some(view), &path, diagnostic);
            // The statements that follow would be rejected for the same reason.
            break;
        }
    }
    Ok(())
}

/// A statement to prepare, as messages describe it.
struct Prepared<'s> {
    sql: &'s str,
    shown: String,
    advice: String,
    /// The table that a rejection is about: the bookkeeping table is shared by views.
    subject: String,
}

impl<'s> Prepared<'s> {
    fn listed(view: &View, statement: ListedStatement<'s>) -> Self {
        let table = match statement.table {
            StatementTable::Base | StatementTable::View => view.table,
            StatementTable::Bookkeeping => bookkeeping(view),
            StatementTable::Refreshes => refreshes(view),
        };
        Self {
            sql: statement.sql,
            shown: format!("the statement `{}`", statement.name),
            advice: format!(
                "compare it, from {}::statements().{}, with the tables",
                view.shape.name, statement.name
            ),
            subject: table.to_string(),
        }
    }
}

/// The problem of a rejected statement, with the field that it is about.
fn rejected(
    view: &View,
    prepared: &Prepared<'_>,
    rejection: &Rejection,
    fragments: &[Fragment],
) -> (String, Diagnostic) {
    let cause = rejection.position.and_then(|position| {
        fragments.iter().find_map(|fragment| {
            let position = position_in_fragment(fragment.text, prepared.sql, position)?;
            Some((fragment, position))
        })
    });
    if let Some((fragment, position)) = cause {
        return (
            fragment.path.clone(),
            rejected_fragment(fragment, position, rejection),
        );
    }
    let line = rejection
        .position
        .and_then(|position| line_at(prepared.sql, position))
        .map(|line| format!("\n  {line}"))
        .unwrap_or_default();
    let message = format!(
        "the server refuses {}: {}{line}",
        prepared.shown, rejection.message
    );
    let diagnostic = Diagnostic::error(FindingKind::Statement, prepared.subject.as_str(), message)
        .advice(prepared.advice.as_str());
    (view.shape.name.to_owned(), diagnostic)
}

/// A fragment that is valid alone, but not beside the other tables of the document: a column
/// without `{}.` is ambiguous there.
fn rejected_fragment(fragment: &Fragment, position: usize, rejection: &Rejection) -> Diagnostic {
    let text = fragment.text.trim();
    let message = format!(
        "the server refuses the {} where it stands in the document: {}{}",
        fragment.attribute,
        rejection.message,
        marked(text, Some(position))
    );
    Diagnostic::error(
        FindingKind::Fragment,
        format!("{} {}", fragment.table, fragment.text),
        message,
    )
    .rust(format!("{{}}.{}", column_at(text, position)))
    .breaks(Breaks::Documents)
}
