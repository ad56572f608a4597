//! What all requests share: the connections, and the read model. Each process opens it at its start.

use std::time::Duration;

use anyhow::{Context, Result};
use fraiseql_runtime::ReadModel;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::views;

/// The migrations of the base tables.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// State that all requests share. A clone is another handle to it.
#[derive(Clone, Debug)]
pub struct App {
    /// Connections to the database.
    pub pool: PgPool,
    /// The read model.
    pub model: ReadModel,
}

impl App {
    /// Connects, and migrates base tables and view tables. Processes that start at the same time wait for each other.
    pub async fn open(database: PgConnectOptions) -> Result<Self> {
        let pool = PgPoolOptions::new().acquire_timeout(Duration::from_secs(5));
        let pool = pool.connect_with(database).await;
        let pool = pool.context("cannot connect to the database")?;
        MIGRATIONS.run(&pool).await?;
        let model = views::read_model().build()?;
        let migration = model.migrate(&pool).await?;
        model.check(&pool).await?.into_result()?;
        if migration.needs_rebuild() {
            tracing::info!("{}", model.rebuild(&pool).await?);
        }
        Ok(Self { pool, model })
    }
}
