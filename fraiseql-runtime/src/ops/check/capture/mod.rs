//! Checks the functions of a read model, its change table, and the triggers that capture changes; `unseen` names what
//! triggers cannot see.

mod row_security;
mod unseen;

pub(super) use self::unseen::fragments;

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::check_report::{FindingKind, Remedy};
use crate::error::{Operation, Result};
use crate::ops::check::catalog::Resolution;
use crate::ops::check::diagnostic::Diagnostic;
use crate::ops::check::findings::Findings;
use crate::ops::migrate::ModelObjects;
use crate::ops::migrate::capture::{CapturedRelation, TriggerState, relations, triggers};
use crate::ops::migrate::functions::existing;
use crate::sql::capture::{CaptureSql, catalog};
use crate::sql::ddl::remedy;
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
    row_security::owners(connection, findings, model).await?;
    changes(connection, findings, model).await?;
    at_commit(connection, findings, model).await?;
    if let Some(capture) = model.capture {
        let relations = relations(connection, capture, Operation::Check).await?;
        every_trigger(connection, findings, capture, &relations).await?;
        unseen::changes(connection, findings, capture, &relations).await?;
    }
    Ok(())
}

/// The trigger that syncs documents when a transaction commits.
async fn at_commit(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    model: &ModelObjects<'_>,
) -> Result<()> {
    let Some(at_commit) = model.at_commit else {
        return Ok(());
    };
    let relation = change_table(model.schema);
    let enabled: Option<bool> = query(catalog::TRIGGER)
        .bind(&relation)
        .bind(&at_commit.trigger)
        .bind(at_commit.function.signature())
        .fetch_optional(connection, |row| row.try_get("enabled"))
        .await?;
    match enabled {
        Some(true) => {}
        Some(false) => {
            let name = remedy::quoted(&at_commit.trigger);
            findings.add(None, "", disabled_trigger(&relation, &name));
        }
        None => findings.add(None, "", missing_triggers(&relation)),
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
        "triggers of {relation} are missing or differ: changes by statements that name it are not captured, or \
         not synced when they are committed"
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
