//! Reads the documents of given keys, in the order of the keys.

use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::db::scope::TransactionScope;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::read::error::read_failed;
use crate::read::stale::{self, is_stale, ordinal};
use crate::schema::key::{Key, Keys};
use crate::sync::telemetry;
use crate::view::Handle;

/// A read of documents by key.
#[derive(Debug)]
pub struct KeyRead {
    pub(super) view: Handle,
    keys: Keys,
    sql: &'static str,
}

impl KeyRead {
    /// Reads one document.
    pub(super) fn one<K: Key>(view: Handle, key: &K) -> Self {
        Self {
            view,
            keys: K::collect(std::iter::once(key)),
            sql: &view.statements().read.find,
        }
    }

    /// Reads documents, each as often as its key is in the list.
    pub(super) fn many<K: Key>(view: Handle, keys: &[K]) -> Self {
        Self {
            view,
            keys: K::collect(keys.iter()),
            sql: &view.statements().read.find_many,
        }
    }
}

/// Reads documents: one statement, and a second one if some of them are stale.
///
/// Each row has the document and the ordinal of its key; keys without a document have no row.
pub(super) async fn rows(
    connection: &mut PgConnection,
    read: &KeyRead,
    scope: TransactionScope,
) -> Result<Vec<PgRow>> {
    let found = Statement::new(read.sql, Operation::Read)
        .on(read.view.view.table)
        .bind_keys(&read.keys)
        .fetch_all(&mut *connection)
        .await?;
    let mut rows = Vec::with_capacity(found.len());
    let mut stale_ordinals = Vec::new();
    for row in found {
        if is_stale(&row).map_err(read_failed(read.view))? {
            stale_ordinals.push(ordinal(&row).map_err(read_failed(read.view))?);
        } else {
            rows.push(row);
        }
    }
    if stale_ordinals.is_empty() {
        return Ok(rows);
    }
    telemetry::built_to_read(read.view, stale_ordinals.len());
    let keys = read.keys.at(&stale_ordinals);
    let ordinals: Vec<i64> = stale_ordinals
        .iter()
        .filter_map(|ordinal| i64::try_from(*ordinal).ok())
        .collect();
    let built = stale::build(connection, read.view, &keys, &ordinals, scope, None).await?;
    // Both lists are ordered by ordinal; together they have to be sorted.
    let mut rows: Vec<(usize, PgRow)> = rows
        .into_iter()
        .chain(built)
        .map(|row| Ok((ordinal(&row)?, row)))
        .collect::<sqlx::Result<_>>()
        .map_err(read_failed(read.view))?;
    rows.sort_by_key(|(ordinal, _)| *ordinal);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}
