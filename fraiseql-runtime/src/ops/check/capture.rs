//! Checks the functions of a read model, its change table, and the triggers that capture changes; and names what
//! triggers cannot see.

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::check_report::{FindingKind, Remedy};
use crate::error::{Operation, Result};
use crate::ops::check::catalog::{RelationKind, Resolution};
use crate::ops::check::diagnostic::Diagnostic;
use crate::ops::check::findings::Findings;
use crate::ops::check::fragments::Fragment;
use crate::ops::migrate::ModelObjects;
use crate::ops::migrate::capture::{CapturedRelation, TriggerState, relations, triggers};
use crate::ops::migrate::functions::existing;
use crate::schema::naming::table_name;
use crate::schema::{TableName, View};
use crate::sql::capture::{CaptureSql, Relevant, catalog};
use crate::sql::ddl::remedy;
use crate::sql::fragment::{Token, tokens};
use crate::sql::function::FunctionDdl;
use crate::sql::function::change::{CHANGE_TABLE, change_table};
use crate::sql::privileges::CHANGES;
use crate::sql::{catalog as sql, probe};

fn query<'q>(sql: &'static str) -> Statement<'q> {
    Statement::new(sql, Operation::Check).uncached()
}

/// Checks what a read model has in the database beside its view tables.
pub(crate) async fn model(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    model: &ModelObjects<'_>,
) -> Result<()> {
    // Before the first migration, there is one finding for each view, which has the same remedy.
    if model
        .views
        .iter()
        .any(|view| findings.catalog.relation(view.table).is_none())
    {
        return Ok(());
    }
    // Names in a schema that the role may not use cannot be looked up, which is a finding of its own.
    let mut tables = findings.base.tables.iter();
    if tables.any(|table| matches!(findings.catalog.table(*table), Resolution::NoUsage)) {
        return Ok(());
    }
    functions(connection, findings, model).await?;
    changes(connection, findings, model).await?;
    if let Some(at_commit) = model.at_commit {
        let enabled: Option<bool> = query(catalog::TRIGGER)
            .bind(change_table(model.schema))
            .bind(&at_commit.trigger)
            .bind(at_commit.function.signature())
            .fetch_optional(connection, |row| row.try_get("enabled"))
            .await?;
        let relation = change_table(model.schema);
        let name = remedy::quoted(&at_commit.trigger);
        match enabled {
            Some(true) => {}
            Some(false) => findings.add(None, "", disabled_trigger(&relation, &name)),
            None => findings.add(None, "", missing_triggers(&relation)),
        }
    }
    if let Some(capture) = model.capture {
        let relations = relations(connection, capture, Operation::Check).await?;
        every_trigger(connection, findings, capture, &relations).await?;
        unseen_relations(connection, findings, capture, &relations).await?;
        virtual_columns(connection, findings, capture).await?;
        subscriptions(connection, findings, &relations).await?;
        replica_role(connection, findings).await?;
    }
    Ok(())
}

/// Functions that are missing, that differ, or that the role may not call.
async fn functions(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    model: &ModelObjects<'_>,
) -> Result<()> {
    let all = existing(connection, &model.functions, Operation::Check).await?;
    let mut lacking: Vec<String> = Vec::new();
    for (function, existing) in model.functions.iter().zip(all) {
        if existing.is_none_or(|existing| !existing.is(function)) {
            lacking.push(function.qualified());
        }
    }
    if let [first, others @ ..] = lacking.as_slice() {
        let and = match others.len() {
            0 => String::new(),
            count => format!(", and {count} more"),
        };
        let message = |consequence| {
            format!(
                "functions of the read model are missing or differ: {first}{and}; {consequence}"
            )
        };
        let kind = FindingKind::MissingFunction;
        let diagnostic = match model.capture {
            Some(_) => Diagnostic::error(kind, "", message("changes are not captured")),
            None => Diagnostic::warning(
                kind,
                "",
                message("the statements of a sync are sent one by one, which takes longer"),
            ),
        };
        findings.add(None, "", diagnostic.remedies([Remedy::Migrate]));
    }
    let called: Vec<String> = model
        .called_functions()
        .map(FunctionDdl::signature)
        .collect();
    let refused = query(catalog::NOT_EXECUTABLE)
        .bind(called)
        .fetch_each(connection, |row| row.try_get::<String, _>(0))
        .await?;
    for signature in refused {
        let role = &findings.server.role;
        let message = format!(
            "the role {role} may not execute {signature}: a mutation, or a sync in a transaction, sends \
             its statements one by one, and cannot take captured changes"
        );
        let grant = probe::grant_execute(&signature, role);
        let diagnostic = Diagnostic::warning(FindingKind::Privilege, signature, message).sql(grant);
        findings.add(None, "", diagnostic);
    }
    Ok(())
}

/// The change table, and the privileges of a worker.
async fn changes(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    model: &ModelObjects<'_>,
) -> Result<()> {
    let table = change_table(model.schema);
    let (exists, lacking) = query(sql::TABLE_PRIVILEGES)
        .bind(model.schema)
        .bind(CHANGE_TABLE)
        .bind(CHANGES.as_slice())
        .fetch_one(connection, |row| {
            let lacking: Vec<String> = row.try_get("lacking")?;
            Ok((row.try_get::<bool, _>("exists")?, lacking))
        })
        .await?;
    let role = &findings.server.role;
    // Without capture, a role that has none of them just leaves nothing to a worker.
    let needs_them = model.capture.is_some() || lacking.len() < CHANGES.len();
    let diagnostic = if !exists {
        let message = format!("there is no table {table}, in which changes wait for a worker");
        Diagnostic::error(FindingKind::OutdatedViewTable, table, message)
            .remedies([Remedy::Migrate])
    } else if !lacking.is_empty() && needs_them {
        let lacking = lacking.join(", ");
        let message = format!(
            "the role {role} lacks privileges on {table}: {lacking}; a worker needs them, and a \
             mutation that leaves documents to a worker"
        );
        Diagnostic::warning(FindingKind::Privilege, &table, message)
            .sql(probe::grant(&lacking, &table, role))
    } else {
        return Ok(());
    };
    findings.add(None, "", diagnostic);
    Ok(())
}

fn missing_triggers(relation: &str) -> Diagnostic {
    let message = format!(
        "triggers of {relation} are missing or differ, so changes by statements that name it are not captured"
    );
    Diagnostic::error(FindingKind::MissingTrigger, relation, message).remedies([Remedy::Migrate])
}

fn disabled_trigger(relation: &str, name: &str) -> Diagnostic {
    let message = format!(
        "the trigger {name} of {relation} is disabled: changes are not captured, and those that were made \
         meanwhile have to be synced"
    );
    let enable = format!("ALTER TABLE {relation} ENABLE TRIGGER {name}");
    Diagnostic::error(
        FindingKind::DisabledTrigger,
        format!("{relation} {name}"),
        message,
    )
    .sql(enable)
}

/// Triggers that are missing, that differ, or that are disabled.
async fn every_trigger(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    capture: &CaptureSql,
    relations: &[CapturedRelation],
) -> Result<()> {
    let wanted = triggers(connection, capture, relations, Operation::Check).await?;
    for trigger in wanted {
        let relation = trigger.relation.name.to_string();
        match trigger.state {
            TriggerState::Ok => {}
            TriggerState::Missing | TriggerState::Different => {
                findings.add(None, "", missing_triggers(&relation));
            }
            TriggerState::Disabled => {
                let diagnostic = disabled_trigger(&relation, &remedy::quoted(&trigger.name));
                findings.add(None, "", diagnostic);
            }
        }
    }
    Ok(())
}

/// Changes that no trigger sees.
fn unseen(subject: impl Into<String>, message: String, advice: &str) -> Diagnostic {
    Diagnostic::error(FindingKind::NotCaptured, subject, message).advice(advice)
}

/// Relations that cannot have such triggers, and tables whose rows are also written by statements about others.
async fn unseen_relations(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    capture: &CaptureSql,
    relations: &[CapturedRelation],
) -> Result<()> {
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
fn table_at(capture: &CaptureSql, place: i32) -> Option<&crate::sql::capture::CapturedTable> {
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
            let shown = crate::schema::naming::column_name(captured.table, &name);
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
