//! `find`, `find_json` and `find_many` for a view without its type.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;

use crate::error::Result;
use crate::read::by_key::KeyRead;
use crate::read::document::Document;
use crate::read::error::{not_deserialized, read_failed};
use crate::read::hidden::with_hidden;
use crate::read::scope::Scope;
use crate::read::stale::ordinal;
use crate::read::target::ReadTarget;
use crate::schema::key::Key;
use crate::view::Handle;

/// [`TView::find_json`](crate::TView::find_json).
pub(super) async fn find_json<K: Key>(
    target: impl ReadTarget,
    view: Handle,
    scope: Scope,
    key: K,
) -> Result<Option<Box<RawValue>>> {
    let view = target.view(view);
    let rows = target.read(KeyRead::one(view, &scope, &key)).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let data: Json<Box<RawValue>> = row.try_get(0).map_err(read_failed(view))?;
    Ok(Some(data.0))
}

/// [`TView::find`](crate::TView::find).
pub(crate) async fn find<T: DeserializeOwned, K: Key>(
    target: impl ReadTarget,
    view: Handle,
    scope: Scope,
    key: K,
) -> Result<Option<T>> {
    let view = target.view(view);
    let rows = target.read(KeyRead::one(view, &scope, &key)).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    parse(view, row, || K::collect([&key].into_iter()).to_string()).map(Some)
}

/// The document of a row as a struct. `key` is for the error.
fn parse<T: DeserializeOwned>(
    view: Handle,
    row: &PgRow,
    key: impl FnOnce() -> String,
) -> Result<T> {
    let data: Json<&RawValue> = row.try_get(0).map_err(read_failed(view))?;
    let json = with_hidden(view, row, data.0.get().as_bytes()).map_err(read_failed(view))?;
    serde_json::from_slice(&json).map_err(|error| not_deserialized(view, key(), error))
}

/// [`TView::find_many`](crate::TView::find_many).
pub(super) async fn find_many<T: DeserializeOwned, K: Key>(
    target: impl ReadTarget,
    view: Handle,
    scope: Scope,
    keys: &[K],
) -> Result<Vec<T>> {
    let view = target.view(view);
    let rows = target.read(KeyRead::many(view, &scope, keys)).await?;
    rows.iter()
        .map(|row| {
            parse(view, row, || {
                let ordinal = ordinal(row).ok();
                let key = ordinal.and_then(|ordinal| keys.get(ordinal.checked_sub(1)?));
                K::collect(key.into_iter()).to_string()
            })
        })
        .collect()
}

/// The documents of these keys as they were received, in the order of the keys.
pub async fn documents<K: Key>(
    target: impl ReadTarget,
    view: Handle,
    scope: Scope,
    keys: &[K],
) -> Result<Vec<Document>> {
    let view = target.view(view);
    let read = match keys {
        [key] => KeyRead::one(view, &scope, key),
        keys => KeyRead::many(view, &scope, keys),
    };
    let rows = target.read(read).await?;
    Ok(rows.into_iter().map(Document::new).collect())
}
