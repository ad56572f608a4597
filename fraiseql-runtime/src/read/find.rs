//! `find`, `find_json` and `find_many` for a view without its type.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sqlx::Row;
use sqlx::types::Json;

use crate::error::Result;
use crate::read::by_key::KeyRead;
use crate::read::document::Document;
use crate::read::error::{not_deserialized, read_failed};
use crate::read::stale::ordinal;
use crate::read::target::ReadTarget;
use crate::schema::key::Key;
use crate::view::Handle;

/// [`TView::find_json`](crate::TView::find_json).
pub(super) async fn find_json<K: Key>(
    target: impl ReadTarget,
    view: Handle,
    key: K,
) -> Result<Option<Box<RawValue>>> {
    let rows = target.read(KeyRead::one(view, &key)).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let data: Json<Box<RawValue>> = row.try_get(0).map_err(read_failed(view))?;
    Ok(Some(data.0))
}

/// [`TView::find`](crate::TView::find).
pub(super) async fn find<T: DeserializeOwned, K: Key>(
    target: impl ReadTarget,
    view: Handle,
    key: K,
) -> Result<Option<T>> {
    let key_text = K::collect([&key].into_iter()).to_string();
    let Some(json) = find_json(target, view, key).await? else {
        return Ok(None);
    };
    serde_json::from_str(json.get())
        .map(Some)
        .map_err(|error| not_deserialized(view, key_text, error))
}

/// [`TView::find_many`](crate::TView::find_many).
pub(super) async fn find_many<T: DeserializeOwned, K: Key>(
    target: impl ReadTarget,
    view: Handle,
    keys: &[K],
) -> Result<Vec<T>> {
    let rows = target.read(KeyRead::many(view, keys)).await?;
    rows.iter()
        .map(|row| {
            let data: Json<&RawValue> = row.try_get(0).map_err(read_failed(view))?;
            serde_json::from_str(data.0.get()).map_err(|error| {
                let ordinal = ordinal(row).ok();
                let key = ordinal.and_then(|ordinal| keys.get(ordinal.checked_sub(1)?));
                not_deserialized(view, K::collect(key.into_iter()).to_string(), error)
            })
        })
        .collect()
}

/// The documents of these keys as they were received, in the order of the keys.
pub async fn documents<K: Key>(
    target: impl ReadTarget,
    view: Handle,
    keys: &[K],
) -> Result<Vec<Document>> {
    let read = match keys {
        [key] => KeyRead::one(view, key),
        keys => KeyRead::many(view, keys),
    };
    let rows = target.read(read).await?;
    Ok(rows.into_iter().map(Document::new).collect())
}
