//! Tests which values cannot be represented, and with which path they are reported.

use fraiseql_runtime::TView as _;
use fraiseql_tests::run;
use rust_decimal::Decimal;
use sqlx::AssertSqlSafe;

use super::{Sensor, all, invalid, sensors, sync_sensor};

#[tokio::test]
async fn values_that_cannot_be_represented_are_reported_with_their_path_and_the_rest_is_written()
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
        ("divisor = 0", "quotient: division by zero"),
        (
            "raw = '{\"a\": \"\\u0000\"}'",
            "raw: unsupported Unicode escape sequence",
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
async fn values_at_the_limits_are_written_and_read() -> anyhow::Result<()> {
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
async fn an_invalid_value_in_a_list_is_reported_with_its_index_and_ignored_beyond_the_limit()
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
async fn of_many_invalid_values_in_one_document_five_are_reported_and_the_rest_counted()
-> anyhow::Result<()> {
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
