//! Plans the tables and triggers of the feed of documents.

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::ops::migrate::capture::{ExistingTrigger, TriggerState, TriggerStep, enable_trigger};
use crate::ops::migrate::migration::Drift;
use crate::ops::migrate::plan::{MigrationPlan, Step, StepKind};
use crate::schema::TableName;
use crate::sql::capture::catalog;
use crate::sql::ddl::remedy;
use crate::sql::feed::{
    FeedTrigger, FeedTriggers, ModelFeed, create_changes, create_changes_index, create_state,
};

impl MigrationPlan {
    /// Adds tables and triggers of the feed that are missing, and reports triggers that are disabled.
    pub(super) async fn feed(
        &mut self,
        connection: &mut PgConnection,
        feed: &ModelFeed,
    ) -> Result<()> {
        let schema = feed.sql.schema;
        let index = create_changes_index(schema);
        for (table, create) in [
            (&feed.sql.changes, vec![&*create_changes(schema), &*index]),
            (&feed.sql.state, vec![&*create_state(schema)]),
        ] {
            let inspect = Operation::Inspect(table.clone());
            let exists: bool = Statement::new(catalog::CHANGE_TABLE, inspect)
                .bind(table)
                .fetch_one(&mut *connection, |row| row.try_get("exists"))
                .await?;
            if !exists {
                self.create(format!("table {table}"), create);
            }
        }
        for triggers in &feed.triggers {
            self.feed_triggers(connection, triggers).await?;
        }
        Ok(())
    }

    async fn feed_triggers(
        &mut self,
        connection: &mut PgConnection,
        triggers: &FeedTriggers,
    ) -> Result<()> {
        let relation = TableName::from(triggers.view.table);
        let inspect = || Operation::Inspect(format!("the triggers of {relation}"));
        let table = Statement::new(catalog::TABLE, inspect())
            .bind(relation.to_string())
            .fetch_optional(&mut *connection, |row| {
                Ok((row.try_get::<i64, _>("oid")?, row.try_get("can_create")?))
            })
            .await?;
        // A table that this migration creates has none, and belongs to this role.
        let (oids, can_create) = table.map_or((vec![], true), |(oid, can)| (vec![oid], can));
        let existing = Statement::new(catalog::TRIGGERS, inspect())
            .bind(oids)
            .bind(triggers.suffix.as_str())
            .fetch_each(connection, ExistingTrigger::read)
            .await?;
        let mut sql = Vec::new();
        for trigger in FeedTrigger::ALL {
            let name = triggers.name(trigger);
            let found = existing.iter().find(|existing| existing.name == name);
            let kind = (trigger.catalog_type(), trigger.transition_tables());
            let state = found.map(|found| found.state(kind, &triggers.function));
            match state.unwrap_or(TriggerState::Missing) {
                TriggerState::Ok => {}
                TriggerState::Missing | TriggerState::Different => {
                    sql.push(triggers.create(trigger).into());
                }
                TriggerState::Disabled => self.drift.push(Drift::new(
                    format!("trigger {} of {relation}", remedy::quoted(&name)),
                    "it is disabled, so nobody is told which documents change",
                    enable_trigger(&relation, &name),
                )),
            }
        }
        if !sql.is_empty() {
            self.triggers.push(TriggerStep {
                step: Step {
                    what: format!("triggers of {relation}"),
                    sql,
                    kind: StepKind::Create,
                },
                relation,
                can_create,
            });
        }
        Ok(())
    }
}
