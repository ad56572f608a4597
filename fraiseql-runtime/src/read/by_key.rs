//! Reads the documents of given keys, in the order of the keys.

use std::sync::Arc;

use sqlx::postgres::PgRow;
use sqlx::{Column as _, PgConnection, Row as _};

use crate::db::byte_limit::ByteLimit;
use crate::db::scope::TransactionScope;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::read::error::read_failed;
use crate::read::scope::Scope;
use crate::read::stale::{self, Wanted, is_stale, ordinal};
use crate::schema::Storage;
use crate::schema::key::{Key, Keys};
use crate::sql::read::ReadSql;
use crate::sync::{invalid, telemetry};
use crate::view::Handle;

/// A read of documents by key.
#[derive(Clone, Debug)]
pub struct KeyRead {
    pub(super) view: Handle,
    pub(super) keys: Keys,
    pub(super) sql: &'static str,
    /// The tenant, if the statement compares it: see [`Scope::tenant`].
    pub(super) tenant: Option<Keys>,
    /// The versions that the caller has, if the statement compares them.
    held: Option<Vec<String>>,
    pub(super) max_bytes: Option<Arc<dyn ByteLimit>>,
}

impl KeyRead {
    /// Reads one document.
    pub(super) fn one<K: Key>(view: Handle, scope: &Scope, key: &K) -> Self {
        let keys = K::collect(std::iter::once(key));
        Self::new(view, scope, keys, |sql| &sql.find)
    }

    /// Reads documents, each as often as its key is in the list.
    pub(super) fn many<K: Key>(view: Handle, scope: &Scope, keys: &[K]) -> Self {
        Self::new(view, scope, K::collect(keys.iter()), |sql| &sql.find_many)
    }

    /// Reads one document, unless the caller has it in one of these versions: then its row has none. With
    /// live storage and in materialized views, documents have no version.
    pub(super) fn one_unless<K: Key>(
        view: Handle,
        scope: &Scope,
        key: &K,
        held: Vec<String>,
    ) -> Self {
        let keys = K::collect(std::iter::once(key));
        let mut read = Self::new(view, scope, keys, |sql| {
            sql.find_unless.as_ref().unwrap_or(&sql.find)
        });
        read.held = (view.view.storage == Storage::Table).then_some(held);
        read
    }

    /// Reads one document, of a list of one key, as long as it is within a limit.
    pub(super) fn one_within(
        view: Handle,
        scope: &Scope,
        key: Keys,
        max_bytes: Option<Arc<dyn ByteLimit>>,
    ) -> Self {
        let mut read = Self::new(view, scope, key, |sql| &sql.find);
        read.max_bytes = max_bytes;
        read
    }

    /// Reads documents as [`many`](Self::many) does, as long as they are within a limit.
    pub(super) fn within(
        view: Handle,
        scope: &Scope,
        keys: Keys,
        max_bytes: Option<Arc<dyn ByteLimit>>,
    ) -> Self {
        let mut read = Self::new(view, scope, keys, |sql| &sql.find_many);
        read.max_bytes = max_bytes;
        read
    }

    fn new(
        view: Handle,
        scope: &Scope,
        keys: Keys,
        of: impl FnOnce(&'static ReadSql) -> &'static String,
    ) -> Self {
        let tenant = scope.tenant(view.view);
        Self {
            view,
            keys,
            sql: of(view.statements().read.scoped(tenant.is_some())),
            tenant,
            held: None,
            max_bytes: None,
        }
    }

    /// Whether it can be a part of a read of several documents: whoever reads a list needs the ordinals of its own keys, also
    /// if that has one.
    pub(super) fn is_single(&self) -> bool {
        let sql = self.view.statements().read.scoped(self.tenant.is_some());
        std::ptr::eq(self.sql, sql.find.as_str())
    }

    /// Reads the documents of these keys in place of the one, without its limit.
    pub(super) fn of_others_too(&self, keys: Keys) -> Self {
        let sql = self.view.statements().read.scoped(self.tenant.is_some());
        Self {
            view: self.view,
            keys,
            sql: &sql.find_many,
            tenant: self.tenant.clone(),
            held: None,
            max_bytes: None,
        }
    }

    /// Whether a row without a document says that the caller has it.
    fn is_held(&self, row: &PgRow) -> sqlx::Result<bool> {
        Ok(self.held.is_some() && version(row)?.is_some())
    }
}

/// The version of the document of a row, if the statement returns it and it is current.
pub(super) fn version(row: &PgRow) -> sqlx::Result<Option<&str>> {
    match row.try_column("version") {
        Ok(column) => row.try_get(column.ordinal()),
        Err(_) => Ok(None),
    }
}

/// Reads documents: one statement, and a second one if some of them are stale, or if the session is not
/// suitable for a live view.
///
/// Each row has the document and the ordinal of its key; keys without a document have no row.
pub(super) async fn rows(
    connection: &mut PgConnection,
    read: &KeyRead,
    scope: TransactionScope,
) -> Result<Vec<PgRow>> {
    let is_live = read.view.view.storage == Storage::Live;
    let mut statement = Statement::new(read.sql, Operation::Read)
        .on(read.view.view.relation())
        .bind_keys(&read.keys)
        .bind_tenant(read.tenant.as_ref());
    if let Some(held) = &read.held {
        statement = statement.bind(held.as_slice());
    }
    let limit = read.max_bytes.as_deref();
    let found = statement.fetch_within(&mut *connection, limit).await;
    let found = match found {
        // PostgreSQL names neither the document nor the field. They can be looked for unless the error
        // has ended the caller's transaction.
        Err(error) if is_live && scope == TransactionScope::Own && error.is_about_values() => {
            return Err(invalid::explain(connection, read.view, &read.keys, error).await);
        }
        found => found?,
    };
    let mut rows = Vec::with_capacity(found.len());
    let mut stale_ordinals = Vec::new();
    for row in found {
        let is_read = !is_stale(&row).map_err(read_failed(read.view))?
            || read.is_held(&row).map_err(read_failed(read.view))?;
        if is_read {
            rows.push(row);
        } else if is_live {
            // The session has not what documents need, and none was built.
            stale_ordinals.extend(1..=read.keys.len());
        } else {
            stale_ordinals.push(ordinal(&row).map_err(read_failed(read.view))?);
        }
    }
    if stale_ordinals.is_empty() {
        return Ok(rows);
    }
    if !is_live {
        telemetry::built_to_read(read.view, stale_ordinals.len());
    }
    let keys = read.keys.at(&stale_ordinals);
    let ordinals: Vec<i64> = stale_ordinals
        .iter()
        .filter_map(|ordinal| i64::try_from(*ordinal).ok())
        .collect();
    let wanted = Wanted {
        view: read.view,
        keys: &keys,
        ordinals: &ordinals,
        tenant: read.tenant.as_ref(),
    };
    let built = stale::build(connection, wanted, scope, limit).await?;
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
