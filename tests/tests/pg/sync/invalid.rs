//! Tests that documents that cannot be written are reported with key and reason, and that the rest
//! of the batch is written.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use fraiseql_runtime::{Embed, Error, SyncReport, TView};
use fraiseql_tests::{run, world};
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};

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
async fn each_value_without_a_form_is_reported_with_its_path_and_the_rest_is_written()
-> anyhow::Result<()> {
    let cases = [
        ("weight = 'NaN'", "weight: NaN cannot be represented"),
        (
            "weight = '-Infinity'",
            "weight: -Infinity cannot be represented",
        ),
        (
            "ratio = 'Infinity'",
            "ratio: Infinity cannot be represented",
        ),
        ("seen = 'infinity'", "seen: infinity cannot be represented"),
        (
            "seen = '0044-03-15 12:00:00+00 BC'",
            "seen: 0044-03-15 12:00:00+00 BC cannot be represented",
        ),
        (
            "local = '10000-01-01'",
            "local: 10000-01-01 00:00:00 cannot be represented",
        ),
        ("day = '-infinity'", "day: -infinity cannot be represented"),
        ("at = '24:00'", "at: 24:00:00 cannot be represented"),
        ("amount = 'NaN'", "amount: NaN cannot be represented"),
        (
            "amount = 79228162514264337593543950336",
            "amount: 79228162514264337593543950336 cannot be represented",
        ),
        (
            "amount = 0.00000000000000000000000000001",
            "amount: 0.00000000000000000000000000001 cannot be represented",
        ),
        (
            "amounts = '{1,NaN}'",
            "amounts: {1,NaN} cannot be represented",
        ),
        (
            "amounts = '{1,NULL}'",
            "amounts: {1,NULL} cannot be represented",
        ),
        ("tags = '{a,NULL}'", "tags: {a,NULL} cannot be represented"),
        (
            "tags = '{{a},{b}}'",
            "tags: {{a},{b}} cannot be represented",
        ),
        (
            "counts = '{{1},{NULL}}'",
            "counts: {{1},{NULL}} cannot be represented",
        ),
        ("name = NULL", "name: is null"),
        ("room_id = NULL", "room: there is no row"),
        ("room_id = 3", "room: there is no row"),
        ("room_id = 2", "room.title: is null"),
        ("divisor = 0", "division by zero"),
        (
            "raw = '{\"a\": \"\\u0000\"}'",
            "unsupported Unicode escape sequence",
        ),
        (
            "weight = 'NaN', name = NULL",
            "name: is null; weight: NaN cannot be represented",
        ),
    ];
    let pool = sensors().await;
    assert_eq!(sync_sensor(&pool, &all()).await?.inserted, 60);
    for (round, (change, reason)) in cases.into_iter().enumerate() {
        sqlx::raw_sql(AssertSqlSafe(format!(
            "UPDATE sensor SET weight = {round}; UPDATE sensor SET {change} WHERE id = 17"
        )))
        .execute(&pool)
        .await?;
        let report = if round % 2 == 0 {
            sync_sensor(&pool, &all()).await?
        } else {
            let mut transaction = pool.begin().await?;
            let report = sync_sensor(&mut transaction, &all()).await?;
            transaction.commit().await?;
            report
        };
        assert_eq!(invalid(&report), [("17", reason)], "{change}");
        assert_eq!((report.updated, report.total()), (59, 60), "{change}");
        sqlx::raw_sql(
            "UPDATE sensor SET (name, weight, ratio, seen, local, day, at, amount, amounts, tags, counts,
                 raw, room_id, divisor) = ROW ('sensor ' || id, NULL::float8, NULL::float4, NULL::timestamptz,
                 NULL::timestamp, NULL::date, NULL::time, NULL::numeric, NULL::numeric[], NULL::text[],
                 NULL::int4[], NULL::json, 1, 2)",
        )
        .execute(&pool)
        .await?;
    }
    assert_eq!(sync_sensor(&pool, &all()).await?.invalid, []);
    Ok(())
}

#[tokio::test]
async fn values_at_the_edge_are_written_and_read() -> anyhow::Result<()> {
    let pool = sensors().await;
    run(
        &pool,
        "UPDATE sensor SET weight = 1.7976931348623157e308, ratio = 3.4028235e38, seen = '9999-12-31 23:59:59.999999+00',
             local = '0001-01-01', day = '9999-12-31', at = '23:59:59.999999',
             amount = 79228162514264337593543950335, amounts = '{-7.9228162514264337593543950335,0.0000000000000000000000000001}',
             tags = '{}', counts = '{NULL,1}' WHERE id = 1;
         UPDATE sensor SET weight = -1.7976931348623157e308, seen = '0001-01-01 00:00:00+00', day = '0001-01-01',
             at = '00:00', amount = 100000000000000.5, raw = 'null' WHERE id = 2",
    )
    .await;
    let report = sync_sensor(&pool, &all()).await?;
    assert_eq!(report.invalid, []);
    let sensors = Sensor::find_many(&pool, &[1, 2]).await?;
    assert_eq!(sensors[0].weight, Some(f64::MAX));
    assert_eq!(sensors[0].amount, Some(Decimal::MAX));
    assert_eq!(
        sensors[0].amounts.as_ref().map(|amounts| amounts[1]),
        Some(Decimal::new(1, 28))
    );
    assert_eq!(sensors[1].weight, Some(f64::MIN));
    assert_eq!(
        sensors[1].seen.map(|at| at.to_rfc3339()),
        Some("0001-01-01T00:00:00+00:00".to_owned())
    );
    Ok(())
}

#[tokio::test]
async fn a_flaw_in_a_list_is_reported_with_its_place_and_one_beyond_the_limit_does_not_matter()
-> anyhow::Result<()> {
    let pool = sensors().await;
    run(
        &pool,
        "INSERT INTO reading VALUES (1, 5, 1.5, NULL), (2, 5, 'NaN', NULL), (3, 5, NULL, NULL),
             (4, 6, 1, NULL), (5, 6, 2, NULL), (6, 6, 'Infinity', NULL), (7, 6, NULL, NULL),
             (8, 7, 1, 'Infinity')",
    )
    .await;
    let report = sync_sensor(&pool, &all()).await?;
    assert_eq!(
        invalid(&report),
        [
            ("5", "readings[1].value: NaN cannot be represented"),
            ("7", "peak: Infinity cannot be represented")
        ]
    );
    assert_eq!(report.inserted, 58);
    let six = Sensor::find(&pool, 6).await?.expect("it is valid");
    assert_eq!(six.readings.len(), 2);
    Ok(())
}

#[tokio::test]
async fn of_many_flaws_in_one_document_five_are_told_and_the_others_counted() -> anyhow::Result<()>
{
    let pool = sensors().await;
    run(
        &pool,
        "UPDATE sensor SET ratio = 'NaN', day = 'infinity', local = 'infinity', at = '24:00', amount = 'NaN'
             WHERE id IN (3, 4);
         UPDATE sensor SET seen = 'infinity', weight = 'NaN' WHERE id = 4",
    )
    .await;
    let report = sync_sensor(&pool, &all()).await?;
    let five = "amount: NaN cannot be represented; at: 24:00:00 cannot be represented; \
                day: infinity cannot be represented; local: infinity cannot be represented; \
                ratio: NaN cannot be represented";
    assert_eq!(
        invalid(&report),
        [("3", five), ("4", &format!("{five}; and 2 more"))]
    );
    Ok(())
}

#[tokio::test]
async fn an_invalid_document_keeps_what_was_stored_and_is_written_when_it_is_mended()
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
async fn many_invalid_documents_of_several_kinds_leave_the_others_alone() -> anyhow::Result<()> {
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

/// The look for flaws fails for a square root as the write does, for all documents at once.
#[tokio::test]
async fn an_expression_that_fails_does_not_hide_the_flaws_of_other_documents() -> anyhow::Result<()>
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
            ("8", "cannot take square root of a negative number"),
            ("9", "weight: NaN cannot be represented")
        ]
    );
    assert_eq!(report.inserted, 57);
    Ok(())
}

#[tokio::test]
async fn a_caller_may_insist_on_every_document() -> anyhow::Result<()> {
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
async fn documents_can_take_each_others_unique_values() -> anyhow::Result<()> {
    let pool = sensors().await;
    sync_all_sensors(&pool).await?;
    // Each takes the name that the next has left.
    run(&pool, "UPDATE sensor SET name = 'sensor ' || (id + 1)").await;
    let report = sync_sensor(&pool, &all()).await?;
    assert_eq!((report.updated, invalid(&report)), (60, vec![]));
    // Two exchange theirs, in a transaction.
    run(
        &pool,
        "UPDATE sensor SET name = 'sensor ' || (3 - (id - 1)) WHERE id IN (1, 2)",
    )
    .await;
    let mut transaction = pool.begin().await?;
    let report = sync_sensor(&mut transaction, &all()).await?;
    assert_eq!(
        (report.updated, report.unchanged, invalid(&report)),
        (2, 58, vec![])
    );
    transaction.commit().await?;
    let name: String = sqlx::query_scalar("SELECT name FROM tv_sensor WHERE id = 1")
        .fetch_one(&pool)
        .await?;
    assert_eq!(name, "sensor 3");
    // One takes the name of a document that is deleted.
    run(
        &pool,
        "DELETE FROM sensor WHERE id = 60; UPDATE sensor SET name = 'sensor 61' WHERE id = 2",
    )
    .await;
    let report = sync_sensor(&pool, &[2, 60]).await?;
    assert_eq!(
        (report.updated, report.deleted, invalid(&report)),
        (1, 1, vec![])
    );
    Ok(())
}

#[tokio::test]
async fn a_unique_value_that_another_document_has_is_reported() -> anyhow::Result<()> {
    let pool = sensors().await;
    sync_all_sensors(&pool).await?;
    run(
        &pool,
        "UPDATE sensor SET name = 'sensor 50', weight = 1 WHERE id <= 3",
    )
    .await;
    let report = sync_sensor(&pool, &[1, 2, 3, 4]).await?;
    let duplicate = "duplicate key value violates unique constraint \"tv_sensor_name_idx\"";
    assert_eq!(
        invalid(&report),
        [("1", duplicate), ("2", duplicate), ("3", duplicate)]
    );
    assert_eq!(report.unchanged, 1);
    let names: i64 = sqlx::query_scalar("SELECT count(name) FROM tv_sensor")
        .fetch_one(&pool)
        .await?;
    assert_eq!(names, 60, "no name was emptied for nothing");
    Ok(())
}

#[tokio::test]
async fn a_transaction_goes_on_after_invalid_documents() -> anyhow::Result<()> {
    let pool = sensors().await;
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql("UPDATE sensor SET divisor = 0 WHERE id = 2")
        .execute(&mut *transaction)
        .await?;
    let report = sync_sensor(&mut transaction, &[1, 2, 3]).await?;
    assert_eq!(invalid(&report), [("2", "division by zero")]);
    sqlx::raw_sql("UPDATE sensor SET divisor = 5 WHERE id = 2")
        .execute(&mut *transaction)
        .await?;
    assert_eq!(sync_sensor(&mut transaction, &[2]).await?.inserted, 1);
    transaction.commit().await?;
    assert_eq!(documents(&pool).await, 3);
    Ok(())
}

/// Also where a failed batch is tried again in another way.
#[tokio::test]
async fn repeatable_read_is_refused_where_values_are_unique() -> anyhow::Result<()> {
    let pool = sensors().await;
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .execute(&mut *transaction)
        .await?;
    let error = sync_sensor(&mut transaction, &[1]).await.unwrap_err();
    assert!(matches!(error, Error::RepeatableRead), "{error}");
    transaction.commit().await?;
    assert_eq!(documents(&pool).await, 0);
    Ok(())
}

/// Titles of rooms fail to be read: for the writes of documents, in their order, with these
/// SQLSTATEs, and for the look for flaws with that one.
async fn troubled(writes: &[&str], flaws: Option<&str>) -> PgPool {
    let pool = sensors().await;
    run(
        &pool,
        "CREATE TABLE script (writes text[], flaws text);
         CREATE SEQUENCE writes;
         CREATE FUNCTION trouble(title text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE
             code text := (SELECT CASE WHEN current_query() LIKE '%AS \"flaws\"%' THEN flaws
                 ELSE writes[nextval('writes')] END FROM script);
         BEGIN
             IF code IS NOT NULL THEN RAISE EXCEPTION 'trouble' USING ERRCODE = code; END IF;
             RETURN title;
         END $$;
         ALTER TABLE room RENAME TO rooms;
         CREATE VIEW room AS SELECT id, trouble(title) AS title FROM rooms",
    )
    .await;
    sqlx::query("INSERT INTO script VALUES ($1, $2)")
        .bind(writes)
        .bind(flaws)
        .execute(&pool)
        .await
        .unwrap();
    pool
}

const DIVISION_BY_ZERO: &str = "22012";
const QUERY_CANCELED: &str = "57014";

#[tokio::test]
async fn where_flaws_cannot_be_looked_for_either_the_batch_is_halved() -> anyhow::Result<()> {
    let pool = troubled(&[DIVISION_BY_ZERO], Some(DIVISION_BY_ZERO)).await;
    let report = sync_sensor(&pool, &[1, 2, 3]).await?;
    assert_eq!((report.inserted, invalid(&report)), (3, vec![]));
    Ok(())
}

/// Not a flaw of the document: it may be written as soon as the server can.
#[tokio::test]
async fn what_stops_the_look_for_flaws_is_an_error() -> anyhow::Result<()> {
    let pool = troubled(&[DIVISION_BY_ZERO], Some(QUERY_CANCELED)).await;
    let error = sync_sensor(&pool, &[1]).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("looking for the invalid documents of \"public\".\"tv_sensor\": "),
        "{error}"
    );
    assert_eq!(documents(&pool).await, 0);
    Ok(())
}

#[tokio::test]
async fn what_stops_a_half_of_a_batch_is_an_error() -> anyhow::Result<()> {
    let pool = troubled(&[DIVISION_BY_ZERO, QUERY_CANCELED], None).await;
    let error = sync_sensor(&pool, &[1, 2]).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("syncing \"public\".\"tv_sensor\": "),
        "{error}"
    );
    assert_eq!(documents(&pool).await, 0);
    Ok(())
}
