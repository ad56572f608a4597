//! The advisory locks under which one instance at a time changes the database.

use sqlx::PgConnection;

use crate::db::statement::Statement;
use crate::error::{Operation, Result};

/// Of a whole migration: "fraiseql".
pub(super) const MIGRATION: i64 = i64::from_be_bytes(*b"fraiseql");
/// Of building a materialized view: "matviews".
pub(super) const MATVIEW: i64 = i64::from_be_bytes(*b"matviews");

const LOCK: &str = "SELECT pg_catalog.pg_advisory_xact_lock($1)";

/// Waits for a lock, which ends with the transaction.
pub(super) async fn acquire(connection: &mut PgConnection, key: i64) -> Result<()> {
    Statement::new(LOCK, Operation::Migrate)
        .bind(key)
        .execute(connection)
        .await?;
    Ok(())
}
