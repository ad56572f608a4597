//! Checks the types of expressions and aggregates, which the server computes.

use sqlx::PgConnection;

use crate::error::Result;
use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::catalog::{Catalog, load_types};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::ops::check::enum_labels;
use crate::ops::check::execute::{prepare, type_of};
use crate::ops::check::findings::Findings;
use crate::ops::check::mutability::{self, Judged};
use crate::ops::check::rejections::{not_promotable, rejected};
use crate::ops::check::type_compat;
use crate::ops::check::type_compat::Compatibility;
use crate::schema::scalar::ScalarType;
use crate::schema::{Aggregate, Function, Table};
use crate::sql::fragment::fragment;
use crate::sql::probe;

/// The `expr` of a field.
pub(crate) struct ExprField<'c> {
    pub(crate) path: &'c str,
    pub(crate) text: &'static str,
    pub(crate) table: Table,
    pub(crate) ty: &'c ScalarType,
    pub(crate) is_promoted: bool,
}

/// Checks an expression: that it is valid, that its type fits the field, and that it can be
/// promoted.
pub(crate) async fn expr(
    connection: &mut PgConnection,
    findings: &Findings<'_>,
    it: &ExprField<'_>,
) -> Result<Vec<Diagnostic>> {
    let statement = probe::type_of(it.table, it.text);
    let oid = match type_of(connection, statement.clone()).await? {
        Ok(oid) => oid,
        Err(rejection) => {
            let diagnostic = rejected(findings, "expr", it.text, it.table, &statement, &rejection);
            return Ok(diagnostic.into_iter().collect());
        }
    };
    let types = load_types(connection, oid).await?;
    let mismatch = type_mismatch(findings.catalog, &types, it.path, it.ty, oid, "expr");
    // An expression of the wrong type cannot be promoted either, for the same reason.
    let is_stored = mismatch.is_none() && it.is_promoted && !it.ty.promotes_encoded();
    let labels = enum_labels::unknown_labels(&types, it.ty, oid, "the expr", it.path);
    let judged = Judged {
        attribute: "expr",
        text: it.text,
        table: it.table,
    };
    let mutable = mutability::judge(connection, findings.catalog, &judged).await?;
    let mut diagnostics: Vec<Diagnostic> =
        mismatch.into_iter().chain(labels).chain(mutable).collect();
    if is_stored {
        let value = fragment(it.text, probe::ALIAS);
        let statement = probe::promoted(it.table, &value, it.ty);
        if prepare(connection, &statement).await?.is_err() {
            let shown = format!("the expr is {}", type_sql(&types, oid));
            diagnostics.push(
                not_promotable(it.path, &shown, it.ty)
                    .rust(format!("expr = \"(..)::{}\"", it.ty.sql_name())),
            );
        }
    }
    Ok(diagnostics)
}

/// Checks the expression of an aggregate, and the type of its result.
pub(crate) async fn aggregate(
    connection: &mut PgConnection,
    findings: &Findings<'_>,
    path: &str,
    text: &'static str,
    aggregate: &Aggregate,
) -> Result<Vec<Diagnostic>> {
    let ty = aggregate_type(connection, findings, path, text, aggregate).await?;
    if ty
        .as_ref()
        .is_some_and(|found| found.kind == FindingKind::Fragment)
    {
        return Ok(ty.into_iter().collect());
    }
    let judged = Judged {
        attribute: "expr",
        text: without_distinct(text),
        table: aggregate.table,
    };
    let mutable = mutability::judge(connection, findings.catalog, &judged).await?;
    Ok(ty.into_iter().chain(mutable).collect())
}

/// Checks the type of an aggregate's result.
async fn aggregate_type(
    connection: &mut PgConnection,
    findings: &Findings<'_>,
    path: &str,
    text: &'static str,
    aggregate: &Aggregate,
) -> Result<Option<Diagnostic>> {
    let table = aggregate.table;
    let statement = probe::type_of_aggregate(aggregate);
    let result_oid = match type_of(connection, statement.clone()).await? {
        Ok(oid) => oid,
        Err(rejection) => {
            return Ok(rejected(
                findings, "expr", text, table, &statement, &rejection,
            ));
        }
    };
    let is_integer = matches!(
        type_compat::canonical(aggregate.ty.sql),
        "int2" | "int4" | "int8"
    );
    // A sum is cast to the field's type: its result always fits. Whether digits are lost depends
    // on the type of the argument.
    if aggregate.function == Function::Sum && is_integer {
        return sum_of_integers(connection, findings, path, text, aggregate).await;
    }
    let types = load_types(connection, result_oid).await?;
    let what = match aggregate.function {
        Function::Min => "min",
        Function::Max => "max",
        _ => "aggregate",
    };
    let ty = &aggregate.ty;
    let mismatch = type_mismatch(findings.catalog, &types, path, ty, result_oid, what);
    Ok(mismatch.or_else(|| {
        enum_labels::unknown_labels(&types, ty, result_oid, &format!("the {what}"), path)
    }))
}

/// The expression alone: DISTINCT belongs to the aggregate.
fn without_distinct(text: &str) -> &str {
    let text = text.trim();
    match text.get(..8) {
        Some(word) if word.eq_ignore_ascii_case("distinct") => &text[8..],
        _ => text,
    }
}

/// Checks that the argument of a `sum` into an integer field is an integer.
async fn sum_of_integers(
    connection: &mut PgConnection,
    findings: &Findings<'_>,
    path: &str,
    text: &'static str,
    aggregate: &Aggregate,
) -> Result<Option<Diagnostic>> {
    let statement = probe::type_of(aggregate.table, without_distinct(text));
    let Ok(oid) = type_of(connection, statement).await? else {
        return Ok(None);
    };
    let types = load_types(connection, oid).await?;
    let any_integer = ScalarType {
        sql: "int8",
        ..aggregate.ty
    };
    Ok(type_mismatch(
        findings.catalog,
        &types,
        path,
        &any_integer,
        oid,
        "summed expr",
    ))
}

/// Reports an expression whose type the field cannot hold.
fn type_mismatch(
    catalog: &Catalog,
    types: &Catalog,
    path: &str,
    ty: &ScalarType,
    oid: i64,
    what: &str,
) -> Option<Diagnostic> {
    let declared = types.declared(oid)?;
    let why = match type_compat::value(catalog, types, ty, oid) {
        Compatibility::Fits => return None,
        Compatibility::UnknownType => {
            let message = format!("there is no type `{}`, which the field names", ty.sql);
            return Some(
                Diagnostic::error(FindingKind::MissingType, ty.sql, message)
                    .advice("run the migration that creates the type")
                    .breaks(Breaks::Documents),
            );
        }
        Compatibility::Differs(why) => why,
    };
    let message = format!(
        "the {what} is {}, and the field is {}: {why}",
        declared.sql,
        type_compat::rust_type(ty)
    );
    let better_type = type_compat::rust_type_for(types, oid, ty.nullable);
    Some(
        Diagnostic::error(FindingKind::Type, path, message)
            .remedies(better_type.map(Remedy::Rust))
            .rust(format!("expr = \"(..)::{}\"", ty.sql_name()))
            .breaks(Breaks::Documents),
    )
}

fn type_sql(types: &Catalog, oid: i64) -> String {
    types
        .declared(oid)
        .map_or_else(|| "of an unknown type".to_owned(), |ty| ty.sql.clone())
}
