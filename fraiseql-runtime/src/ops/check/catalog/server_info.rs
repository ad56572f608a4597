//! Properties of the server, and of the role that checks.

use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::sql::catalog as sql;

/// Properties of the server, the database and the role.
#[derive(Clone, Debug)]
pub(crate) struct ServerInfo {
    /// As `server_version_num`: 150004.
    pub(crate) version_number: i32,
    pub(crate) version: String,
    pub(crate) encoding: String,
    /// The default isolation level of transactions.
    pub(crate) isolation: String,
    /// Whether transactions are read-only by default.
    pub(crate) read_only: bool,
    pub(crate) standby: bool,
    /// Whether values can be compressed with lz4.
    pub(crate) lz4: bool,
    pub(crate) role: String,
    pub(crate) database: String,
}

pub(crate) async fn read_server_info(connection: &mut PgConnection) -> Result<ServerInfo> {
    Statement::new(sql::SERVER, Operation::Check)
        .uncached()
        .fetch_one(connection, |row| {
            Ok(ServerInfo {
                version_number: row.try_get("version_number")?,
                version: row.try_get("version")?,
                encoding: row.try_get("encoding")?,
                isolation: row.try_get("isolation")?,
                read_only: row.try_get("read_only")?,
                standby: row.try_get("standby")?,
                lz4: row.try_get("lz4")?,
                role: row.try_get("role")?,
                database: row.try_get("database")?,
            })
        })
        .await
}
