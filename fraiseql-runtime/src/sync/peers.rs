//! The database sessions that work on one full sync together.

use std::sync::{Arc, Mutex};

use sqlx::{PgConnection, Row as _};

use crate::db::mutex::lock;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};

/// Backend process ids of the connections that divide the keys of one full sync among them.
///
/// A guarded statement that skips an equal document usually has to find out whether another
/// transaction is about to replace it. Peers never write the same document, so a peer that is
/// writing does not count.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeerBackends(Arc<Mutex<Vec<i32>>>);

impl PeerBackends {
    /// The process ids so far.
    pub(super) fn all(&self) -> Vec<i32> {
        lock(&self.0).clone()
    }

    /// Adds the backend of `connection`.
    pub(super) async fn join(&self, connection: &mut PgConnection) -> Result<()> {
        let backend = Statement::new("SELECT pg_catalog.pg_backend_pid()", Operation::ReadBackend)
            .fetch_one(connection, |row| row.try_get(0))
            .await?;
        lock(&self.0).push(backend);
        Ok(())
    }
}
