//! Tests that documents do not depend on the settings of the session that syncs them.

use fraiseql_runtime::TView;
use fraiseql_tests::world::ODD_SESSION;
use fraiseql_tests::{run, world};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};

#[derive(TView)]
#[tview(table = "readings")]
#[allow(dead_code)]
struct Reading {
    id: i32,
    at: chrono::DateTime<chrono::Utc>,
    day: chrono::NaiveDate,
    local: chrono::NaiveDateTime,
    value: f64,
    small: f32,
}

const TABLES: &str = "
CREATE TABLE readings (id int4 PRIMARY KEY, at timestamptz NOT NULL, day date NOT NULL,
    local timestamp NOT NULL, value float8 NOT NULL, small float4 NOT NULL);
INSERT INTO readings VALUES (1, '2026-07-01 12:00:00.123456+00', '2026-07-02', '2026-07-03 04:05:06',
    0.30000000000000004, 0.1)";

async fn readings() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let model = world::model::<Reading>();
    model.migrate(&pool).await.unwrap();
    pool
}

fn expected() -> Value {
    json!({
        "id": 1,
        "at": "2026-07-01T12:00:00.123456+00:00",
        "day": "2026-07-02",
        "local": "2026-07-03T04:05:06",
        "value": 0.300_000_000_000_000_04,
        "small": 0.1,
    })
}

async fn stored(pool: &PgPool) -> Option<Value> {
    sqlx::query_scalar("SELECT data FROM public.tv_reading")
        .fetch_optional(pool)
        .await
        .unwrap()
}

async fn settings(connection: &mut sqlx::PgConnection) -> Vec<String> {
    let row = sqlx::query(
        "SELECT current_setting('TimeZone'), current_setting('DateStyle'),
                current_setting('extra_float_digits'), current_setting('search_path')",
    )
    .fetch_one(connection)
    .await
    .unwrap();
    (0..4).map(|column| row.get(column)).collect()
}

#[tokio::test]
async fn a_transaction_with_unusual_settings_writes_the_same_documents_and_keeps_them()
-> anyhow::Result<()> {
    let pool = readings().await;
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql(ODD_SESSION)
        .execute(&mut *transaction)
        .await?;
    let before = settings(&mut transaction).await;
    let report = sync_reading(&mut transaction, &[1]).await?;
    assert_eq!(report.inserted, 1);
    assert_eq!(settings(&mut transaction).await, before);
    transaction.commit().await?;
    assert_eq!(stored(&pool).await, Some(expected()));
    Ok(())
}

#[tokio::test]
async fn a_pool_with_unusual_settings_writes_the_same_documents_and_keeps_them()
-> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let pool = readings().await;
    let unusual = sqlx::postgres::PgPoolOptions::new()
        .max_connections(1)
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(ODD_SESSION).execute(connection).await?;
                Ok(())
            })
        })
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let before = settings(&mut *unusual.acquire().await?).await;
    assert_eq!(sync_reading(&unusual, &[1]).await?.inserted, 1);
    assert_eq!(stored(&pool).await, Some(expected()));
    assert_eq!(sync_all_readings(&pool).await?.unchanged, 1);
    assert_eq!(sync_all_readings(&unusual).await?.unchanged, 1);
    assert_eq!(settings(&mut *unusual.acquire().await?).await, before);
    let found = Reading::find(&unusual, 1).await?.expect("synced");
    assert_eq!(
        found.value.to_bits(),
        0.300_000_000_000_000_04_f64.to_bits()
    );
    assert_eq!(found.small.to_bits(), 0.1_f32.to_bits());
    Ok(())
}

#[tokio::test]
async fn a_connection_with_unusual_settings_writes_the_same_documents() -> anyhow::Result<()> {
    fraiseql_tests::needs_sessions();
    let pool = readings().await;
    let mut connection = pool.acquire().await?;
    sqlx::raw_sql(ODD_SESSION).execute(&mut *connection).await?;
    let before = settings(&mut connection).await;
    assert_eq!(sync_reading(&mut connection, &[1]).await?.inserted, 1);
    assert_eq!(settings(&mut connection).await, before);
    assert_eq!(stored(&pool).await, Some(expected()));
    connection.close().await?;
    Ok(())
}
