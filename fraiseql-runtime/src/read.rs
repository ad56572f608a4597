//! Reading documents.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{PgExecutor, Row};

use crate::error::{Error, Result};
use crate::key::Key;
use crate::view::Handle;

pub(crate) async fn find_json<'e, K: Key>(
    executor: impl PgExecutor<'e>,
    handle: Handle,
    key: K,
) -> Result<Option<Box<RawValue>>> {
    let sql: &'static str = &handle.statements().read.find;
    let keys = K::collect([&key].into_iter());
    let row = keys
        .bind(sqlx::query(sql))
        .fetch_optional(executor)
        .await
        .map_err(reading(handle))?;
    row.map(|row| row.try_get::<Json<Box<RawValue>>, _>(0))
        .transpose()
        .map(|data| data.map(|json| json.0))
        .map_err(reading(handle))
}

pub(crate) async fn find<'e, T: DeserializeOwned, K: Key>(
    executor: impl PgExecutor<'e>,
    handle: Handle,
    key: K,
) -> Result<Option<T>> {
    let name = K::collect([&key].into_iter()).to_string();
    find_json(executor, handle, key)
        .await?
        .map(|json| parse(handle, name, &json))
        .transpose()
}

pub(crate) async fn find_many<'e, T: DeserializeOwned, K: Key>(
    executor: impl PgExecutor<'e>,
    handle: Handle,
    keys: &[K],
) -> Result<Vec<T>> {
    let sql: &'static str = &handle.statements().read.find_many;
    let rows = K::collect(keys.iter())
        .bind(sqlx::query(sql))
        .fetch_all(executor)
        .await
        .map_err(reading(handle))?;
    rows.iter()
        .map(|row| {
            let data: Json<&RawValue> = row.try_get(0).map_err(reading(handle))?;
            let key: String = row.try_get(1).map_err(reading(handle))?;
            parse(handle, key, data.0)
        })
        .collect()
}

fn reading(handle: Handle) -> impl FnOnce(sqlx::Error) -> Error {
    Error::database(format!("reading {}", handle.view.table))
}

fn parse<T: DeserializeOwned>(handle: Handle, key: String, json: &RawValue) -> Result<T> {
    serde_json::from_str(json.get()).map_err(|source| Error::Document {
        view: handle.view.table.to_string(),
        key,
        source,
    })
}
