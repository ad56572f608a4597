//! What happens to a batch with documents that cannot be written: they are found, and the
//! others are written without them.
//!
//! The statement of a batch fails for a value that has no form in JSON, and for what the
//! database refuses. Then the flaws of all documents are asked for at once. What they don't
//! explain, such as a division by zero in a user's expression, is found by halving the batch.
//! Such an expression may be one that the question for flaws needs, too; then each document that
//! is found is asked for its own.

use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};

use crate::db::scope::in_savepoint;
use crate::db::telemetry::statement as trace_statement;
use crate::error::invalid_document::InvalidDocument;
use crate::error::{Error, Operation, Result};
use crate::schema::key::Keys;
use crate::sync::report::SyncReport;
use crate::sync::session::Session;
use crate::view::Handle;

/// How many flaws of one document are reported.
const REASONS: usize = 5;

/// Something that is done with the documents of some keys, all or none.
pub(crate) trait Work: Send {
    /// What was done.
    type Done: Send;

    /// Does it. After a failure, it can be tried again with others.
    fn attempt(&mut self, keys: &Keys) -> impl Future<Output = Result<Self::Done>> + Send;

    /// Asks for the flaws of the documents with [`ask`], where a failure stops nothing else.
    fn flaws(&mut self, keys: &Keys) -> impl Future<Output = Result<Vec<PgRow>>> + Send;
}

/// Writing them.
struct Writing<'s, 'c> {
    session: &'s mut Session<'c>,
    view: Handle,
}

impl Work for Writing<'_, '_> {
    type Done = SyncReport;

    async fn attempt(&mut self, keys: &Keys) -> Result<SyncReport> {
        attempt(self.session, self.view, keys).await
    }

    async fn flaws(&mut self, keys: &Keys) -> Result<Vec<PgRow>> {
        let view = self.view;
        self.session
            .guarded(async |connection, _| ask(connection, view, keys).await)
            .await
    }
}

/// Syncs the documents of `keys`, leaving out and reporting those that cannot be written.
pub(crate) async fn sync(
    session: &mut Session<'_>,
    view: Handle,
    keys: &Keys,
) -> Result<SyncReport> {
    match attempt(session, view, keys).await {
        Err(error) if error.is_about_values() => {
            let mut writing = Writing { session, view };
            let (done, invalid) = without_invalid(&mut writing, view, keys, error).await?;
            let mut report = SyncReport::default();
            for done in done {
                report += done;
            }
            report.invalid.extend(invalid);
            Ok(report)
        }
        result => result,
    }
}

/// Syncs the documents of `keys`, all or none.
async fn attempt(session: &mut Session<'_>, view: Handle, keys: &Keys) -> Result<SyncReport> {
    match (
        session.attempt(view, keys).await,
        &view.statements().sync.clear_unique,
    ) {
        (Err(error), Some(clear)) if error.is_duplicate() => {
            session.exchange(view, keys, clear).await
        }
        (result, _) => result,
    }
}

/// Does it with the documents of `keys`, after it has failed for all at once: with those it can
/// be done with. Says what was done, and which documents are left out.
pub(crate) async fn without_invalid<W: Work>(
    work: &mut W,
    view: Handle,
    keys: &Keys,
    error: Error,
) -> Result<(Vec<W::Done>, Vec<InvalidDocument>)> {
    let mut done = Vec::new();
    let mut invalid = Vec::new();
    let mut left = keys.clone();
    let found = flaws(work, view, keys).await?;
    let found_all = found.is_some();
    for (key, reason) in found.unwrap_or_default() {
        left.remove(&key);
        invalid.push(document(view, &key, reason));
    }
    // What is to be done, with the error of what was tried. Halves are put on top, the first
    // last, so that keys are done in their order.
    let mut pending = vec![(left, invalid.is_empty().then_some(error))];
    while let Some((keys, error)) = pending.pop() {
        let result = match error {
            Some(error) => Err(error),
            None if keys.is_empty() => continue,
            None => work.attempt(&keys).await,
        };
        match result {
            Ok(part) => done.push(part),
            Err(error) if !error.is_about_values() => return Err(error),
            Err(_) if keys.len() > 1 => {
                let (first, second) = keys.halves();
                pending.extend([(second, None), (first, None)]);
            }
            Err(error) => {
                // Where an expression failed for another document, this one may have flaws.
                let flaw = if found_all {
                    None
                } else {
                    flaws(work, view, &keys).await?.unwrap_or_default().pop()
                };
                let reason = flaw.map_or_else(|| reason(&error), |(_, reason)| reason);
                invalid.push(document(view, &keys, reason));
            }
        }
    }
    Ok((done, invalid))
}

fn document(view: Handle, key: &Keys, reason: String) -> InvalidDocument {
    InvalidDocument {
        view: view.view.table,
        key: key.to_string(),
        reason,
    }
}

/// The database's words.
fn reason(error: &Error) -> String {
    let Error::Database { source, .. } = error else {
        return error.to_string();
    };
    match source.as_database_error() {
        Some(error) => error.message().to_owned(),
        None => source.to_string(),
    }
}

/// Asks for the flaws of the documents of `keys`.
pub(crate) async fn ask(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
) -> Result<Vec<PgRow>> {
    let sql: &'static str = &view.statements().sync.flaws;
    trace_statement(sql);
    keys.bind(sqlx::query(sql))
        .fetch_all(connection)
        .await
        .map_err(flaws_failed(view))
}

fn flaws_failed(view: Handle) -> impl FnOnce(sqlx::Error) -> Error {
    Error::on_table(Operation::FindInvalid, view.view.table)
}

/// The documents of `keys` that have flaws, with the flaws. `None` where an expression fails
/// for one of them, here too.
async fn flaws<W: Work>(
    work: &mut W,
    view: Handle,
    keys: &Keys,
) -> Result<Option<Vec<(Keys, String)>>> {
    let rows = match work.flaws(keys).await {
        Err(error) if error.is_about_values() => return Ok(None),
        rows => rows?,
    };
    described(keys, rows).map(Some).map_err(flaws_failed(view))
}

/// Why documents of `keys` cannot be built, where `error` came when that was tried.
pub(crate) async fn explain(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    error: Error,
) -> Error {
    let sql: &'static str = &view.statements().sync.flaws;
    trace_statement(sql);
    let rows = in_savepoint(connection, async |connection| {
        keys.bind(sqlx::query(sql))
            .fetch_all(connection)
            .await
            .map_err(Error::database(Operation::FindInvalid))
    });
    let Ok(rows) = rows.await else { return error };
    match described(keys, rows) {
        Ok(found) if !found.is_empty() => Error::Invalid {
            documents: found
                .into_iter()
                .map(|(key, reason)| document(view, &key, reason))
                .collect(),
        },
        _ => error,
    }
}

/// The documents that have flaws, with the flaws.
fn described(keys: &Keys, rows: Vec<PgRow>) -> sqlx::Result<Vec<(Keys, String)>> {
    let mut found = Vec::new();
    for row in rows {
        let key = keys.read(&row, 0)?;
        let Json(flaws): Json<Value> = row.try_get(1)?;
        let mut reasons = Vec::new();
        collect(&flaws, &mut String::new(), &mut reasons);
        if !reasons.is_empty() {
            if reasons.len() > REASONS {
                let more = reasons.len() - REASONS;
                reasons.truncate(REASONS);
                reasons.push(format!("and {more} more"));
            }
            found.push((key, reasons.join("; ")));
        }
    }
    Ok(found)
}

/// Every text in `value`, with its path: `comments[3].author.name: is null`.
fn collect(value: &Value, path: &mut String, reasons: &mut Vec<String>) {
    let length = path.len();
    match value {
        Value::String(reason) => {
            let place = path.trim_end_matches('?');
            reasons.push(format!("{place}: {reason}"));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                collect(item, path, reasons);
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                collect(field, path, reasons);
                path.truncate(length);
            }
        }
        _ => {}
    }
}
