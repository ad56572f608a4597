//! Plans the bookkeeping of rebuilds, and finds the views that need a rebuild. Reads no documents.

use std::collections::HashSet;

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result, sqlstate};
use crate::ops::migrate::catalog_rows::BookkeepingState;
use crate::ops::migrate::plan::{MigrationPlan, Step, StepKind};
use crate::sql::rebuild::{FOUND, RebuildSql};
use crate::view::Handle;

/// A table that another transaction has locked is not waited for: a migration that finds nothing
/// missing does not wait.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '100ms'";

/// The answer of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    /// A table or column that the probe reads does not exist.
    NoTable,
    /// This role may not read a table, or another transaction has locked it.
    Unknown,
}

impl MigrationPlan {
    /// Adds missing bookkeeping tables, notes which views have to be filled, and lists the views
    /// that need a rebuild.
    pub(super) async fn bookkeeping(
        &mut self,
        connection: &mut PgConnection,
        views: &[Handle],
    ) -> Result<()> {
        let mut created = HashSet::new();
        for view in views {
            let (sql, table) = (&view.statements().rebuild, view.view.table);
            let inspect = || Operation::Inspect(table.to_string());
            let found = Statement::new(FOUND, inspect())
                .bind(&sql.table)
                .bind(table.to_string())
                .fetch_one(&mut *connection, BookkeepingState::read)
                .await?;
            let mut state = None;
            if !found.exists {
                // The views of a schema share one bookkeeping table.
                if created.insert(&sql.table) {
                    self.create(format!("table {}", sql.table), vec![&sql.create]);
                }
            } else if found.readable {
                state = Statement::new(&sql.state, inspect())
                    .fetch_optional(&mut *connection, |row| row.try_get::<String, _>(0))
                    .await?;
            } else {
                continue;
            }
            let may_note = found.writable || !found.exists;
            let view = BookkeptView {
                sql,
                inspect: inspect(),
                has_table: found.has_view,
            };
            let note = match state.as_deref() {
                Some("done") => view.emptied(connection).await?,
                Some("unfilled" | "filling") => view.still_unfilled(connection).await?,
                _ => view.unnoted(connection).await?,
            };
            match note.need {
                Need::Nothing => {}
                Need::Rebuild => self.stale.push(table),
                Need::Fill => self.unfilled.push(table),
            }
            if let Some((kind, note)) = note.sql.filter(|_| may_note) {
                self.steps.push(Step {
                    what: format!("the entry of {table} in {}", sql.table),
                    sql: vec![note.into()],
                    kind,
                });
            }
        }
        Ok(())
    }
}

/// What the documents of a view need, and the statement that notes it.
struct Note {
    need: Need,
    sql: Option<(StepKind, &'static str)>,
}

enum Need {
    Nothing,
    /// Documents are stale.
    Rebuild,
    /// Rows have no documents.
    Fill,
}

impl Need {
    const fn noted(self, sql: &'static str) -> Note {
        Note {
            need: self,
            sql: Some((StepKind::Note, sql)),
        }
    }

    const fn unnoted(self) -> Note {
        Note {
            need: self,
            sql: None,
        }
    }
}

/// A view, while its entry in the bookkeeping table is planned.
struct BookkeptView {
    sql: &'static RebuildSql,
    inspect: Operation,
    has_table: bool,
}

impl BookkeptView {
    /// A view whose entry says `done`. Its table may have lost its documents since: it was
    /// truncated, or restored without them, or is unlogged and the server has crashed.
    async fn emptied(&self, connection: &mut PgConnection) -> Result<Note> {
        let is_empty =
            !self.has_table || self.ask(connection, &self.sql.has_documents).await? == Answer::No;
        if !is_empty || self.ask(connection, &self.sql.has_rows).await? != Answer::Yes {
            return Ok(Need::Nothing.unnoted());
        }
        Ok(Need::Fill.noted(&self.sql.note))
    }

    /// A view that was not filled when its entry was written. A full sync may have filled it since.
    async fn still_unfilled(&self, connection: &mut PgConnection) -> Result<Note> {
        if !self.has_table {
            return self.unnoted(connection).await;
        }
        Ok(
            match self.ask(connection, &self.sql.lacks_documents).await? {
                Answer::No => Note {
                    need: Need::Nothing,
                    sql: Some((StepKind::NoteFilled, &self.sql.note_filled)),
                },
                Answer::NoTable => Need::Nothing.unnoted(),
                Answer::Yes | Answer::Unknown => Need::Fill.unnoted(),
            },
        )
    }

    /// A view without an entry for its shape.
    async fn unnoted(&self, connection: &mut PgConnection) -> Result<Note> {
        let has_documents =
            self.has_table && self.ask(connection, &self.sql.has_documents).await? == Answer::Yes;
        if has_documents {
            return Ok(Need::Rebuild.unnoted());
        }
        Ok(match self.ask(connection, &self.sql.has_rows).await? {
            Answer::Yes => Need::Fill.noted(&self.sql.note),
            Answer::No => Need::Nothing.noted(&self.sql.note),
            Answer::NoTable => Need::Nothing.noted(&self.sql.note_empty),
            Answer::Unknown => Need::Fill.noted(&self.sql.note_unfilled),
        })
    }

    /// Runs a probe in a savepoint, which also ends its locks.
    async fn ask(&self, connection: &mut PgConnection, sql: &'static str) -> Result<Answer> {
        let failed = || Error::database(self.inspect.clone());
        let mut savepoint = connection.begin().await.map_err(failed())?;
        savepoint.execute(LOCK_TIMEOUT).await.map_err(failed())?;
        let answer = Statement::new(sql, self.inspect.clone())
            .fetch_one(&mut savepoint, |row| row.try_get(0))
            .await;
        savepoint.rollback().await.map_err(failed())?;
        match answer {
            Ok(true) => Ok(Answer::Yes),
            Ok(false) => Ok(Answer::No),
            Err(error) if error.is_lock_timeout() || error.is_not_permitted() => {
                Ok(Answer::Unknown)
            }
            Err(error)
                if error
                    .code()
                    .is_some_and(|code| !sqlstate::is_server_failure(&code)) =>
            {
                Ok(Answer::NoTable)
            }
            Err(error) => Err(error),
        }
    }
}
