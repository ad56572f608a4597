//! Finds the documents that depend on captured changes.

use serde_json::Value;
use sqlx::Row as _;
use sqlx::types::Json;

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::mutation::dependents::find::MatchedPath;
use crate::mutation::flush::affected::AffectedDocuments;
use crate::mutation::transaction::Mutation;
use crate::schema::key::Keys;
use crate::sql::function::model::ModelFunctions;
use crate::sql::part::PartSql;

/// The changes of the transaction, which are left where they are.
pub(super) async fn own(
    mutation: &mut Mutation,
    functions: &ModelFunctions,
) -> Result<Option<Value>> {
    let changes: Option<Json<Value>> =
        Statement::composed(functions.read_own.as_str(), Operation::Flush)
            .fetch_one(&mut mutation.connection, |row| row.try_get(0))
            .await?;
    Ok(changes.map(|Json(changes)| changes))
}

/// Adds the documents that depend on changes.
pub(super) async fn find(
    mutation: &mut Mutation,
    functions: &ModelFunctions,
    changes: &Value,
    affected: &mut AffectedDocuments,
) -> Result<()> {
    let limit = mutation.limits.documents;
    let index = &mutation.context.index;
    let found: Vec<(i32, Vec<String>)> =
        Statement::composed(functions.find.as_str(), Operation::Flush)
            .bind(Json(changes))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX - 1))
            .fetch_each(&mut mutation.connection, |row| {
                Ok((row.try_get(0)?, row.try_get(1)?))
            })
            .await?;
    let paths: Vec<_> = index.all_paths().collect();
    for (position, texts) in found {
        let path = usize::try_from(position)
            .ok()
            .and_then(|position| paths.get(position));
        let Some((table, path)) = path else { continue };
        let Some(mut keys) = path.view.no_keys().parse(&texts) else {
            continue;
        };
        let truncated = keys.truncate(limit);
        let changed = &changes[table.to_string()][path.first_columns().name_in_changes()];
        let part = path.part_by_key(*table);
        let rows = part.and_then(|part| changed_rows(part, changed));
        let matched = MatchedPath {
            view: path.view,
            text: path.text.clone(),
            depth: path.depth,
            keys: keys.sorted(),
            truncated,
            part: part.filter(|_| rows.is_some()),
        };
        affected.add_current(vec![matched], &rows.unwrap_or_else(|| path.view.no_keys()));
    }
    Ok(())
}

/// The keys of changed rows that a part is made of.
fn changed_rows(part: &PartSql, changed: &Value) -> Option<Keys> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    };
    let texts: Vec<String> = changed.as_array()?.iter().filter_map(text).collect();
    Keys::of_type(part.key.sql_type())?
        .parse(&texts)
        .map(Keys::sorted)
}
