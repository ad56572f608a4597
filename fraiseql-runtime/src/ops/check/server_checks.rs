//! Checks that only the server can make: fragments of the user, and comparisons between types.
//! Statements are PREPAREd, or run without reading any rows.

use sqlx::PgConnection;

use crate::error::Result;
use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::ops::check::execute::{explain, prepare};
use crate::ops::check::expressions;
use crate::ops::check::findings::Findings;
use crate::ops::check::mutability::{self, Judged};
use crate::ops::check::rejections::{
    ComparedColumn, is_a_view, not_comparable, not_promotable, rejected,
};
use crate::schema::naming::column_name;
use crate::schema::scalar::ScalarType;
use crate::schema::{Aggregate, Table, View};
use crate::sql::lock::no_row_of;
use crate::sql::probe;

/// A check by the server, and the field that it is about.
pub(crate) struct ServerCheck {
    pub(crate) path: String,
    pub(crate) question: Question,
}

/// A question that the server answers by accepting or rejecting a statement.
pub(crate) enum Question {
    /// Can the rows of a database view be locked?
    View { table: Table },
    /// Is a filter valid?
    Filter { text: &'static str, table: Table },
    /// Is an expression valid, and of the field's type?
    Expr {
        text: &'static str,
        table: Table,
        ty: ScalarType,
        is_promoted: bool,
    },
    /// Is the expression of an aggregate valid, and its result of the field's type?
    Aggregate {
        text: &'static str,
        aggregate: Aggregate,
    },
    /// Can a foreign key be compared with the column that it refers to?
    Comparison {
        fk: ComparedColumn,
        key: ComparedColumn,
        remedy: Option<Remedy>,
    },
    /// Can rows be ordered by a column?
    Order {
        table: Table,
        column: &'static str,
        type_sql: String,
    },
    /// Can a column be compared with the promoted column that stores it?
    Promoted {
        table: Table,
        column: &'static str,
        /// The value that is stored, as SQL.
        value: String,
        type_sql: String,
        ty: ScalarType,
        /// A Rust type that would fit better.
        better_type: Option<String>,
    },
}

/// Runs the checks of one view.
pub(crate) async fn run(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    view: &'static View,
    checks: &[ServerCheck],
) -> Result<()> {
    for ServerCheck { path, question } in checks {
        for diagnostic in ask(connection, findings, path, question).await? {
            findings.add(Some(view), path, diagnostic);
        }
    }
    Ok(())
}

async fn ask(
    connection: &mut PgConnection,
    findings: &Findings<'_>,
    path: &str,
    question: &Question,
) -> Result<Vec<Diagnostic>> {
    let diagnostic = match question {
        Question::View { table } => {
            let plan = explain(connection, &no_row_of(*table)).await?;
            let mut diagnostics = vec![is_a_view(*table, plan.is_some())];
            diagnostics.extend(mutability::of_view(connection, *table).await?);
            return Ok(diagnostics);
        }
        Question::Filter { text, table } => {
            let statement = probe::filter(*table, text);
            match prepare(connection, &statement).await? {
                Ok(()) => {
                    let judged = Judged {
                        attribute: "filter",
                        text,
                        table: *table,
                    };
                    mutability::judge(connection, findings.catalog, &judged).await?
                }
                Err(rejection) => {
                    rejected(findings, "filter", text, *table, &statement, &rejection)
                }
            }
        }
        Question::Expr {
            text,
            table,
            ty,
            is_promoted,
        } => {
            let expr = expressions::ExprField {
                path,
                text,
                table: *table,
                ty,
                is_promoted: *is_promoted,
            };
            return expressions::expr(connection, findings, &expr).await;
        }
        Question::Aggregate { text, aggregate } => {
            return expressions::aggregate(connection, findings, path, text, aggregate).await;
        }
        Question::Comparison { fk, key, remedy } => {
            let statement = probe::link((fk.table, &fk.name), (key.table, &key.name));
            let is_rejected = prepare(connection, &statement).await?.is_err();
            is_rejected.then(|| not_comparable(fk, key, remedy.clone()))
        }
        Question::Order {
            table,
            column,
            type_sql,
        } => {
            let statement = probe::order(*table, column);
            let is_rejected = prepare(connection, &statement).await?.is_err();
            is_rejected.then(|| {
                let shown = column_name(*table, column);
                let message = format!("{shown} is {type_sql}, which has no order to sort by");
                Diagnostic::error(FindingKind::OrderBy, shown, message)
                    .advice("order by another column")
                    .breaks(Breaks::Documents)
            })
        }
        Question::Promoted {
            table,
            column,
            value,
            type_sql,
            ty,
            better_type,
        } => {
            let statement = probe::promoted(*table, value, ty);
            let is_rejected = prepare(connection, &statement).await?.is_err();
            is_rejected.then(|| {
                let shown = format!("{} is {type_sql}", column_name(*table, column));
                let rust = match better_type {
                    Some(rust) => rust.clone(),
                    None => format!("#[tview(expr = \"{{}}.{column}::{}\")]", ty.sql_name()),
                };
                not_promotable(path, &shown, ty).rust(rust)
            })
        }
    };
    Ok(diagnostic.into_iter().collect())
}
