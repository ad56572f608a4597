//! Plans functions of the database: those that are missing, and those whose text differs.

use sqlx::{Connection as _, PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::ops::migrate::migration::Drift;
use crate::ops::migrate::plan::{MigrationPlan, Step, StepKind};
use crate::sql::capture::catalog;
use crate::sql::function::FunctionDdl;
use crate::sql::probe;

/// A function of this name and these parameters, as it is in the database.
pub(crate) struct ExistingFunction {
    body: String,
    definer: bool,
    /// The names of its settings, in lower case and in order.
    settings: Vec<String>,
}

impl ExistingFunction {
    /// Whether it is the function that `wanted` creates.
    pub(crate) fn is(&self, wanted: &FunctionDdl) -> bool {
        self.body == wanted.body
            && self.definer == wanted.is_definer()
            && self.settings == wanted.setting_names()
    }
}

/// The functions of these names and parameters, in the same order.
pub(crate) async fn existing(
    connection: &mut PgConnection,
    functions: &[&FunctionDdl],
    operation: Operation,
) -> Result<Vec<Option<ExistingFunction>>> {
    let signatures: Vec<String> = functions.iter().map(|it| it.signature()).collect();
    Statement::new(catalog::FUNCTIONS, operation)
        .bind(signatures)
        .fetch_each(connection, |row| {
            let body: Option<String> = row.try_get("body")?;
            let Some(body) = body else { return Ok(None) };
            Ok(Some(ExistingFunction {
                body,
                definer: row.try_get("definer")?,
                settings: row.try_get("settings")?,
            }))
        })
        .await
}

/// A function, as reports name it.
pub(crate) fn function_of(function: &FunctionDdl) -> String {
    format!("function {}", function.qualified())
}

impl MigrationPlan {
    /// Adds functions that are missing, or whose text differs.
    pub(super) async fn functions(
        &mut self,
        connection: &mut PgConnection,
        functions: &[&FunctionDdl],
    ) -> Result<()> {
        let inspect = Operation::Inspect("the functions of the read model".to_owned());
        let existing = existing(connection, functions, inspect).await?;
        for (function, existing) in functions.iter().zip(existing) {
            if existing.is_some_and(|existing| existing.is(function)) {
                continue;
            }
            let mut sql = vec![function.create.as_str().into()];
            // Everybody may execute a new function, and this one would do it with the privileges of its owner.
            sql.extend(function.revoke().map(Into::into));
            self.functions.push(FunctionStep {
                step: Step {
                    what: function_of(function),
                    sql,
                    kind: StepKind::Create,
                },
                schema: function.schema,
                signature: function.signature(),
            });
        }
        Ok(())
    }
}

/// A function to create or to replace.
#[derive(Debug)]
pub(super) struct FunctionStep {
    pub(super) step: Step,
    schema: &'static str,
    signature: String,
}

/// Creates functions, all or none. If the role may not, they are reported; or that is an error, if changes are to be captured.
pub(super) async fn create(
    connection: &mut PgConnection,
    functions: Vec<FunctionStep>,
    captures: bool,
    created: &mut Vec<String>,
) -> Result<Option<Drift>> {
    let failed = || Error::database(Operation::Migrate);
    if functions.is_empty() {
        return Ok(None);
    }
    let mut savepoint = connection.begin().await.map_err(failed())?;
    for function in &functions {
        match function.step.run(&mut savepoint).await {
            Ok(()) => {}
            Err(error) if error.is_not_permitted() => {
                savepoint.rollback().await.map_err(failed())?;
                return refused(connection, function, &error, captures).await;
            }
            Err(error) => return Err(error),
        }
    }
    savepoint.commit().await.map_err(failed())?;
    created.extend(functions.into_iter().map(|function| function.step.what));
    Ok(None)
}

/// What follows if the role may not create a function.
async fn refused(
    connection: &mut PgConnection,
    function: &FunctionStep,
    error: &Error,
    captures: bool,
) -> Result<Option<Drift>> {
    let (role, may_create) = Statement::new(catalog::MAY_CREATE, Operation::Migrate)
        .bind(function.schema)
        .fetch_one(connection, |row| {
            Ok((
                row.try_get::<String, _>("role")?,
                row.try_get::<bool, _>("may_create")?,
            ))
        })
        .await?;
    let remedy = match may_create {
        false => probe::grant_create(function.schema, &role),
        // It is a function of another role.
        true => format!("DROP FUNCTION {}", function.signature),
    };
    let what = function.step.what.clone();
    if captures {
        return Err(Error::CannotCapture {
            what,
            reason: error.to_string(),
            remedy,
        });
    }
    let why = "this role may not create the functions of the read model, so the statements of a sync are sent \
               one by one, which takes longer";
    Ok(Some(Drift::new(what, why, remedy)))
}
