//! The flush as one call of a function in the database: see [`flush`](crate::sql::function::flush).
//!
//! The function finds and syncs the documents of captured changes, and of marks for which nothing has to be known of
//! the rows as they were before. Everything else is done by statements, one at a time: [`lookup`](super::lookup) and what
//! follows. So are all documents if one of them is invalid, or if there are many.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::db::statement::execute_all;
use crate::error::{Error, Operation, Result};
use crate::mutation::change_set::ChangeSet;
use crate::mutation::flush::first::CHECK_CONSTRAINTS;
use crate::mutation::isolation::Isolation;
use crate::mutation::report::{LeftView, MutationReport, ViewReport};
use crate::mutation::token::SyncToken;
use crate::mutation::transaction::Mutation;
use crate::schema::Table;
use crate::schema::key::Keys;
use crate::sql::function::EmbeddedRows;
use crate::sql::function::flush::{LEFT, result_row};
use crate::sql::function::model::ModelFunctions;
use crate::sql::text::literal;
use crate::sync::finished::{self, FinishedBatch};
use crate::sync::report::SyncReport;
use crate::sync::request::SyncRequest;
use crate::sync::run;
use crate::view::Handle;

/// The most documents that the function syncs. Many are synced in batches, and a part that many of them embed is
/// replaced in them.
const MAX_DOCUMENTS: usize = 100;

/// A call of the function.
pub(super) struct FlushCall {
    /// Documents that were marked themselves, by view.
    documents: Map<String, Value>,
    /// Rows that were marked, by table.
    marked: Map<String, Value>,
    rows: EmbeddedRows,
    most: usize,
}

/// The outcome of a call.
pub(super) enum Called {
    /// All documents were synced.
    Synced(MutationReport),
    /// Nothing was synced: there are too many documents for one call. These are the captured changes, which the call has
    /// taken.
    TooMany(Option<Value>),
}

impl FlushCall {
    /// The call for these marks, unless something is to be done that the function does not do.
    pub(super) fn of(mutation: &Mutation, marks: &ChangeSet) -> Option<Self> {
        let context = &mutation.context;
        let functions = context.functions()?;
        // In SERIALIZABLE, former documents are found through committed rows.
        let is_simple = mutation.isolation == Isolation::ReadCommitted
            && context.index.max_depth() <= mutation.limits.depth;
        if !is_simple || mutation.deferred {
            return None;
        }
        let mut marked: BTreeMap<Table, Keys> = BTreeMap::new();
        for ((table, columns, ty), rows) in &marks.rows {
            let key = functions.keys.get(table)?;
            let is_by_key = *columns == key.columns && key.sql_type() == *ty;
            // Triggers have written what these rows were before.
            let former_is_known = context.capture.is_on() || rows.preexisting.is_empty();
            if !is_by_key || !former_is_known {
                return None;
            }
            marked.insert(*table, rows.keys.clone());
        }
        if !context.capture.is_on() && !marks.looks.is_empty() {
            return None;
        }
        let keys = |keys: &Keys| Value::Array(keys.texts().map(Value::String).collect());
        let marked = marked.iter().filter(|(_, of_table)| !of_table.is_empty());
        let documents = context
            .views
            .iter()
            .enumerate()
            .filter_map(|(position, view)| {
                let of_view = marks.documents.keys_of(*view);
                (!of_view.is_empty()).then(|| (position.to_string(), keys(&of_view)))
            });
        let documents: Map<String, Value> = documents.collect();
        Some(Self {
            marked: marked
                .map(|(table, of_table)| (table.to_string(), of_table.to_json()))
                .collect(),
            rows: match documents.is_empty() {
                true => EmbeddedRows::Root,
                // Of these it is not known what was changed, and by whom.
                false => EmbeddedRows::All,
            },
            documents,
            most: MAX_DOCUMENTS.min(mutation.limits.documents),
        })
    }

    /// Whether there is nothing to find.
    pub(super) fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.marked.is_empty()
    }

    fn sql(&self, functions: &ModelFunctions) -> String {
        let object = |object: &Map<String, Value>| match object.is_empty() {
            true => "NULL".to_owned(),
            false => literal(&Value::Object(object.clone()).to_string()),
        };
        format!(
            "SELECT * FROM {}({}, {}, {}, {})",
            functions.flush.qualified(),
            object(&self.documents),
            self.most,
            literal(self.rows.as_str()),
            object(&self.marked),
        )
    }

    /// Calls the function, in one message with what precedes each flush.
    pub(super) async fn run(
        self,
        mutation: &mut Mutation,
        functions: &ModelFunctions,
    ) -> Result<Called> {
        let statements = vec![
            (Arc::from(CHECK_CONSTRAINTS), Operation::CheckConstraints),
            (self.sql(functions).into(), Operation::Flush),
        ];
        let rows = execute_all(&mut mutation.connection, statements).await;
        let rows = rows.inspect_err(|error| {
            if error.is_about_functions() {
                // The next one asks again.
                mutation.context.note_callable(&mutation.pool, false);
            }
        })?;
        let views = mutation.context.views.clone();
        let mut done = Vec::new();
        for row in rows.into_iter().skip(1).flatten() {
            match SyncedView::read(&row, &views).map_err(Error::database(Operation::Flush))? {
                Ok(view) => done.push(view),
                Err(changes) => return Ok(Called::TooMany(changes)),
            }
        }
        if done.iter().any(SyncedView::has_failed) {
            done.retain(|view| view.left.is_some() || view.has_failed());
        }
        report(mutation, done).await.map(Called::Synced)
    }
}

/// The documents of one view.
struct SyncedView {
    view: Handle,
    keys: Keys,
    /// `None` if no document was written.
    report: Option<SyncReport>,
    /// The transaction, if the documents were left to the worker.
    left: Option<SyncToken>,
}

impl SyncedView {
    /// Whether a document of some view could not be written. What was reported before is undone.
    const fn has_failed(&self) -> bool {
        self.report.is_none() && self.left.is_none()
    }

    /// Reads a row of the function's result, or the changes that it has taken and not synced.
    fn read(
        row: &PgRow,
        views: &[Handle],
    ) -> sqlx::Result<std::result::Result<Self, Option<Value>>> {
        let position: Option<i32> = row.try_get(result_row::VIEW)?;
        let view = position.and_then(|position| views.get(usize::try_from(position).ok()?));
        let Some(view) = view else {
            let changes: Option<String> = row.try_get(result_row::MESSAGE)?;
            let changes = changes
                .map(|changes| serde_json::from_str(&changes))
                .transpose();
            return Ok(Err(
                changes.map_err(|error| sqlx::Error::Decode(error.into()))?
            ));
        };
        let texts: Vec<String> = row.try_get(result_row::KEYS)?;
        let keys = view
            .no_keys()
            .parse(&texts)
            .ok_or_else(|| sqlx::Error::Decode("a key has another type than its view".into()))?;
        let failed: Option<String> = row.try_get(result_row::CODE)?;
        let micros: Option<i64> = row.try_get(result_row::MICROS)?;
        let micros = micros.and_then(|micros| u64::try_from(micros).ok());
        let report = SyncReport {
            duration: Duration::from_micros(micros.unwrap_or(0)),
            ..SyncReport::read(row)?
        };
        let left = match failed.as_deref() {
            Some(LEFT) => row.try_get::<String, _>(result_row::MESSAGE)?.parse().ok(),
            _ => None,
        };
        Ok(Ok(Self {
            view: *view,
            keys,
            report: failed.is_none().then_some(report),
            left,
        }))
    }
}

/// Reports what was synced to observers and the log, and syncs by statements what was not.
async fn report(mutation: &mut Mutation, done: Vec<SyncedView>) -> Result<MutationReport> {
    let observers = Arc::clone(&mutation.context.observers);
    let mut report = MutationReport::default();
    let synced = done.iter().filter_map(|done| {
        Some(FinishedBatch {
            view: done.view,
            keys: &done.keys,
            report: done.report.as_ref()?,
        })
    });
    finished::end(
        &mut mutation.connection,
        &observers,
        &synced.collect::<Vec<_>>(),
    )
    .await;
    for SyncedView {
        view,
        keys,
        report: synced,
        left,
    } in done
    {
        if let Some(token) = left {
            report.token = token;
            report.left.push(LeftView {
                entity: view.view.entity,
                view: view.view.table,
                documents: keys.len(),
            });
            continue;
        }
        let synced = match synced {
            Some(synced) => synced,
            None => {
                let keys = keys.clone();
                let request = SyncRequest::Sync { view, keys };
                run::run_observed_in_span(&mut *mutation.connection, &observers, request).await?
            }
        };
        report.views.push(ViewReport {
            entity: view.view.entity,
            view: view.view.table,
            keys: keys.sorted(),
            report: synced,
        });
    }
    Ok(report)
}
