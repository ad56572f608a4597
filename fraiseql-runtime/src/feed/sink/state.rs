//! The row of a sink in the database.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgConnection, PgPool, Row as _};

use crate::db::lease::Lease;
use crate::db::snapshot::Snapshot;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::sql::feed::{KEPT, SinkSql, seconds, sink_row};

/// How long a process holds a sink without a step.
pub(super) const HELD: Duration = Duration::from_secs(30);

/// The row of a sink, as the process that holds it has read it.
#[derive(Clone, Debug)]
pub(in crate::feed) struct SinkState {
    /// From where on it reads. `None` before its first pass.
    pub(in crate::feed) position: Option<Snapshot>,
    pub(in crate::feed) server: Option<String>,
    /// How far a pass over all documents is, and since which version.
    pub(super) pass: Option<(String, u64)>,
}

/// Access to the row of a sink.
#[derive(Debug)]
pub(super) struct SinkRow<'a> {
    pub(super) pool: &'a PgPool,
    pub(super) sql: &'a SinkSql,
    pub(super) name: String,
    /// The name of this process.
    pub(super) holder: String,
}

/// Whether a step has changed the row: nobody else holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Yes,
    No,
}

impl SinkRow<'_> {
    /// Takes the row or prolongs the time. `None` if another process holds it.
    pub(super) async fn hold(&self) -> Result<Option<SinkState>> {
        self.with(async |connection| {
            self.statement(&self.sql.hold)
                .bind(seconds(HELD))
                .fetch_optional(connection, |row| {
                    let position: Option<String> = row.try_get(sink_row::POSITION)?;
                    let pass: Option<String> = row.try_get(sink_row::PASS)?;
                    let version: Option<i64> = row.try_get(sink_row::PASS_VERSION)?;
                    Ok(SinkState {
                        position: position.and_then(|text| Snapshot::parse(&text)),
                        server: row.try_get(sink_row::SERVER)?,
                        pass: pass.zip(version.map(i64::unsigned_abs)),
                    })
                })
                .await
        })
        .await
    }

    /// A new version. `None` if another process holds the row.
    pub(super) async fn version(&self) -> Result<Option<u64>> {
        self.with(async |connection| {
            self.statement(&self.sql.version)
                .fetch_optional(connection, |row| row.try_get::<i64, _>(0))
                .await
        })
        .await
        .map(|version| version.map(i64::unsigned_abs))
    }

    /// Deletes changes that are old, and that no sink needs.
    pub(super) async fn prune(&self, sql: &str) -> Result<()> {
        self.with(async |connection| {
            let statement = Statement::composed(Arc::<str>::from(sql), Operation::Changes);
            statement.bind(seconds(KEPT)).execute(connection).await
        })
        .await?;
        Ok(())
    }

    /// A step without a result.
    pub(super) async fn step(&self, sql: &str, values: &[&str]) -> Result<Held> {
        let changed = self
            .with(async |connection| {
                let statement = self.statement(sql);
                let bind = |statement: Statement<'static>, value: &&str| {
                    statement.bind((*value).to_owned())
                };
                values
                    .iter()
                    .fold(statement, bind)
                    .execute(connection)
                    .await
            })
            .await?;
        Ok(if changed > 0 { Held::Yes } else { Held::No })
    }

    fn statement(&self, sql: &str) -> Statement<'static> {
        Statement::composed(Arc::<str>::from(sql), Operation::Changes)
            .bind(self.name.clone())
            .bind(self.holder.clone())
    }

    async fn with<T>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
        let mut connection = Lease::acquire(self.pool, "keep the row of a sink").await?;
        let done = work(&mut connection).await;
        connection.release();
        done
    }
}
