//! Tests that a document that the server refuses is reported with the field for which it does.

use chrono::{DateTime, NaiveDate, Utc};
use fraiseql_runtime::{Embed, Error, TView};
use fraiseql_tests::{run, world};
use rust_decimal::Decimal;
use sqlx::{AssertSqlSafe, PgPool};

use super::invalid;

#[derive(Debug, TView)]
#[tview(table = "gauge", filter = "10 / {}.shown > 0")]
#[allow(dead_code)]
struct Gauge {
    id: i32,
    #[tview(filter)]
    name: String,
    #[tview(expr = "{}.x * {}.x")]
    square: f64,
    #[tview(expr = "({}.x)::float4")]
    small: f32,
    #[tview(expr = "{}.x::int4", sort)]
    whole: i32,
    #[tview(expr = "{}.text::date")]
    day: Option<NaiveDate>,
    #[tview(expr = "to_timestamp({}.x)")]
    at: Option<DateTime<Utc>>,
    #[tview(expr = "chr(65 + {}.code)")]
    letter: String,
    #[tview(sum(table = "probe", fk = "gauge_id", expr = "{}.value * {}.value"))]
    energy: f64,
    #[tview(sum(table = "probe", fk = "gauge_id", expr = "{}.value"))]
    total: i32,
    #[tview(avg(table = "probe", fk = "gauge_id", expr = "1 / {}.divisor"))]
    inverse: Option<Decimal>,
    #[tview(one(fk = "site_id"))]
    site: Option<Site>,
    #[tview(many(fk = "gauge_id", order_by = "id"))]
    probes: Vec<Probe>,
    #[tview(many(fk = "gauge_id", filter = "100 / {}.limit > 1"))]
    near: Vec<Near>,
    #[tview(count(table = "probe", fk = "gauge_id"))]
    count: i64,
}

#[derive(Debug, Embed)]
#[tview(table = "site")]
#[allow(dead_code)]
struct Site {
    id: i32,
    #[tview(expr = "sqrt({}.area)")]
    side: f64,
}

#[derive(Debug, Embed)]
#[tview(table = "probe")]
#[allow(dead_code)]
struct Probe {
    id: i32,
    #[tview(expr = "ln({}.value)")]
    log: f64,
    #[tview(one(fk = "site_id"))]
    site: Option<Site>,
}

#[derive(Debug, Embed)]
#[tview(table = "probe")]
#[allow(dead_code)]
struct Near {
    id: i32,
}

const TABLES: &str = "
CREATE TABLE site (id int4 PRIMARY KEY, area float8 NOT NULL);
CREATE TABLE gauge (id int4 PRIMARY KEY, name text NOT NULL DEFAULT '', shown int4 NOT NULL DEFAULT 1,
    x float8 NOT NULL DEFAULT 1, text text, code int4 NOT NULL DEFAULT 0, site_id int4 REFERENCES site);
CREATE TABLE probe (id int4 PRIMARY KEY, gauge_id int4 NOT NULL REFERENCES gauge,
    value float8 NOT NULL DEFAULT 1, divisor int4 NOT NULL DEFAULT 1, \"limit\" int4 NOT NULL DEFAULT 1,
    site_id int4 REFERENCES site);
INSERT INTO site VALUES (1, 4), (2, -4);
INSERT INTO gauge SELECT n FROM generate_series(1, 60) AS n;
INSERT INTO probe SELECT n, n FROM generate_series(1, 60) AS n;
";

const CASES: &[(&str, &[&str])] = &[
    (
        "UPDATE gauge SET x = 1e200",
        &["square: ", "small: ", "whole: ", "at: "],
    ),
    ("UPDATE gauge SET x = 1e-200", &["square: ", "small: "]),
    ("UPDATE gauge SET x = 1e10", &["whole: "]),
    ("UPDATE gauge SET text = '2022-02-30'", &["day: "]),
    ("UPDATE gauge SET text = 'soon'", &["day: "]),
    ("UPDATE gauge SET code = -65", &["letter: "]),
    ("UPDATE gauge SET shown = 0", &["filter: "]),
    ("UPDATE probe SET value = 1e200", &["energy: ", "total: "]),
    ("UPDATE probe SET value = 3e9", &["total: "]),
    ("UPDATE probe SET divisor = 0", &["inverse: "]),
    ("UPDATE gauge SET site_id = 2", &["site.side: "]),
    ("UPDATE probe SET value = 0", &["probes[].log: "]),
    ("UPDATE probe SET site_id = 2", &["probes[].site.side: "]),
    ("UPDATE probe SET \"limit\" = 0", &["near[]: "]),
    (
        "UPDATE probe SET \"limit\" = 0, value = 0",
        &["probes[].log: ", "near[]: "],
    ),
];

async fn gauges() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    world::model::<Gauge>().migrate(&pool).await.unwrap();
    pool
}

async fn change(pool: &PgPool, change: &str, key: i32) {
    let sql = format!("{change} WHERE id = {key}");
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(pool)
        .await
        .unwrap();
}

fn assert_paths(reason: &str, paths: &[&str], context: &str) {
    let found: Vec<&str> = reason.split("; ").collect();
    assert_eq!(found.len(), paths.len(), "{context}: {reason}");
    for path in paths {
        assert!(
            found.iter().any(|found| found.starts_with(path)),
            "{context}: {path} in {reason}"
        );
    }
}

#[tokio::test]
async fn every_refusal_of_the_server_names_the_fields() -> anyhow::Result<()> {
    let pool = gauges().await;
    for ((change_sql, paths), key) in CASES.iter().zip(1..) {
        change(&pool, change_sql, key).await;
        let mut transaction = pool.begin().await?;
        let report = sync_gauge(&mut transaction, &[key, 60]).await?;
        transaction.rollback().await?;
        assert_eq!(report.inserted, 1, "{change_sql}: {report}");
        let [(found, reason)] = invalid(&report)[..] else {
            panic!("{change_sql}: {report}");
        };
        assert_eq!(found, key.to_string());
        assert_paths(reason, paths, change_sql);
    }
    // All at once, on a pool.
    let report = sync_all_gauges(&pool).await?;
    assert_eq!(report.inserted, 60 - CASES.len() as u64, "{report}");
    assert_eq!(report.invalid.len(), CASES.len());
    for document in &report.invalid {
        let key: usize = document.key.parse()?;
        let (change, paths) = CASES[key - 1];
        assert_paths(&document.reason, paths, change);
    }
    // A verification finds the same.
    let verified = world::model::<Gauge>().verify(&pool).await?;
    let verified = verified.of::<Gauge>().unwrap();
    for document in &verified.invalid {
        let key: usize = document.key.parse()?;
        let (change, paths) = CASES[key - 1];
        assert_paths(&document.reason, paths, change);
    }
    assert_eq!(verified.invalid.len(), CASES.len());
    Ok(())
}

#[tokio::test]
async fn a_stale_document_that_cannot_be_built_is_an_error_with_the_field() -> anyhow::Result<()> {
    let pool = gauges().await;
    sync_all_gauges(&pool).await?;
    run(&pool, "UPDATE tv_gauge SET shape = 0").await;
    change(&pool, "UPDATE gauge SET x = 1e10", 7).await;
    for error in [
        Gauge::find(&pool, 7).await.unwrap_err(),
        Gauge::find_many(&pool, &[6, 7, 8]).await.unwrap_err(),
    ] {
        let Error::Invalid { documents } = &error else {
            panic!("{error}");
        };
        assert_eq!(documents.len(), 1);
        assert_eq!(documents[0].key, "7");
        assert_paths(&documents[0].reason, &["whole: "], "find");
    }
    Ok(())
}
