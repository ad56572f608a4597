//! Changes that triggers cannot see.

use sqlx::{PgConnection, Row as _};

use super::query;
use crate::error::Result;
use crate::error::check_report::FindingKind;
use crate::ops::check::catalog::RelationKind;
use crate::ops::check::diagnostic::Diagnostic;
use crate::ops::check::findings::Findings;
use crate::ops::check::fragments::Fragment;
use crate::ops::migrate::capture::CapturedRelation;
use crate::schema::naming::{column_name, table_name};
use crate::schema::{TableName, View};
use crate::sql::capture::{CaptureSql, CapturedTable, Relevant, catalog};
use crate::sql::fragment::{Token, tokens};
use crate::sql::probe;

/// Names everything of a database by which base tables change unseen.
pub(super) async fn changes(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    capture: &CaptureSql,
    relations: &[CapturedRelation],
) -> Result<()> {
    no_tables(findings, capture);
    foreign_children(findings, capture, relations);
    parents(connection, findings, capture).await?;
    virtual_columns(connection, findings, capture).await?;
    subscriptions(connection, findings, relations).await?;
    replica_role(connection, findings).await
}

/// Changes that no trigger sees.
fn unseen(subject: impl Into<String>, message: String, advice: &str) -> Diagnostic {
    Diagnostic::error(FindingKind::NotCaptured, subject, message).advice(advice)
}

/// Base tables that are no tables, and cannot have such triggers.
fn no_tables(findings: &mut Findings<'_>, capture: &CaptureSql) {
    for captured in &capture.tables {
        let Some(relation) = findings.catalog.relation(captured.table) else {
            continue;
        };
        let (kind, advice) = match relation.kind {
            RelationKind::Table => continue,
            RelationKind::View => (
                "a view",
                "read the tables that it is made of, or sync by code when they change, and accept this finding",
            ),
            RelationKind::Materialized => (
                "a materialized view",
                "sync all after each refresh, and accept this finding",
            ),
            RelationKind::Foreign => (
                "a foreign table",
                "sync by code when its rows change, or sync all from time to time, and accept this finding",
            ),
        };
        let message = format!(
            "{} is {kind}, and changes of its rows cannot be captured",
            table_name(captured.table)
        );
        findings.add(
            None,
            "",
            unseen(captured.table.to_string(), message, advice),
        );
    }
}

/// Partitions, and tables that inherit from a base table, on other servers.
fn foreign_children(
    findings: &mut Findings<'_>,
    capture: &CaptureSql,
    relations: &[CapturedRelation],
) {
    let children = relations.iter().filter(|relation| relation.kind == "f");
    for child in children {
        let Some(captured) = capture.tables.get(child.table) else {
            continue;
        };
        let table = table_name(captured.table);
        if child.name == captured.table {
            continue;
        }
        let message = format!(
            "{}, whose rows are rows of {table}, is a foreign table: changes by statements that name it \
             cannot be captured",
            child.name
        );
        let advice = format!("write it through {table}, and accept this finding");
        findings.add(None, "", unseen(child.name.to_string(), message, &advice));
    }
}

/// Tables that base tables inherit from.
async fn parents(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    capture: &CaptureSql,
) -> Result<()> {
    let parents = query(catalog::PARENTS)
        .bind(quoted_tables(capture))
        .fetch_each(connection, |row| {
            let name = TableName {
                schema: row.try_get::<String, _>("schema")?.into(),
                name: row.try_get::<String, _>("name")?.into(),
            };
            Ok((row.try_get::<i32, _>("place")?, name))
        })
        .await?;
    for (place, parent) in parents {
        let Some(captured) = table_at(capture, place) else {
            continue;
        };
        let table = table_name(captured.table);
        let message = format!(
            "{table} inherits from {parent}: statements that name {parent} write rows of {table}, too, and \
             these changes are not captured"
        );
        let advice =
            format!("name {table} in such statements, or `ONLY {parent}`, and accept this finding");
        findings.add(
            None,
            "",
            unseen(format!("{table} {parent}"), message, &advice),
        );
    }
    Ok(())
}

fn quoted_tables(capture: &CaptureSql) -> Vec<String> {
    let tables = capture.tables.iter();
    tables.map(|captured| captured.table.to_string()).collect()
}

/// The table at a position that a query has counted from 1.
fn table_at(capture: &CaptureSql, place: i32) -> Option<&CapturedTable> {
    capture.tables.get(usize::try_from(place - 1).ok()?)
}

/// Virtual generated columns that documents contain.
async fn virtual_columns(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    capture: &CaptureSql,
) -> Result<()> {
    let columns = query(catalog::VIRTUAL_COLUMNS)
        .bind(quoted_tables(capture))
        .fetch_each(connection, |row| {
            Ok((
                row.try_get::<i32, _>("place")?,
                row.try_get::<String, _>("name")?,
            ))
        })
        .await?;
    for (place, name) in columns {
        let Some(captured) = table_at(capture, place) else {
            continue;
        };
        // If any column counts, those that it is computed from do.
        let Relevant::Some(relevant) = &captured.relevant else {
            continue;
        };
        if relevant.contains(&name) {
            let shown = column_name(captured.table, &name);
            let message = format!(
                "{shown} is a virtual generated column, which triggers do not see: an update of the columns \
                 that it is computed from is only captured if documents contain them, too"
            );
            let advice = "make it STORED";
            findings.add(None, "", unseen(shown, message, advice));
        }
    }
    Ok(())
}

/// Subscriptions that write base tables.
async fn subscriptions(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    relations: &[CapturedRelation],
) -> Result<()> {
    let oids: Vec<i64> = relations.iter().map(|relation| relation.oid).collect();
    let found = query(catalog::SUBSCRIPTIONS)
        .bind(oids)
        .fetch_each(connection, |row| {
            let relation = TableName {
                schema: row.try_get::<String, _>("schema")?.into(),
                name: row.try_get::<String, _>("relation")?.into(),
            };
            Ok((row.try_get::<String, _>("name")?, relation))
        })
        .await?;
    for (name, relation) in found {
        let message = format!(
            "the subscription {name} writes {relation}: logical replication runs no triggers of statements, so these \
             changes are not captured"
        );
        let advice = "sync where the rows are written, and replicate the view tables instead; or sync all from time to \
                      time, and accept this finding";
        findings.add(
            None,
            "",
            unseen(format!("{name} {relation}"), message, advice),
        );
    }
    Ok(())
}

/// Sessions in which triggers do not run.
async fn replica_role(connection: &mut PgConnection, findings: &mut Findings<'_>) -> Result<()> {
    let settings = query(catalog::REPLICA_SETTINGS)
        .fetch_each(&mut *connection, |row| {
            Ok((
                row.try_get::<String, _>("remedy")?,
                row.try_get::<bool, _>("is_own")?,
            ))
        })
        .await?;
    let what = "session_replication_role is `replica`, with which no trigger runs: their changes are not captured";
    for (remedy, _) in &settings {
        let target = remedy
            .trim_start_matches("ALTER ")
            .trim_end_matches(" RESET session_replication_role");
        let message = format!("sessions begin with a setting of {target}, by which {what}");
        let diagnostic = Diagnostic::error(FindingKind::NotCaptured, remedy.as_str(), message);
        findings.add(None, "", diagnostic.sql(remedy.clone()));
    }
    let triggers_run: bool = query(catalog::SESSION_ROLE)
        .fetch_one(connection, |row| row.try_get(0))
        .await?;
    if !triggers_run && !settings.iter().any(|(_, is_own)| *is_own) {
        let server = findings.server;
        let set = probe::set_default(
            &server.role,
            &server.database,
            "session_replication_role",
            "origin",
        );
        let message = format!("in this session, {what}");
        let diagnostic = Diagnostic::error(FindingKind::NotCaptured, "session", message)
            .sql(set)
            .advice(
                "remove the setting from postgresql.conf, or from what sets it in this session",
            );
        findings.add(None, "", diagnostic);
    }
    Ok(())
}

/// Fragments of a view that read other tables.
pub(crate) fn fragments(findings: &mut Findings<'_>, view: &'static View, fragments: &[Fragment]) {
    for fragment in fragments {
        let reads_others = tokens(fragment.text)
            .iter()
            .any(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("select")));
        if !reads_others {
            continue;
        }
        let message = format!(
            "the {} has a sub-select, and changes of the tables that it reads are not captured\n  {}",
            fragment.attribute,
            fragment.text.trim()
        );
        let subject = format!(
            "{} {} {}",
            fragment.table, fragment.attribute, fragment.text
        );
        let advice = "embed the rows that it reads, with `one`, `many` or an aggregate; or sync by code when \
                      they change, and accept this finding";
        findings.add(Some(view), &fragment.path, unseen(subject, message, advice));
    }
}
