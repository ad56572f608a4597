//! Asks the server what only it can judge: the user's SQL, and comparisons between types.
//! Statements are PREPAREd, or run over no rows.

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::error::check_report::{FindingKind, Remedy, Severity};
use crate::ops::check::catalog::{Catalog, command};
use crate::ops::check::findings::{Breaks, Fault, Findings};
use crate::ops::check::fit;
use crate::ops::check::fit::Misfit;
use crate::ops::check::labels;
use crate::schema::naming::{column_name, did_you_mean, near};
use crate::schema::scalar::ScalarType;
use crate::schema::{Aggregate, Function, Table, View};
use crate::sql::text::fragment;
use crate::sql::{catalog as sql, form, probe};

/// A question that the walk leaves to the server.
pub(crate) enum Question {
    /// Does a filter work?
    Filter {
        path: String,
        text: &'static str,
        table: Table,
    },
    /// Does an expression work, and has it the field's type?
    TypeOf {
        path: String,
        text: &'static str,
        table: Table,
        ty: ScalarType,
        promoted: bool,
    },
    /// The same for an aggregate.
    Aggregate {
        path: String,
        text: &'static str,
        aggregate: Aggregate,
    },
    /// Can a foreign key be compared with what it refers to? Table, column, type.
    Link {
        path: String,
        fk: (Table, String, String),
        key: (Table, String, String),
        remedy: Option<Remedy>,
    },
    /// Can rows be ordered by a column?
    Order {
        path: String,
        table: Table,
        column: &'static str,
        written: String,
    },
    /// Can a column be compared with the promoted column that stores it?
    Promoted {
        path: String,
        table: Table,
        column: &'static str,
        /// What is stored of it.
        value: String,
        written: String,
        ty: ScalarType,
        /// The type that would fit, where that is another.
        rust: Option<String>,
    },
}

/// Why the server refused a statement.
pub(crate) struct Refusal {
    code: String,
    pub(crate) message: String,
    /// The place in the statement, in characters from 0.
    pub(crate) position: Option<usize>,
}

/// The server's answer: what it answered, or why not. Other errors end the check.
pub(crate) type Answer<T> = sqlx::Result<Result<T, Refusal>>;

async fn judge<T>(connection: &mut PgConnection, asked: sqlx::Result<T>, skip: usize) -> Answer<T> {
    let error = match asked {
        Ok(value) => return Ok(Ok(value)),
        Err(sqlx::Error::Database(error)) => error,
        Err(error) => return Err(error),
    };
    // A server that is stopping, busy or without room refuses nothing: it fails.
    let failed = |code: &str| ["08", "40", "53", "55", "57", "58"].contains(&&code[..2]);
    if error
        .code()
        .is_none_or(|code| code.len() < 2 || failed(&code))
    {
        return Err(sqlx::Error::Database(error));
    }
    let position = error
        .try_downcast_ref::<PgDatabaseError>()
        .and_then(PgDatabaseError::position)
        .and_then(|position| match position {
            PgErrorPosition::Original(place) => place.checked_sub(skip + 1),
            PgErrorPosition::Internal { .. } => None,
        });
    let refusal = Refusal {
        code: error.code().unwrap_or_default().into_owned(),
        message: error.message().to_owned(),
        position,
    };
    command(connection, sql::ROLLBACK).await?;
    Ok(Err(refusal))
}

/// Lets the server read a statement.
pub(crate) async fn prepare(connection: &mut PgConnection, statement: &str) -> Answer<()> {
    let asked = command(connection, format!("{}{statement}", sql::PREPARE)).await;
    let accepted = asked.is_ok();
    let answer = judge(connection, asked, sql::PREPARE.len()).await?;
    if accepted {
        command(connection, sql::DEALLOCATE).await?;
    }
    Ok(answer)
}

/// The type of what a probe selects.
async fn type_of(connection: &mut PgConnection, statement: String) -> Answer<i64> {
    let asked = sqlx::query_scalar(AssertSqlSafe(statement))
        .persistent(false)
        .fetch_one(&mut *connection)
        .await;
    judge(connection, asked, 0).await
}

/// Asks the questions of one view.
pub(crate) async fn questions(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    view: &'static View,
    questions: &[Question],
) -> sqlx::Result<()> {
    for question in questions {
        match question {
            Question::Filter { path, text, table } => {
                let statement = probe::filter(*table, text);
                if let Err(refusal) = prepare(connection, &statement).await? {
                    let fault = refused(findings, "filter", text, *table, &statement, &refusal);
                    add(findings, view, path, fault);
                }
            }
            Question::TypeOf {
                path,
                text,
                table,
                ty,
                promoted,
            } => {
                let statement = probe::type_of(*table, text);
                match type_of(connection, statement.clone()).await? {
                    Err(refusal) => {
                        let fault = refused(findings, "expr", text, *table, &statement, &refusal);
                        add(findings, view, path, fault);
                    }
                    Ok(oid) => {
                        let types = types(connection, oid).await?;
                        let fault = expr_type(findings.catalog, &types, path, ty, oid, "expr");
                        let fits = fault.is_none();
                        add(findings, view, path, fault);
                        let fault = labels::fault(&types, ty, oid, "the expr", path);
                        add(findings, view, path, fault);
                        if fits && *promoted && !form::is_renamed(ty) {
                            let value = fragment(text, probe::ALIAS);
                            let written = written(&types, oid);
                            let statement = probe::promoted(*table, &value, ty);
                            if prepare(connection, &statement).await?.is_err() {
                                let fault = not_stored(path, &format!("the expr is {written}"), ty);
                                add(findings, view, path, Some(fault));
                            }
                        }
                    }
                }
            }
            Question::Aggregate {
                path,
                text,
                aggregate,
            } => {
                let fault = self::aggregate(connection, findings, path, text, aggregate).await?;
                add(findings, view, path, fault);
            }
            Question::Link {
                path,
                fk,
                key,
                remedy,
            } => {
                let statement = probe::link((fk.0, &fk.1), (key.0, &key.1));
                if prepare(connection, &statement).await?.is_err() {
                    add(findings, view, path, Some(no_link(fk, key, remedy.clone())));
                }
            }
            Question::Order {
                path,
                table,
                column,
                written,
            } => {
                let statement = probe::order(*table, column);
                if prepare(connection, &statement).await?.is_err() {
                    let shown = column_name(*table, column);
                    let fault = Fault {
                        severity: Severity::Error,
                        kind: FindingKind::OrderBy,
                        message: format!("{shown} is {written}, which has no order to sort by"),
                        subject: shown,
                        remedies: vec![Remedy::Other("order by another column".to_owned())],
                        breaks: Breaks::Documents,
                    };
                    add(findings, view, path, Some(fault));
                }
            }
            Question::Promoted {
                path,
                table,
                column,
                value,
                written,
                ty,
                rust,
            } => {
                let statement = probe::promoted(*table, value, ty);
                if prepare(connection, &statement).await?.is_err() {
                    let what = format!("{} is {written}", column_name(*table, column));
                    let mut fault = not_stored(path, &what, ty);
                    fault.remedies = vec![Remedy::Rust(match rust {
                        Some(rust) => rust.clone(),
                        None => {
                            format!("#[tview(expr = \"{{}}.{column}::{}\")]", ty.sql_name())
                        }
                    })];
                    add(findings, view, path, Some(fault));
                }
            }
        }
    }
    Ok(())
}

fn add(findings: &mut Findings<'_>, view: &'static View, path: &str, fault: Option<Fault>) {
    if let Some(fault) = fault {
        findings.add(Some(view), path, fault);
    }
}

async fn aggregate(
    connection: &mut PgConnection,
    findings: &Findings<'_>,
    path: &str,
    text: &'static str,
    aggregate: &Aggregate,
) -> sqlx::Result<Option<Fault>> {
    let table = aggregate.table;
    let statement = probe::type_of_aggregate(aggregate);
    let result = match type_of(connection, statement.clone()).await? {
        Ok(oid) => oid,
        Err(refusal) => {
            return Ok(refused(findings, "expr", text, table, &statement, &refusal));
        }
    };
    let whole = matches!(fit::canonical(aggregate.ty.sql), "int2" | "int4" | "int8");
    // A sum is cast to the field's type: whether that loses digits, its argument says.
    if aggregate.function == Function::Sum && whole {
        let argument = text.trim();
        let argument = match argument.get(..8) {
            Some(word) if word.eq_ignore_ascii_case("distinct") => &argument[8..],
            _ => argument,
        };
        let Ok(oid) = type_of(connection, probe::type_of(table, argument)).await? else {
            return Ok(None);
        };
        let types = types(connection, oid).await?;
        let wide = ScalarType {
            sql: "int8",
            ..aggregate.ty
        };
        let what = "summed expr";
        return Ok(expr_type(findings.catalog, &types, path, &wide, oid, what));
    }
    let types = types(connection, result).await?;
    let what = match aggregate.function {
        Function::Min => "min",
        Function::Max => "max",
        _ => "aggregate",
    };
    let ty = &aggregate.ty;
    let fault = expr_type(findings.catalog, &types, path, ty, result, what);
    Ok(fault.or_else(|| labels::fault(&types, ty, result, &format!("the {what}"), path)))
}

/// A catalog of one type.
async fn types(connection: &mut PgConnection, oid: i64) -> sqlx::Result<Catalog> {
    let mut types = Catalog::default();
    types.load_types(connection, &[oid]).await?;
    Ok(types)
}

fn written(types: &Catalog, oid: i64) -> String {
    types
        .declared(oid)
        .map_or_else(|| "of another type".to_owned(), |ty| ty.written.clone())
}

/// The type of an expression is not that of its field.
fn expr_type(
    catalog: &Catalog,
    types: &Catalog,
    path: &str,
    ty: &ScalarType,
    oid: i64,
    what: &str,
) -> Option<Fault> {
    let known = types.declared(oid)?;
    let why = match fit::column_among(catalog, types, ty, oid) {
        Ok(()) => return None,
        Err(Misfit::Missing) => {
            return Some(Fault {
                severity: Severity::Error,
                kind: FindingKind::MissingType,
                subject: ty.sql.to_owned(),
                message: format!("there is no type `{}`, which the field names", ty.sql),
                remedies: vec![Remedy::Other(
                    "run the migration that creates the type".to_owned(),
                )],
                breaks: Breaks::Documents,
            });
        }
        Err(Misfit::Because(why)) => why,
    };
    let rust = fit::rust_for(types, oid, ty.nullable).map(Remedy::Rust);
    let cast = Remedy::Rust(format!("expr = \"(..)::{}\"", ty.sql_name()));
    Some(Fault {
        severity: Severity::Error,
        kind: FindingKind::Type,
        subject: path.to_owned(),
        message: format!(
            "the {what} is {}, and the field is {}: {why}",
            known.written,
            fit::rust(ty)
        ),
        remedies: rust.into_iter().chain([cast]).collect(),
        breaks: Breaks::Documents,
    })
}

fn not_stored(path: &str, what: &str, ty: &ScalarType) -> Fault {
    Fault {
        severity: Severity::Error,
        kind: FindingKind::PromotedType,
        subject: path.to_owned(),
        message: format!(
            "{what}, which cannot be compared with the promoted column, which is {}",
            ty.sql_name()
        ),
        remedies: vec![Remedy::Rust(format!("expr = \"(..)::{}\"", ty.sql_name()))],
        breaks: Breaks::Storage,
    }
}

fn no_link(
    fk: &(Table, String, String),
    key: &(Table, String, String),
    remedy: Option<Remedy>,
) -> Fault {
    let from = column_name(fk.0, &fk.1);
    Fault {
        severity: Severity::Error,
        kind: FindingKind::LinkType,
        message: format!(
            "{from} is {}, and cannot be compared with {}, which is {}",
            fk.2,
            column_name(key.0, &key.1),
            key.2
        ),
        subject: from,
        remedies: vec![
            remedy.unwrap_or_else(|| Remedy::Other("give both columns one type".to_owned())),
        ],
        breaks: Breaks::Documents,
    }
}

/// The server refused a fragment; `None` where another finding explains it.
fn refused(
    findings: &Findings<'_>,
    what: &'static str,
    text: &'static str,
    table: Table,
    statement: &str,
    refusal: &Refusal,
) -> Option<Fault> {
    const NO_PRIVILEGE: &str = "42501";
    const NO_COLUMN: &str = "42703";
    if refusal.code == NO_PRIVILEGE
        && findings.has(FindingKind::Privilege, &format!("{table} SELECT"))
    {
        return None;
    }
    let start = statement
        .find(&fragment(text, probe::ALIAS))
        .map(|bytes| statement[..bytes].chars().count());
    let place = refusal
        .position
        .zip(start)
        .and_then(|(position, start)| position.checked_sub(start));
    let mut meant = None;
    if let (NO_COLUMN, Some(place)) = (refusal.code.as_str(), place) {
        let wanted = word(text.trim(), place);
        if findings.has(FindingKind::MissingColumn, &column_name(table, &wanted)) {
            return None;
        }
        meant = findings.catalog.relation(table).and_then(|relation| {
            near(
                &wanted,
                relation.columns.iter().map(|column| column.name.as_str()),
            )
        });
    }
    // As the user wrote it.
    let message = refusal
        .message
        .replace(&format!("{}.", probe::ALIAS), "{}.");
    Some(Fault {
        severity: Severity::Error,
        kind: FindingKind::Fragment,
        subject: format!("{table} {text}"),
        message: format!(
            "the server refuses the {what}: {message}{}{}",
            did_you_mean(meant),
            pointed(text.trim(), place)
        ),
        remedies: vec![match meant {
            Some(meant) => Remedy::Rust(format!("{{}}.{meant}")),
            None => Remedy::Other(format!("correct the {what}")),
        }],
        breaks: Breaks::Documents,
    })
}

/// The column at a place in a fragment: `title` at the start of `{}.title = 1`.
pub(crate) fn word(text: &str, place: usize) -> String {
    let rest: String = text.chars().skip(place).collect();
    let rest = rest.strip_prefix("{}.").unwrap_or(&rest);
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default().to_owned(),
        None => rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
            .to_lowercase(),
    }
}

/// The fragment with a mark below the place, where it is one line.
pub(crate) fn pointed(text: &str, place: Option<usize>) -> String {
    match place {
        Some(place) if !text.contains('\n') && place < text.chars().count() => {
            format!("\n  {text}\n  {:place$}^", "")
        }
        _ => format!("\n  {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_at_a_place_is_found_with_and_without_an_alias() {
        assert_eq!(word("{}.Title || 'x'", 0), "title");
        assert_eq!(word("1 + \"A b\"", 4), "A b");
        assert_eq!(word("a + bc", 4), "bc");
    }
}
