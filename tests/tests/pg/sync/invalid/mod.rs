//! Tests that documents that cannot be written are reported with key and reason, and that the rest
//! of the batch is written.

mod fields;
mod search;
mod unique;
mod values;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use fraiseql_runtime::{Embed, Error, SyncReport, TView};
use fraiseql_tests::{run, world};
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::PgPool;

#[derive(Debug, TView)]
#[tview(table = "sensor", view = "tv_sensor")]
#[allow(dead_code)]
struct Sensor {
    id: i32,
    #[tview(unique)]
    name: String,
    #[tview(sort)]
    weight: Option<f64>,
    ratio: Option<f32>,
    seen: Option<DateTime<Utc>>,
    local: Option<NaiveDateTime>,
    day: Option<NaiveDate>,
    at: Option<NaiveTime>,
    amount: Option<Decimal>,
    amounts: Option<Vec<Decimal>>,
    tags: Option<Vec<String>>,
    counts: Option<Vec<Option<i32>>>,
    raw: Option<Value>,
    #[tview(one(fk = "room_id"))]
    room: Room,
    #[tview(many(fk = "sensor_id", order_by = "id", limit = 2))]
    readings: Vec<Reading>,
    #[tview(expr = "100 / nullif({}.divisor, 1)")]
    quotient: Option<i32>,
    #[tview(expr = "sqrt({}.area)")]
    side: Option<f64>,
    #[tview(max(table = "reading", fk = "sensor_id", expr = "{}.peak"))]
    peak: Option<f64>,
}

#[derive(Debug, Embed)]
#[tview(table = "room")]
#[allow(dead_code)]
struct Room {
    id: i32,
    title: String,
}

#[derive(Debug, Embed)]
#[tview(table = "reading")]
#[allow(dead_code)]
struct Reading {
    id: i32,
    value: f64,
}

const TABLES: &str = "
CREATE TABLE room (id int4 PRIMARY KEY, title text);
CREATE TABLE sensor (id int4 PRIMARY KEY, name text, weight float8, ratio float4, seen timestamptz,
    local timestamp, day date, at time, amount numeric, amounts numeric[], tags text[], counts int4[],
    raw json, room_id int4, divisor int4 NOT NULL DEFAULT 2, area float8);
CREATE TABLE reading (id int4 PRIMARY KEY, sensor_id int4 NOT NULL REFERENCES sensor, value float8, peak float8);
INSERT INTO room VALUES (1, 'cellar'), (2, NULL);
INSERT INTO sensor (id, name, room_id) SELECT i, 'sensor ' || i, 1 FROM generate_series(1, 60) AS i;";

async fn sensors() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    let model = world::model::<Sensor>();
    model.migrate(&pool).await.unwrap();
    pool
}

fn all() -> Vec<i32> {
    (1..=60).collect()
}

/// Keys and reasons.
fn invalid(report: &SyncReport) -> Vec<(&str, &str)> {
    let mut invalid: Vec<_> = report
        .invalid
        .iter()
        .map(|document| (document.key.as_str(), document.reason.as_str()))
        .collect();
    invalid.sort_unstable();
    invalid
}

async fn documents(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tv_sensor")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_invalid_document_keeps_its_stored_version_and_is_written_once_its_row_is_valid()
-> anyhow::Result<()> {
    let pool = sensors().await;
    sync_all_sensors(&pool).await?;
    run(
        &pool,
        "UPDATE sensor SET day = 'infinity', weight = 3 WHERE id = 9",
    )
    .await;
    let report = sync_all_sensors(&pool).await?;
    assert_eq!((report.invalid.len(), report.unchanged), (1, 59));
    let stored = Sensor::find(&pool, 9).await?.expect("it was stored");
    assert_eq!(stored.weight, None);
    run(&pool, "UPDATE sensor SET day = '2026-01-01' WHERE id = 9").await;
    assert_eq!(sync_all_sensors(&pool).await?.updated, 1);
    Ok(())
}

#[tokio::test]
async fn invalid_documents_of_several_kinds_do_not_affect_the_others() -> anyhow::Result<()> {
    let pool = sensors().await;
    run(
        &pool,
        "UPDATE sensor SET weight = 'NaN' WHERE id % 3 = 0;
         UPDATE sensor SET divisor = 0 WHERE id % 10 = 1",
    )
    .await;
    let report = sync_sensor(&pool, &all()).await?;
    assert_eq!(report.inserted, 36, "{report}");
    assert_eq!(report.invalid.len(), 24);
    assert_eq!(documents(&pool).await, 36);
    Ok(())
}

/// The search for invalid values fails on a square root as the write does, for all documents at
/// once.
#[tokio::test]
async fn a_failing_expression_does_not_hide_invalid_values_of_other_documents() -> anyhow::Result<()>
{
    let pool = sensors().await;
    run(
        &pool,
        "UPDATE sensor SET area = -1 WHERE id = 8;
         UPDATE sensor SET weight = 'NaN' WHERE id = 9;
         UPDATE sensor SET room_id = 2 WHERE id = 40",
    )
    .await;
    let report = sync_sensor(&pool, &all()).await?;
    assert_eq!(
        invalid(&report),
        [
            ("40", "room.title: is null"),
            ("8", "side: cannot take square root of a negative number"),
            ("9", "weight: NaN cannot be represented")
        ]
    );
    assert_eq!(report.inserted, 57);
    Ok(())
}

#[tokio::test]
async fn ensure_valid_is_an_error_if_a_document_is_invalid() -> anyhow::Result<()> {
    let pool = sensors().await;
    run(&pool, "UPDATE sensor SET weight = 'NaN' WHERE id = 4").await;
    let report = sync_sensor(&pool, &[3, 4, 5]).await?;
    assert_eq!(
        report.to_string().split(" in ").next(),
        Some("2 inserted, 0 updated, 0 unchanged, 0 deleted, 1 invalid")
    );
    let error = report.ensure_valid().expect_err("one is invalid");
    assert_eq!(
        error.to_string(),
        "document 4 of \"public\".\"tv_sensor\": weight: NaN cannot be represented"
    );
    assert!(matches!(error, Error::Invalid { documents } if documents.len() == 1));
    assert!(sync_sensor(&pool, &[3]).await?.ensure_valid().is_ok());
    Ok(())
}

#[tokio::test]
async fn a_transaction_continues_after_invalid_documents() -> anyhow::Result<()> {
    let pool = sensors().await;
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql("UPDATE sensor SET divisor = 0 WHERE id = 2")
        .execute(&mut *transaction)
        .await?;
    let report = sync_sensor(&mut transaction, &[1, 2, 3]).await?;
    assert_eq!(invalid(&report), [("2", "quotient: division by zero")]);
    sqlx::raw_sql("UPDATE sensor SET divisor = 5 WHERE id = 2")
        .execute(&mut *transaction)
        .await?;
    assert_eq!(sync_sensor(&mut transaction, &[2]).await?.inserted, 1);
    transaction.commit().await?;
    assert_eq!(documents(&pool).await, 3);
    Ok(())
}
