//! Plans and creates materialized views.
//!
//! They are built after the transaction of the migration, each in one of its own: that may take
//! minutes, in which nothing else should be locked. A materialized view whose definition has changed is
//! built under another name, and then takes the place of the old one: it has no data of its own.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use crate::db::scope::BEGIN_READ_COMMITTED;
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::ops::migrate::catalog_rows::TableRow;
use crate::ops::migrate::lock;
use crate::ops::migrate::plan::MigrationPlan;
use crate::ops::migrate::view_plan::ViewPlan;
use crate::schema::Table;
use crate::sql::ddl::idempotent::if_not_exists;
use crate::sql::matview::{MatviewSql, refreshes};
use crate::sql::session;
use crate::view::Handle;

/// A materialized view to build.
#[derive(Debug)]
pub(super) struct MatviewStep {
    view: Handle,
    /// As in [`Migration::created`](crate::migrate::Migration::created).
    pub(super) what: String,
    /// The statements that build it.
    sql: Vec<String>,
    /// The comment of one that another instance has built meanwhile.
    mark: &'static str,
}

impl MatviewStep {
    /// The statements of a plan.
    pub(super) fn statements(&self) -> impl Iterator<Item = String> + '_ {
        let sync = &self.view.statements().sync;
        let set = sync.needs.any().then(|| sync.set_session.clone());
        set.into_iter().chain(self.sql.iter().cloned())
    }
}

impl MigrationPlan {
    /// Adds the table of refreshes, the materialized view if it does not exist or has another
    /// definition, and otherwise the indexes that it lacks.
    pub(super) async fn matview(
        &mut self,
        connection: &mut PgConnection,
        view: Handle,
        sql: &'static MatviewSql,
        lz4: bool,
        tables: &mut HashSet<Table>,
    ) -> Result<()> {
        let table = view.view.table;
        let refreshes = refreshes(view.view);
        if tables.insert(refreshes) && TableRow::find(connection, refreshes).await?.is_none() {
            self.create(format!("table {refreshes}"), vec![&sql.create_refreshes]);
        }
        let mut step = MatviewStep {
            view,
            what: format!("materialized view {table}"),
            sql: Vec::new(),
            mark: &sql.mark,
        };
        let found = TableRow::find(connection, table).await?;
        match found {
            None => {
                step.sql.push(if_not_exists(&sql.create));
                step.sql.extend(lz4.then(|| sql.compress.clone()));
                step.sql.extend([sql.note.clone(), sql.fill.clone()]);
            }
            Some(found) => {
                found.is_of_kind("m", table, "matview")?;
                if found.comment.as_ref() == Some(&sql.mark) {
                    let mut view_plan = ViewPlan::new(self, view);
                    return view_plan.indexes(connection).await;
                }
                step.sql.push(sql.create_new.clone());
                step.sql.extend(lz4.then(|| sql.compress_new.clone()));
                step.sql.extend([sql.note.clone(), sql.fill_new.clone()]);
                step.sql.extend(sql.swap.iter().cloned());
            }
        }
        for index in &view.statements().ddl.indexes {
            step.sql
                .extend([if_not_exists(&index.sql), index.comment.clone()]);
        }
        step.sql.push(sql.comment.clone());
        self.matviews.push(step);
        Ok(())
    }
}

/// Builds materialized views, each in a transaction.
pub(super) async fn create(
    connection: &mut PgConnection,
    steps: &[MatviewStep],
    created: &mut Vec<String>,
) -> Result<()> {
    let failed = || Error::database(Operation::Migrate);
    for step in steps {
        let mut transaction = connection
            .begin_with(BEGIN_READ_COMMITTED)
            .await
            .map_err(failed())?;
        lock::acquire(&mut transaction, lock::MATVIEW).await?;
        // Another instance may have built it while this one waited.
        let table = step.view.view.table;
        let found = TableRow::find(&mut transaction, table).await?;
        let is_built = found.is_some_and(|found| found.comment.as_deref() == Some(step.mark));
        if !is_built {
            run(&mut transaction, step).await?;
            created.push(step.what.clone());
        }
        transaction.commit().await.map_err(failed())?;
    }
    Ok(())
}

/// Runs the statements with the settings that documents need, and restores those of the session.
pub(super) async fn run(connection: &mut PgConnection, step: &MatviewStep) -> Result<()> {
    let settings = || Operation::SessionSettings;
    let before: Vec<Option<String>> = Statement::composed(session::settings(), settings())
        .fetch_one(&mut *connection, |row| row.try_get(0))
        .await?;
    for sql in step.statements() {
        connection
            .execute(AssertSqlSafe(sql))
            .await
            .map_err(Error::database(Operation::Create(step.what.clone())))?;
    }
    Statement::composed(session::restore(), settings())
        .bind(before)
        .execute(connection)
        .await?;
    Ok(())
}
