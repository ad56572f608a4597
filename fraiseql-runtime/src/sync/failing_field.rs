//! Finds the fields for which the server refuses a document.
//!
//! PostgreSQL names neither the expression that fails nor the value that `jsonb` cannot hold. So the
//! document is built field by field, and where a field has fields of its own, these. That takes some
//! tens of statements for the first such document of a batch; for the others, the fields that were
//! found are tried first.

use sqlx::PgConnection;

use crate::db::scope::{ScopeErrors, TransactionScope, isolated};
use crate::db::session::isolated_in_set_session;
use crate::db::statement::Statement;
use crate::error::{Error, Operation, Result};
use crate::schema::Shape;
use crate::schema::key::Keys;
use crate::sql::document::{self, Extract};
use crate::view::Handle;

/// The fields that failed for other documents of the batch.
pub(super) type KnownFields = Vec<Vec<usize>>;

/// A field that fails: its path in the document, and the error.
pub(super) struct FailingField {
    pub(super) path: String,
    pub(super) error: Error,
}

/// Finds the fields of the one document of `keys` that fail. None, if it is the document as a whole,
/// or its table, that does.
pub(super) async fn find(
    connection: &mut PgConnection,
    scope: &mut TransactionScope,
    view: Handle,
    keys: &Keys,
    known: &mut KnownFields,
) -> Result<Vec<FailingField>> {
    let errors = ScopeErrors::of(Operation::FindInvalid, view.view.table);
    isolated_in_set_session(connection, scope, view, &errors, async |connection| {
        let mut search = Search {
            connection,
            view,
            keys,
        };
        let mut failed = search.filter().await?;
        if failed.is_empty() {
            failed = search.among(known).await?;
        }
        if failed.is_empty() {
            failed = search.all().await?;
        }
        for (field, _) in &failed {
            if !field.is_empty() && !known.contains(field) {
                known.push(field.clone());
            }
        }
        Ok(failed
            .into_iter()
            .map(|(field, error)| FailingField {
                path: path(view.view.shape, &field),
                error,
            })
            .collect())
    })
    .await
}

struct Search<'s> {
    connection: &'s mut PgConnection,
    view: Handle,
    keys: &'s Keys,
}

impl Search<'_> {
    /// The filter of the view, as a field without a path, if it fails. Then every field does.
    async fn filter(&mut self) -> Result<Vec<(Vec<usize>, Error)>> {
        if self.view.view.shape.filter.is_none() {
            return Ok(Vec::new());
        }
        let error = self.fails(&[], false).await?;
        Ok(error.map(|error| (Vec::new(), error)).into_iter().collect())
    }

    /// Those of the known fields that fail.
    async fn among(&mut self, known: &KnownFields) -> Result<Vec<(Vec<usize>, Error)>> {
        let mut failed = Vec::new();
        for field in known {
            if let Some(error) = self.fails(field, true).await? {
                failed.push((field.clone(), error));
            }
        }
        Ok(failed)
    }

    /// All fields that fail. The loop ends because the derives refuse structs that contain
    /// themselves.
    async fn all(&mut self) -> Result<Vec<(Vec<usize>, Error)>> {
        let mut failed = Vec::new();
        let mut pending = vec![(Vec::new(), self.view.view.shape)];
        while let Some((at, shape)) = pending.pop() {
            for (index, field) in shape.fields.iter().enumerate() {
                let mut path = at.clone();
                path.push(index);
                let Some(error) = self.fails(&path, true).await? else {
                    continue;
                };
                match field.source.part() {
                    None => failed.push((path, error)),
                    // Its rows may fail to be found, or what is in them.
                    Some(child) => match self.fails(&path, false).await? {
                        Some(error) => failed.push((path, error)),
                        None => pending.push((path, child)),
                    },
                }
            }
        }
        Ok(failed)
    }

    /// The error with which a field fails.
    async fn fails(&mut self, field: &[usize], whole: bool) -> Result<Option<Error>> {
        let view = self.view;
        let extract = Extract {
            field: field.to_vec(),
            whole,
        };
        let sql = document::extract(view.view, extract, |root| {
            vec![view.view.base_key(root).is_in_parameter(1)]
        });
        let errors = ScopeErrors::of(Operation::FindInvalid, view.view.table);
        let keys = self.keys;
        let built = isolated(
            self.connection,
            &mut TransactionScope::Caller,
            None,
            &errors,
            async |connection| {
                Statement::composed(sql, Operation::FindInvalid)
                    .on(view.view.table)
                    .uncached()
                    .bind_keys(keys)
                    .fetch_all(connection)
                    .await
            },
        )
        .await;
        match built {
            Ok(_) => Ok(None),
            Err(error) if error.is_about_values() => Ok(Some(error)),
            Err(error) => Err(error),
        }
    }
}

/// The path of a field: `comments[].score`.
fn path(shape: &'static Shape, field: &[usize]) -> String {
    if field.is_empty() {
        return "filter".to_owned();
    }
    let mut path = String::new();
    let mut shape = Some(shape);
    for index in field {
        let Some(field) = shape.and_then(|shape| shape.fields.get(*index)) else {
            break;
        };
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(field.json);
        if field.source.is_list_of_parts() {
            path.push_str("[]");
        }
        shape = field.source.part();
    }
    path
}
