//! Tests of keys of several columns: of documents, of parts, of lists, of join tables, of aggregates.

mod actions;
mod expected;
mod global_id;
mod keys;
mod lists;
mod names;
mod ops;
mod random;
mod row_security;
mod storages;
mod tenant;
mod world;

use fraiseql_runtime::{Capture, ReadModel};
use fraiseql_tests::run;
use sqlx::{AssertSqlSafe, PgPool};

use self::expected::assert_right;

async fn synced(capture: Option<Capture>) -> anyhow::Result<(PgPool, ReadModel)> {
    let pool = fraiseql_tests::pool().await;
    run(&pool, world::TABLES).await;
    sqlx::raw_sql(AssertSqlSafe(world::rows()))
        .execute(&pool)
        .await?;
    let mut builder = world::model();
    if let Some(capture) = capture {
        builder = builder.capture(capture);
    }
    let model = builder.build()?;
    model.migrate(&pool).await?;
    model.sync_all(&pool).await?;
    assert_right(&pool, "the first sync").await;
    Ok((pool, model))
}
