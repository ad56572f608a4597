//! Reading documents: [`target`] says where that can run, [`readers`] lends connections, `stored`
//! reads what is stored, and builds what is stored in another shape than the view's; `listed` does
//! so with lists.

pub(crate) mod document;
pub mod list;
pub(crate) mod listed;
pub(crate) mod readers;
pub mod select;
mod stored;
pub(crate) mod target;
pub mod typed;

pub use self::document::Document;
pub use self::readers::Readers;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sqlx::Row;
use sqlx::types::Json;

use self::target::Read;
pub use self::target::ReadTarget;
use crate::error::{Error, Operation, Result};
use crate::schema::key::Key;
use crate::view::Handle;

pub(crate) async fn find_json<K: Key>(
    target: impl ReadTarget,
    handle: Handle,
    key: K,
) -> Result<Option<Box<RawValue>>> {
    let rows = target.read(Read::one(handle, &key)).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let data: Json<Box<RawValue>> = row.try_get(0).map_err(reading(handle))?;
    Ok(Some(data.0))
}

pub(crate) async fn find<T: DeserializeOwned, K: Key>(
    target: impl ReadTarget,
    handle: Handle,
    key: K,
) -> Result<Option<T>> {
    let name = K::collect([&key].into_iter()).to_string();
    find_json(target, handle, key)
        .await?
        .map(|json| parse(handle, name, &json))
        .transpose()
}

pub(crate) async fn find_many<T: DeserializeOwned, K: Key>(
    target: impl ReadTarget,
    handle: Handle,
    keys: &[K],
) -> Result<Vec<T>> {
    let rows = target.read(Read::many(handle, keys)).await?;
    rows.iter()
        .map(|row| {
            let data: Json<&RawValue> = row.try_get(0).map_err(reading(handle))?;
            serde_json::from_str(data.0.get()).map_err(|error| {
                let place = stored::place(row).ok();
                let key = place.and_then(|place| keys.get(place.checked_sub(1)?));
                unfit(handle, K::collect(key.into_iter()).to_string(), error)
            })
        })
        .collect()
}

/// The documents of these keys as they were read, in the order of the keys.
pub async fn documents<K: Key>(
    target: impl ReadTarget,
    handle: Handle,
    keys: &[K],
) -> Result<Vec<document::Document>> {
    let read = match keys {
        [key] => Read::one(handle, key),
        keys => Read::many(handle, keys),
    };
    let rows = target.read(read).await?;
    Ok(rows.into_iter().map(document::Document::new).collect())
}

pub(crate) fn reading(handle: Handle) -> impl FnOnce(sqlx::Error) -> Error {
    Error::on_table(Operation::Read, handle.view.table)
}

fn parse<T: DeserializeOwned>(handle: Handle, key: String, json: &RawValue) -> Result<T> {
    serde_json::from_str(json.get()).map_err(|error| unfit(handle, key, error))
}

fn unfit(handle: Handle, key: String, source: serde_json::Error) -> Error {
    Error::Document {
        view: handle.view.table.to_string(),
        key,
        source,
    }
}
