//! Problems that the server finds in probes: rejected fragments, and types that it cannot compare.

use crate::error::check_report::{FindingKind, Remedy};
use crate::error::sqlstate::{INSUFFICIENT_PRIVILEGE, UNDEFINED_COLUMN};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::ops::check::execute::Rejection;
use crate::ops::check::findings::Findings;
use crate::ops::check::fragments::{column_at, marked};
use crate::schema::Table;
use crate::schema::naming::{column_name, did_you_mean, nearest_name, table_name};
use crate::schema::scalar::ScalarType;
use crate::sql::fragment::fragment;
use crate::sql::probe;

/// A column that is compared with another one.
pub(crate) struct ComparedColumn {
    pub(crate) table: Table,
    pub(crate) name: String,
    /// Its type in messages.
    pub(crate) type_sql: String,
}

/// A value cannot be compared with the promoted column that would store it. The caller adds the
/// remedy.
pub(crate) fn not_promotable(path: &str, shown: &str, ty: &ScalarType) -> Diagnostic {
    let message = format!(
        "{shown}, which cannot be compared with the promoted column, which is {}",
        ty.sql_name()
    );
    Diagnostic::error(FindingKind::PromotedType, path, message).breaks(Breaks::Storage)
}

/// A base table is another relation, of which less is known. `kind` says what it is, `locks` what is
/// known about locking its rows.
pub(crate) fn not_a_table(table: Table, kind: &str, locks: &str) -> Diagnostic {
    let message = format!(
        "{} is {kind}: whether its columns can be null, are unique or indexed cannot be checked, and \
         {locks}",
        table_name(table)
    );
    Diagnostic::warning(FindingKind::NotATable, table.to_string(), message).advice(
        "use the table behind it, with `expr` and `filter` for the differences; or make sure that \
         every field fits, and accept this warning",
    )
}

/// A base table is a view. `is_lockable` is whether its rows can be locked.
pub(crate) fn is_a_view(table: Table, is_lockable: bool) -> Diagnostic {
    let locks = if is_lockable {
        "a sync inside a transaction locks the rows of the tables behind it"
    } else {
        "its rows cannot be locked: if another transaction changes what they are computed from while \
         a document with them is built, only a later sync of the document has the change"
    };
    not_a_table(table, "a view", locks)
}

/// Two columns cannot be compared.
pub(crate) fn not_comparable(
    fk: &ComparedColumn,
    key: &ComparedColumn,
    remedy: Option<Remedy>,
) -> Diagnostic {
    let shown = column_name(fk.table, &fk.name);
    let message = format!(
        "{shown} is {}, and cannot be compared with {}, which is {}",
        fk.type_sql,
        column_name(key.table, &key.name),
        key.type_sql
    );
    let remedy =
        remedy.unwrap_or_else(|| Remedy::Other("give both columns the same type".to_owned()));
    Diagnostic::error(FindingKind::LinkType, shown, message)
        .remedies([remedy])
        .breaks(Breaks::Documents)
}

/// A fragment that the server rejected in a probe. `None` if another finding explains the
/// rejection.
pub(crate) fn rejected(
    findings: &Findings<'_>,
    attribute: &str,
    text: &'static str,
    table: Table,
    statement: &str,
    rejection: &Rejection,
) -> Option<Diagnostic> {
    if rejection.code == INSUFFICIENT_PRIVILEGE
        && findings.has(FindingKind::Privilege, &format!("{table} SELECT"))
    {
        return None;
    }
    // The alias of a probe is as long as the `{}` that it replaces, so positions are the same.
    let start = statement
        .find(&fragment(text, probe::ALIAS))
        .map(|bytes| statement[..bytes].chars().count());
    let position = rejection
        .position
        .zip(start)
        .and_then(|(position, start)| position.checked_sub(start));
    let mut similar = None;
    if let (UNDEFINED_COLUMN, Some(position)) = (rejection.code.as_str(), position) {
        let column = column_at(text.trim(), position);
        if findings.has(FindingKind::MissingColumn, &column_name(table, &column)) {
            return None;
        }
        similar = findings.catalog.relation(table).and_then(|relation| {
            let names = relation.columns.iter().map(|column| column.name.as_str());
            nearest_name(&column, names)
        });
    }
    // The message names columns as the user wrote them.
    let cause = rejection
        .message
        .replace(&format!("{}.", probe::ALIAS), "{}.");
    let message = format!(
        "the server refuses the {attribute}: {cause}{}{}",
        did_you_mean(similar),
        marked(text.trim(), position)
    );
    let diagnostic = Diagnostic::error(FindingKind::Fragment, format!("{table} {text}"), message)
        .breaks(Breaks::Documents);
    Some(match similar {
        Some(similar) => diagnostic.rust(format!("{{}}.{similar}")),
        None => diagnostic.advice(format!("correct the {attribute}")),
    })
}
