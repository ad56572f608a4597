//! Plans the change table, and the triggers that capture changes.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::ops::migrate::migration::Drift;
use crate::ops::migrate::plan::{MigrationPlan, Step, StepKind};
use crate::schema::TableName;
use crate::sql::capture::{
    CaptureSql, CapturedTable, Event, catalog, create_change_index, create_change_table,
};
use crate::sql::capture::{create_trigger, trigger_name};
use crate::sql::ddl::remedy;
use crate::sql::function::FunctionDdl;
use crate::sql::function::change::{CHANGE_TABLE, change_table};
use crate::sql::function::model::AtCommit;
use crate::sql::probe;

/// A relation whose triggers capture changes of a base table: the table itself, a partition of it, or a table
/// that inherits from it.
#[derive(Debug)]
pub(crate) struct CapturedRelation {
    /// The position of the base table among those of the read model.
    pub(crate) table: usize,
    pub(crate) oid: i64,
    pub(crate) name: TableName,
    /// `pg_class.relkind`.
    pub(crate) kind: String,
    pub(crate) can_create: bool,
}

impl CapturedRelation {
    /// Whether it can have the triggers.
    pub(crate) fn can_have_triggers(&self) -> bool {
        matches!(self.kind.as_str(), "r" | "p")
    }

    /// The name of its trigger.
    fn trigger_name(
        &self,
        event: Event,
        captured: &CapturedTable,
        all: &[Self],
        suffix: &str,
    ) -> String {
        // A table of the read model can be a partition of another one.
        let first = all.iter().find(|other| other.oid == self.oid);
        let is_first = first.is_none_or(|first| first.table == self.table);
        let table = captured.table.to_string();
        trigger_name(event, suffix, (!is_first).then_some(table.as_str()))
    }
}

/// A trigger as it is in the database.
#[derive(Debug)]
pub(super) struct ExistingTrigger {
    relation: i64,
    pub(super) name: String,
    ty: i16,
    enabled: String,
    tables: (Option<String>, Option<String>),
    function: (String, String),
}

/// The bits of `pg_trigger.tgtype`, and the transition tables before and after.
pub(super) type TriggerKind = (i16, (Option<&'static str>, Option<&'static str>));

/// The state of a wanted trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TriggerState {
    Missing,
    /// It calls another function, or for another event.
    Different,
    /// It does not run in ordinary sessions.
    Disabled,
    Ok,
}

/// A wanted trigger.
#[derive(Debug)]
pub(crate) struct WantedTrigger<'a> {
    pub(crate) name: String,
    pub(crate) event: Event,
    pub(crate) captured: &'a CapturedTable,
    pub(crate) relation: &'a CapturedRelation,
    pub(crate) state: TriggerState,
}

/// The relations of all base tables that exist.
pub(crate) async fn relations(
    connection: &mut PgConnection,
    capture: &CaptureSql,
    operation: Operation,
) -> Result<Vec<CapturedRelation>> {
    let tables: Vec<String> = capture
        .tables
        .iter()
        .map(|it| it.table.to_string())
        .collect();
    Statement::new(catalog::RELATIONS, operation)
        .bind(tables)
        .fetch_each(connection, |row| {
            let place: i32 = row.try_get("place")?;
            Ok(CapturedRelation {
                table: usize::try_from(place - 1).unwrap_or_default(),
                oid: row.try_get("oid")?,
                name: TableName {
                    schema: row.try_get::<String, _>("schema")?.into(),
                    name: row.try_get::<String, _>("name")?.into(),
                },
                kind: row.try_get("kind")?,
                can_create: row.try_get("can_create")?,
            })
        })
        .await
}

/// The triggers of the relations that can have them, each with its state.
pub(crate) async fn triggers<'a>(
    connection: &mut PgConnection,
    capture: &'a CaptureSql,
    relations: &'a [CapturedRelation],
    operation: Operation,
) -> Result<Vec<WantedTrigger<'a>>> {
    let oids: Vec<i64> = relations.iter().map(|relation| relation.oid).collect();
    let existing = Statement::new(catalog::TRIGGERS, operation)
        .bind(oids)
        .bind(capture.suffix.as_str())
        .fetch_each(connection, ExistingTrigger::read)
        .await?;
    let mut wanted = Vec::new();
    for relation in relations.iter().filter(|it| it.can_have_triggers()) {
        let Some(captured) = capture.tables.get(relation.table) else {
            continue;
        };
        for event in Event::ALL {
            let name = relation.trigger_name(event, captured, relations, &capture.suffix);
            let found = existing
                .iter()
                .find(|trigger| trigger.relation == relation.oid && trigger.name == name);
            wanted.push(WantedTrigger {
                state: found.map_or(TriggerState::Missing, |found| {
                    found.state(
                        (event.catalog_type(), event.transition_tables()),
                        &captured.function,
                    )
                }),
                name,
                event,
                captured,
                relation,
            });
        }
    }
    Ok(wanted)
}

impl ExistingTrigger {
    /// Reads a row of [`catalog::TRIGGERS`].
    pub(super) fn read(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            relation: row.try_get("relation")?,
            name: row.try_get("name")?,
            ty: row.try_get("type")?,
            enabled: row.try_get("enabled")?,
            tables: (row.try_get("old_table")?, row.try_get("new_table")?),
            function: (row.try_get("function_schema")?, row.try_get("function")?),
        })
    }

    /// What it is, if it is to call a function.
    pub(super) fn state(
        &self,
        (ty, (old, new)): TriggerKind,
        function: &FunctionDdl,
    ) -> TriggerState {
        let is_wanted = self.ty == ty
            && (self.tables.0.as_deref(), self.tables.1.as_deref()) == (old, new)
            && (self.function.0.as_str(), &self.function.1) == (function.schema, &function.name);
        match self.enabled.as_str() {
            _ if !is_wanted => TriggerState::Different,
            "O" | "A" => TriggerState::Ok,
            _ => TriggerState::Disabled,
        }
    }
}

impl WantedTrigger<'_> {
    /// The statement that creates or replaces it.
    pub(crate) fn create(&self) -> String {
        create_trigger(
            &self.name,
            self.event,
            &self.relation.name,
            &self.captured.function,
        )
    }

    /// The statement that enables it.
    pub(crate) fn enable(&self) -> String {
        enable_trigger(&self.relation.name, &self.name)
    }
}

pub(super) fn enable_trigger(relation: &TableName, name: &str) -> String {
    format!(
        "ALTER TABLE {relation} ENABLE TRIGGER {}",
        remedy::quoted(name)
    )
}

impl MigrationPlan {
    /// Adds the change table, if it is missing.
    pub(super) async fn change_table(
        &mut self,
        connection: &mut PgConnection,
        schema: &str,
        lz4: bool,
    ) -> Result<()> {
        let table = change_table(schema);
        let exists: bool = Statement::new(catalog::CHANGE_TABLE, Operation::Inspect(table.clone()))
            .bind(&table)
            .fetch_one(connection, |row| row.try_get("exists"))
            .await?;
        if !exists {
            let create = create_change_table(schema, lz4);
            let index = create_change_index(schema);
            self.create(format!("table {table}"), vec![&create, &index]);
        }
        Ok(())
    }

    /// Adds the trigger of the change table that syncs documents when a transaction commits.
    pub(super) async fn at_commit(
        &mut self,
        connection: &mut PgConnection,
        schema: &'static str,
        at_commit: &AtCommit,
    ) -> Result<()> {
        let relation = TableName {
            schema: schema.into(),
            name: CHANGE_TABLE.into(),
        };
        let inspect = Operation::Inspect(format!("the triggers of {relation}"));
        let name = &at_commit.trigger;
        let enabled: Option<bool> = Statement::new(catalog::TRIGGER, inspect)
            .bind(relation.to_string())
            .bind(name)
            .bind(at_commit.function.signature())
            .fetch_optional(connection, |row| row.try_get("enabled"))
            .await?;
        let trigger = format!("trigger {} of {relation}", remedy::quoted(name));
        match enabled {
            Some(true) => {}
            Some(false) => self.drift.push(Drift::new(
                trigger,
                "it is disabled, so documents are synced by a worker, and not with the commit",
                enable_trigger(&relation, name),
            )),
            // There is no CREATE OR REPLACE CONSTRAINT TRIGGER.
            None => self.triggers.push(TriggerStep {
                step: Step {
                    what: trigger,
                    sql: vec![
                        format!(
                            "DROP TRIGGER IF EXISTS {} ON {relation}",
                            remedy::quoted(name)
                        )
                        .into(),
                        at_commit.create_trigger.as_str().into(),
                    ],
                    kind: StepKind::Create,
                },
                relation,
                can_create: true,
            }),
        }
        Ok(())
    }

    /// Adds the triggers that are missing or differ, a step for each relation, and reports those that are disabled.
    pub(super) async fn triggers(
        &mut self,
        connection: &mut PgConnection,
        capture: &CaptureSql,
    ) -> Result<()> {
        let inspect = || Operation::Inspect("the triggers of base tables".to_owned());
        let relations = relations(connection, capture, inspect()).await?;
        let wanted = triggers(connection, capture, &relations, inspect()).await?;
        for (place, relation) in relations.iter().enumerate() {
            let own: Vec<&WantedTrigger<'_>> = wanted
                .iter()
                .filter(|it| it.relation.oid == relation.oid && it.relation.table == relation.table)
                .collect();
            let is_repeated = relations[..place]
                .iter()
                .any(|other| other.oid == relation.oid);
            self.triggers_of(relation, &own, is_repeated);
        }
        Ok(())
    }

    /// The triggers of one relation, for one base table. With `is_repeated`, it has others for another one.
    fn triggers_of(
        &mut self,
        relation: &CapturedRelation,
        wanted: &[&WantedTrigger<'_>],
        is_repeated: bool,
    ) {
        let sql: Vec<_> = wanted
            .iter()
            .filter(|it| matches!(it.state, TriggerState::Missing | TriggerState::Different))
            .map(|trigger| trigger.create().into())
            .collect();
        if !sql.is_empty() {
            let what = match wanted.first() {
                Some(first) if is_repeated => format!(
                    "triggers of {}, as rows of {}",
                    relation.name, first.captured.table
                ),
                _ => format!("triggers of {}", relation.name),
            };
            self.triggers.push(TriggerStep {
                step: Step {
                    what,
                    sql,
                    kind: StepKind::Create,
                },
                relation: relation.name.clone(),
                can_create: relation.can_create,
            });
        }
        for trigger in wanted
            .iter()
            .filter(|it| it.state == TriggerState::Disabled)
        {
            self.drift.push(Drift::new(
                format!(
                    "trigger {} of {}",
                    remedy::quoted(&trigger.name),
                    relation.name
                ),
                "it is disabled, so changes of the table are not captured; after it was enabled, sync \
                 all, because those that were made meanwhile are lost",
                trigger.enable(),
            ));
        }
    }
}

/// The triggers of one relation.
#[derive(Debug)]
pub(super) struct TriggerStep {
    pub(super) step: Step,
    pub(super) relation: TableName,
    /// Whether the role has the privilege.
    pub(super) can_create: bool,
}

impl TriggerStep {
    /// An error if the role may not create them.
    pub(super) fn permitted(&self, role: &str) -> Result<()> {
        if self.can_create {
            return Ok(());
        }
        Err(Error::CannotCapture {
            what: self.step.what.clone(),
            reason: format!("the role {role} may not create triggers of that table"),
            remedy: probe::grant("TRIGGER", &self.relation, role),
        })
    }
}
