//! Creation of databases on a server.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use crate::error::Result;
use crate::server::Server;

/// Prefix of generated names, by which abandoned databases are recognized.
const PREFIX: &str = "dev_postgres_";
/// Age in seconds at which a database counts as abandoned: longer than any test runs.
const ABANDONED_AFTER: u64 = 6 * 60 * 60;

impl Server {
    /// Creates an empty database, and returns options to connect to it.
    ///
    /// Databases that this function created more than six hours ago are dropped. This matters on
    /// a server of `DATABASE_URL`, where earlier runs leave them.
    ///
    /// # Errors
    /// If the server cannot be reached, or the account may not create databases.
    pub async fn create_database(&self) -> Result<PgConnectOptions> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let name = format!(
            "{PREFIX}{now}_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        self.create_named(&name).await?;
        Ok(self.options().clone().database(&name))
    }

    /// Drops the database `name` if it exists, and creates it again.
    ///
    /// # Errors
    /// As [`Server::create_database`], and if other sessions are connected to it.
    pub async fn recreate_database(&self, name: &str) -> Result<PgConnectOptions> {
        let mut connection = self.options().connect().await?;
        let quoted = name.replace('"', "\"\"");
        connection
            .execute(AssertSqlSafe(format!(
                "DROP DATABASE IF EXISTS \"{quoted}\""
            )))
            .await?;
        connection.close().await?;
        self.create_named(name).await?;
        Ok(self.options().clone().database(name))
    }

    /// Creates the database `name` unless it exists.
    ///
    /// # Errors
    /// As [`Server::create_database`].
    pub async fn ensure_database(&self, name: &str) -> Result<PgConnectOptions> {
        let mut connection = self.options().connect().await?;
        let exists: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)",
        )
        .bind(name)
        .fetch_one(&mut connection)
        .await?;
        connection.close().await?;
        if !exists {
            self.create_named(name).await?;
        }
        Ok(self.options().clone().database(name))
    }

    async fn create_named(&self, name: &str) -> Result<()> {
        let mut connection = self.options().connect().await?;
        let quoted = name.replace('"', "\"\"");
        // CREATE DATABASE fails while a session is connected to the template. template0 accepts
        // no connections.
        connection
            .execute(AssertSqlSafe(format!(
                "CREATE DATABASE \"{quoted}\" TEMPLATE template0"
            )))
            .await?;
        self.drop_abandoned(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    async fn drop_abandoned(&self, connection: &mut sqlx::PgConnection) -> Result<()> {
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT datname FROM pg_catalog.pg_database
             WHERE datname ~ '^dev_postgres_[0-9]{1,15}_'
               AND split_part(datname, '_', 3)::bigint < extract(epoch FROM now()) - $1",
        )
        .bind(i64::try_from(ABANDONED_AFTER).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await?;
        for name in names {
            // It fails if another process has dropped the database, or still uses it.
            let _ = connection
                .execute(AssertSqlSafe(format!("DROP DATABASE \"{name}\"")))
                .await;
        }
        Ok(())
    }
}
