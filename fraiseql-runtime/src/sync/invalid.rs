//! Invalid documents of a batch: found, described, and left out, so that the others are written.
//!
//! The statement of a batch fails as a whole if one value has no JSON representation, or if the
//! database refuses one document. PostgreSQL then names neither the document nor the field. So:
//!
//! 1. One statement looks for the flaws of all documents at once: values without a JSON
//!    representation, each with its path.
//! 2. What it cannot see, such as a division by zero in a user's expression or a violated
//!    constraint, is found by halving the batch until single documents fail.
//! 3. A failing expression may fail in the statement for flaws, too. Then it is repeated for each
//!    single document that fails.
//! 4. For a document without such a flaw, the field that fails is searched for: `failing_field`.

use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};

use crate::db::scope::{ScopeErrors, TransactionScope};
use crate::db::session::isolated_in_set_session;
use crate::db::statement::Statement;
use crate::error::invalid_document::InvalidDocument;
use crate::error::{Error, Operation, Result};
use crate::schema::key::Keys;
use crate::sql::sync::MAX_BATCH;
use crate::sync::failing_field::{self, FailingField, KnownFields};
use crate::sync::full::keys::next_keys;
use crate::view::Handle;

/// The most flaws of one document that its reason names.
const MAX_FLAWS: usize = 5;

/// The most documents among which a read searches for the one that the server refuses.
const MAX_SEARCHED: usize = 20;

/// Work on the documents of given keys that succeeds for all or for none of them.
pub(crate) trait BatchWork: Send {
    /// The result.
    type Done: Send;

    /// Works on the documents of `keys`. After a failure it can be called again with other keys.
    fn attempt(&mut self, keys: &Keys) -> impl Future<Output = Result<Self::Done>> + Send;

    /// The connection, and whose transaction it is in.
    fn connection(&mut self) -> (&mut PgConnection, &mut TransactionScope);

    /// Calls [`find_flaws`] in a scope in which its failure affects nothing else.
    fn find_flaws(&mut self, keys: &Keys) -> impl Future<Output = Result<Vec<PgRow>>> + Send;
}

/// Works on those documents of `keys` that are valid, after `work` has failed for all of them with
/// `error`. Returns the results, and the documents that were left out.
pub(crate) async fn without_invalid<W: BatchWork>(
    work: &mut W,
    view: Handle,
    keys: &Keys,
    error: Error,
) -> Result<(Vec<W::Done>, Vec<InvalidDocument>)> {
    let mut done = Vec::new();
    let mut invalid = Vec::new();
    let mut remaining = keys.clone();
    let mut known = KnownFields::new();
    let flaws = describe_flaws(work, view, keys).await?;
    let found_all_flaws = flaws.is_some();
    for (key, reason) in flaws.unwrap_or_default() {
        remaining.remove(&key);
        invalid.push(document(view, &key, reason));
    }
    // A stack of keys, with the error of an attempt if there was one. Without any flaws, all keys
    // have been attempted already. The first half is pushed last: keys are worked on in their
    // order, in which other transactions lock them, too. The loop ends because a set of keys is
    // either done, dropped, or replaced by its two smaller halves.
    let mut pending = vec![(remaining, invalid.is_empty().then_some(error))];
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
                // If the statement for flaws failed for the whole batch, it failed because of one
                // document. This one may have flaws that it would have found.
                let flaw = if found_all_flaws {
                    None
                } else {
                    describe_flaws(work, view, &keys)
                        .await?
                        .unwrap_or_default()
                        .pop()
                };
                let reason = match flaw {
                    Some((_, reason)) => reason,
                    None => refusal(work, view, &keys, &error, &mut known).await?,
                };
                invalid.push(document(view, &keys, reason));
            }
        }
    }
    Ok((done, invalid))
}

/// Why the server refuses the one document of `keys`, which failed with `error`: the fields that fail,
/// each with its error.
async fn refusal<W: BatchWork>(
    work: &mut W,
    view: Handle,
    keys: &Keys,
    error: &Error,
    known: &mut KnownFields,
) -> Result<String> {
    if let Some(path) = duplicate(view, error) {
        return Ok(format!("{path}: {}", message(error)));
    }
    let (connection, scope) = work.connection();
    let failing = failing_field::find(connection, scope, view, keys, known).await?;
    if failing.is_empty() {
        return Ok(message(error));
    }
    Ok(reasons(&failing))
}

/// The fields that fail, each with its error.
fn reasons(failing: &[FailingField]) -> String {
    let reasons = failing
        .iter()
        .map(|field| format!("{}: {}", field.path, message(&field.error)));
    join(reasons.collect())
}

/// The field whose unique value another document has.
fn duplicate(view: Handle, error: &Error) -> Option<&'static str> {
    let Error::Database { source, .. } = error else {
        return None;
    };
    let index = source.as_database_error()?.constraint()?;
    let fields = view.view.shape.fields.iter();
    fields
        .filter(|field| {
            field.promoted.is_some_and(|promoted| {
                index == format!("{}_{}_idx", view.view.table.name, promoted.column)
            })
        })
        .map(|field| field.json)
        .next()
}

/// At most [`MAX_FLAWS`] reasons, and the number of the others.
fn join(mut reasons: Vec<String>) -> String {
    if reasons.len() > MAX_FLAWS {
        let more = reasons.len() - MAX_FLAWS;
        reasons.truncate(MAX_FLAWS);
        reasons.push(format!("and {more} more"));
    }
    reasons.join("; ")
}

/// Queries the flaws of the documents of `keys`: a row for each key.
pub(crate) async fn find_flaws(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
) -> Result<Vec<PgRow>> {
    Statement::new(
        &view.statements().sync.reject_reasons,
        Operation::FindInvalid,
    )
    .on(view.view.table)
    .bind_keys(keys)
    .fetch_all(connection)
    .await
}

/// Calls [`find_flaws`] with the session settings that documents need, so that its failure affects
/// nothing else.
pub(crate) async fn find_flaws_in(
    connection: &mut PgConnection,
    scope: &mut TransactionScope,
    view: Handle,
    keys: &Keys,
) -> Result<Vec<PgRow>> {
    let errors = ScopeErrors::of(Operation::FindInvalid, view.view.table);
    isolated_in_set_session(connection, scope, view, &errors, async |connection| {
        find_flaws(connection, view, keys).await
    })
    .await
}

/// Replaces `error`, with which building the documents of `keys` failed, by [`Error::Invalid`] with
/// the documents that have flaws. Returns `error` itself if none are found.
pub(crate) async fn explain(
    connection: &mut PgConnection,
    view: Handle,
    keys: &Keys,
    error: Error,
) -> Error {
    let mut scope = TransactionScope::Caller;
    let flaws = match find_flaws_in(connection, &mut scope, view, keys).await {
        Ok(rows) => flaws_in(keys, rows).unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    let mut documents: Vec<InvalidDocument> = flaws
        .into_iter()
        .map(|(key, reason)| document(view, &key, reason))
        .collect();
    if documents.is_empty() && keys.len() <= MAX_SEARCHED {
        let mut known = KnownFields::new();
        for position in 1..=keys.len() {
            let key = keys.at(&[position]);
            let found = failing_field::find(connection, &mut scope, view, &key, &mut known).await;
            let failing = found.unwrap_or_default();
            if !failing.is_empty() {
                documents.push(document(view, &key, reasons(&failing)));
            }
        }
    }
    if documents.is_empty() {
        return error;
    }
    Error::Invalid { documents }
}

/// Replaces `error`, with which building all documents failed, by [`Error::Invalid`] with the first
/// documents that have flaws. Returns `error` itself if none are found.
pub(crate) async fn explain_all(
    connection: &mut PgConnection,
    view: Handle,
    error: Error,
) -> Error {
    let mut scope = TransactionScope::Own;
    let mut after = view.no_keys();
    loop {
        let keys = next_keys(connection, &mut scope, view, &after, MAX_BATCH).await;
        // Without its keys, the error is reported as it is.
        let keys = keys.unwrap_or_else(|_| view.no_keys());
        if keys.is_empty() {
            return error;
        }
        after = keys.last();
        let flaws = match find_flaws_in(connection, &mut scope, view, &keys).await {
            Ok(rows) => flaws_in(&keys, rows).unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        if !flaws.is_empty() {
            let documents = flaws.into_iter();
            return Error::Invalid {
                documents: documents
                    .map(|(key, reason)| document(view, &key, reason))
                    .collect(),
            };
        }
    }
}

fn document(view: Handle, key: &Keys, reason: String) -> InvalidDocument {
    InvalidDocument {
        view: view.view.table,
        key: key.to_string(),
        reason,
    }
}

/// The message of the database alone, without the operation.
fn message(error: &Error) -> String {
    let Error::Database { source, .. } = error else {
        return error.to_string();
    };
    match source.as_database_error() {
        Some(error) => error.message().to_owned(),
        None => source.to_string(),
    }
}

/// The documents of `keys` that have flaws, each with a description of them. `None` if the
/// statement itself fails because an expression fails for one of the documents.
async fn describe_flaws<W: BatchWork>(
    work: &mut W,
    view: Handle,
    keys: &Keys,
) -> Result<Option<Vec<(Keys, String)>>> {
    let rows = match work.find_flaws(keys).await {
        Err(error) if error.is_about_values() => return Ok(None),
        rows => rows?,
    };
    flaws_in(keys, rows)
        .map(Some)
        .map_err(Error::on_table(Operation::FindInvalid, view.view.table))
}

/// The documents that have flaws, each with a description of at most [`MAX_FLAWS`] of them.
fn flaws_in(keys: &Keys, rows: Vec<PgRow>) -> sqlx::Result<Vec<(Keys, String)>> {
    let mut documents = Vec::new();
    for row in rows {
        let key = keys.read(&row, 0)?;
        let Json(flaws): Json<Value> = row.try_get(1)?;
        let mut reasons = Vec::new();
        collect_flaws(&flaws, &mut String::new(), &mut reasons);
        if !reasons.is_empty() {
            documents.push((key, join(reasons)));
        }
    }
    Ok(documents)
}

/// Collects every text in `value` with its path: `comments[3].author.name: is null`.
///
/// The statement for flaws builds the document with a text in place of each value that has a flaw,
/// and null in place of the others. The text of a missing row is under the field's key with `?`
/// appended.
fn collect_flaws(value: &Value, path: &mut String, reasons: &mut Vec<String>) {
    let length = path.len();
    match value {
        Value::String(reason) => {
            let path = path.trim_end_matches('?');
            reasons.push(format!("{path}: {reason}"));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                collect_flaws(item, path, reasons);
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                collect_flaws(field, path, reasons);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flaw_has_its_path_in_the_document() {
        let flaws = json!({
            "title": null,
            "author?": "is missing",
            "score": "NaN cannot be represented",
            "comments": [null, {"at": null, "author": {"name": "is null"}}],
        });
        let mut reasons = Vec::new();
        collect_flaws(&flaws, &mut String::new(), &mut reasons);
        reasons.sort_unstable();
        assert_eq!(
            reasons,
            [
                "author: is missing",
                "comments[1].author.name: is null",
                "score: NaN cannot be represented",
            ]
        );
    }
}
