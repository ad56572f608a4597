//! Stale documents: recognized in the rows of a read, and built from the base tables instead.
//!
//! While two releases of an application run side by side, each finds documents that the other
//! wrote. It reads them as its own sync would write them.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row, ValueRef};

use crate::db::byte_limit::ByteLimit;
use crate::db::scope::{BEGIN_READ_ONLY, ScopeErrors, TransactionScope, isolated};
use crate::db::session;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::schema::key::Keys;
use crate::sync::invalid;
use crate::view::Handle;

/// Columns of the result of each statement of [`ReadSql`](crate::sql::read::ReadSql).
const DATA: usize = 0;
const ORDINAL: usize = 1;

/// Whether the document of a row is stale. The statement returns null for it; the column `data`
/// itself is never null.
pub(super) fn is_stale(row: &PgRow) -> sqlx::Result<bool> {
    Ok(row.try_get_raw(DATA)?.is_null())
}

/// The position of a row's key in the list of keys, from 1. The statement for a single key does
/// not return it.
pub(super) fn ordinal(row: &PgRow) -> sqlx::Result<usize> {
    if row.len() <= ORDINAL {
        return Ok(1);
    }
    let ordinal: i64 = row.try_get(ORDINAL)?;
    Ok(usize::try_from(ordinal).unwrap_or(0))
}

/// Documents to build.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'k> {
    pub(super) view: Handle,
    pub(super) keys: &'k Keys,
    /// The positions of the keys, from 1.
    pub(super) ordinals: &'k [i64],
    /// The tenant that the rows must belong to: by now a row may be another tenant's.
    pub(super) tenant: Option<&'k Keys>,
}

/// Builds documents without storing them, in the order of the ordinals. A key without a row in the
/// base table yields no document.
pub(super) async fn build(
    connection: &mut PgConnection,
    wanted: Wanted<'_>,
    mut scope: TransactionScope,
    limit: Option<&dyn ByteLimit>,
) -> Result<Vec<PgRow>> {
    let Wanted { view, keys, .. } = wanted;
    // SET LOCAL only has an effect inside a transaction, and ends with it: nothing of it stays on a
    // connection that returns to the pool.
    let begin = view
        .statements()
        .sync
        .needs
        .any()
        .then_some(BEGIN_READ_ONLY);
    let errors = ScopeErrors::of(Operation::Read, view.view.relation());
    // Rolling back to the savepoint restores the caller's settings, and keeps the caller's
    // transaction usable after an error.
    let result = isolated(connection, &mut scope, begin, &errors, async |connection| {
        set_and_build(connection, wanted, limit).await
    })
    .await;
    match result {
        // PostgreSQL names neither the document nor the field. `explain` looks for them, now that
        // the failed statement has been rolled back.
        Err(error) if error.is_about_values() => {
            Err(invalid::explain(connection, view, keys, error).await)
        }
        result => result,
    }
}

/// Sets what the statement needs of the session, if it needs anything, and builds.
async fn set_and_build(
    connection: &mut PgConnection,
    wanted: Wanted<'_>,
    limit: Option<&dyn ByteLimit>,
) -> Result<Vec<PgRow>> {
    let Wanted {
        view,
        keys,
        ordinals,
        tenant,
    } = wanted;
    session::set_local(connection, view).await?;
    let sql = view.statements().read.scoped(tenant.is_some());
    Statement::new(&sql.build, Operation::Build)
        .on(view.view.relation())
        .bind_keys(keys)
        .bind(ordinals)
        .bind_tenant(tenant)
        .fetch_within(connection, limit)
        .await
}
