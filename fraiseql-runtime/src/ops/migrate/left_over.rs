//! Finds what other releases have left: functions, triggers, and changes that nobody will sync.

use std::collections::BTreeSet;

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::ops::migrate::migration::Drift;
use crate::ops::migrate::objects::ModelObjects;
use crate::ops::migrate::plan::MigrationPlan;
use crate::schema::{TableName, View};
use crate::sql::capture::catalog;
use crate::sql::ddl::remedy::quoted;
use crate::sql::function::change::change_table;
use crate::sql::function::model::suffix;

const WHEN: &str = "it is of another release of this read model, of another setting of `capture`, or of another read \
    model with some of these views; drop it when no process uses that any more";

/// A function of some read model.
struct ModelFunction {
    oid: i64,
    name: TableName,
    arguments: String,
    names_view: bool,
}

impl ModelFunction {
    /// The hash at the end of its name.
    fn suffix(&self) -> &str {
        let name: &str = &self.name.name;
        &name[name.len().saturating_sub(16)..]
    }

    /// Whether it syncs a view of this name: the name has only a hash after that of the view.
    fn is_of(&self, view: &View) -> bool {
        let stem = self
            .name
            .name
            .strip_suffix(self.suffix())
            .unwrap_or_default();
        *self.name.schema == *view.table.schema
            && ["lock", "write", "sync"]
                .iter()
                .any(|what| stem == format!("fraiseql_{what}_{}_", view.entity))
    }

    /// The statement that drops it.
    fn drop(&self) -> String {
        format!("DROP FUNCTION {}({})", self.name, self.arguments)
    }
}

impl MigrationPlan {
    /// Reports the triggers, changes and functions of other releases, in the order in which they are
    /// removed.
    pub(super) async fn left_over(
        &mut self,
        connection: &mut PgConnection,
        model: &ModelObjects<'_>,
    ) -> Result<()> {
        let inspect = || Operation::Inspect("the functions of other releases".to_owned());
        let schemas: BTreeSet<&str> = model.functions.iter().map(|it| it.schema).collect();
        let views: Vec<String> = model
            .views
            .iter()
            .map(|view| view.table.to_string())
            .collect();
        let all = Statement::new(catalog::MODEL_FUNCTIONS, inspect())
            .bind(schemas.into_iter().collect::<Vec<_>>())
            .bind(&views)
            .fetch_each(&mut *connection, |row| {
                Ok(ModelFunction {
                    oid: row.try_get("oid")?,
                    name: TableName {
                        schema: row.try_get::<String, _>("schema")?.into(),
                        name: row.try_get::<String, _>("name")?.into(),
                    },
                    arguments: row.try_get("arguments")?,
                    names_view: row.try_get("names_view")?,
                })
            })
            .await?;
        let is_current = |function: &ModelFunction| {
            model
                .functions
                .iter()
                .any(|it| *it.name == *function.name.name && *it.schema == *function.name.schema)
        };
        let others: Vec<&ModelFunction> = all.iter().filter(|it| !is_current(it)).collect();
        // Another read model in this schema is not another release of this one. The functions of one release have one hash.
        let related: BTreeSet<&str> = others
            .iter()
            .filter(|it| it.names_view || model.views.iter().any(|view| it.is_of(view)))
            .map(|it| it.suffix())
            .collect();
        let left: Vec<&ModelFunction> = others
            .into_iter()
            .filter(|it| related.contains(it.suffix()))
            .collect();
        self.left_over_triggers(connection, &left).await?;
        let known: BTreeSet<&str> = all
            .iter()
            .filter(|it| !related.contains(it.suffix()))
            .map(|it| it.suffix())
            .collect();
        self.left_over_changes(connection, model, &known).await?;
        for function in left {
            self.left_over.push(Drift::new(
                format!("function {}", function.name),
                WHEN,
                function.drop(),
            ));
        }
        Ok(())
    }

    async fn left_over_triggers(
        &mut self,
        connection: &mut PgConnection,
        functions: &[&ModelFunction],
    ) -> Result<()> {
        if functions.is_empty() {
            return Ok(());
        }
        let oids: Vec<i64> = functions.iter().map(|it| it.oid).collect();
        let triggers = Statement::new(
            catalog::TRIGGERS_OF_FUNCTIONS,
            Operation::Inspect("the triggers of other releases".to_owned()),
        )
        .bind(oids)
        .fetch_each(connection, |row| {
            let relation = TableName {
                schema: row.try_get::<String, _>("schema")?.into(),
                name: row.try_get::<String, _>("relation")?.into(),
            };
            Ok((relation, row.try_get::<String, _>("name")?))
        })
        .await?;
        for (relation, name) in triggers {
            let name = quoted(&name);
            self.left_over.push(Drift::new(
                format!("trigger {name} of {relation}"),
                WHEN,
                format!("DROP TRIGGER {name} ON {relation}"),
            ));
        }
        Ok(())
    }

    /// Changes of models that have no functions any more, or whose functions are left over. `known` are the
    /// ends of the names of all other functions.
    async fn left_over_changes(
        &mut self,
        connection: &mut PgConnection,
        model: &ModelObjects<'_>,
        known: &BTreeSet<&str>,
    ) -> Result<()> {
        let table = change_table(model.schema);
        let inspect = || Operation::Inspect(table.clone());
        let readable: bool = Statement::new(catalog::CHANGE_TABLE, inspect())
            .bind(&table)
            .fetch_one(&mut *connection, |row| row.try_get("readable"))
            .await?;
        if !readable {
            return Ok(());
        }
        let models = Statement::composed(catalog::models(&table), inspect())
            .fetch_each(connection, |row| row.try_get::<i64, _>(0))
            .await?;
        for id in models.into_iter().filter(|id| *id != model.id) {
            if known.contains(suffix(id).as_str()) {
                continue;
            }
            self.left_over.push(Drift::new(
                format!("changes of the model '{id}' in {table}"),
                "they are of another release of this read model, of another setting of `capture`, or of another read \
                 model with some of these views; when no process uses that any more, nobody syncs their documents, \
                 unless they become changes of this one",
                format!(
                    "UPDATE {table} SET model = '{}'::int8 WHERE model = '{id}'::int8",
                    model.id
                ),
            ));
        }
        Ok(())
    }
}
