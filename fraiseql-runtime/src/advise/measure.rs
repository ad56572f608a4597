//! Builds, stores and reads a sample of documents.

use std::time::{Duration, Instant};

use sqlx::{PgConnection, Row as _};

use crate::db::session;
use crate::db::statement::Statement;
use crate::error::{Operation, Result};
use crate::schema::Data;
use crate::schema::key::Keys;
use crate::sql::{advise as sql, read};
use crate::view::Handle;

/// The documents that are copied.
const COPIED: i64 = 200;
/// How often each read is timed. The medians of three rounds are compared, so that a pause of the machine
/// does not decide.
const READS: usize = 40;
/// Reads before the time counts.
const WARM_UP: usize = 10;

/// What a sample of documents has cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    /// About how many documents there are.
    pub(super) documents: u64,
    /// To build one document and read it, with its round trip.
    pub(super) build_one: Duration,
    /// To build a document among many.
    pub(super) build_many: Duration,
    /// To build a document among many and store it.
    pub(super) store_many: Duration,
    /// To read one stored document, with its round trip.
    pub(super) read_jsonb: Duration,
    pub(super) read_json: Duration,
    /// The mean size of a stored document.
    pub(super) bytes_jsonb: f64,
    pub(super) bytes_json: f64,
}

/// Measures a view in the current transaction, which is to be rolled back.
pub(super) async fn sample(connection: &mut PgConnection, view: Handle) -> Result<Sample> {
    let table = view.view.shape.table;
    session::set_local(connection, view).await?;
    let expected: i64 = Statement::new(&view.statements().sync.expected, Operation::Advise)
        .on(table)
        .fetch_one(connection, |row| row.try_get(0))
        .await?;
    let keys = keys(connection, view, expected).await?;
    let mut sample = Sample {
        documents: u64::try_from(expected).unwrap_or(0),
        ..Sample::default()
    };
    if keys.is_empty() {
        return Ok(sample);
    }
    let build = read::build_statement(view.view);
    let places: Vec<i64> = (1..).take(keys.len()).collect();
    let count = u32::try_from(keys.len()).unwrap_or(1);
    for data in [Data::Jsonb, Data::Json] {
        let copy = sql::create_copy(view.view, data.sql());
        Statement::composed(copy, Operation::Advise)
            .uncached()
            .execute(connection)
            .await?;
    }
    Statement::new(sql::NO_SCANS, Operation::Advise)
        .execute(connection)
        .await?;
    // The second run counts: the first one reads pages from disk.
    for _ in 0..2 {
        let start = Instant::now();
        Statement::composed(build.clone(), Operation::Advise)
            .on(table)
            .bind_keys(&keys)
            .bind(&places)
            .fetch_all(connection)
            .await?;
        sample.build_many = start.elapsed() / count;
        for data in [Data::Json, Data::Jsonb] {
            let fill = sql::fill_copy(view.view, &build, data.sql());
            let start = Instant::now();
            Statement::composed(fill, Operation::Advise)
                .on(table)
                .bind_keys(&keys)
                .bind(&places)
                .execute(connection)
                .await?;
            sample.store_many = start.elapsed() / count;
        }
    }
    let live = read::live_statement(view.view);
    let [jsonb, json] = [Data::Jsonb, Data::Json].map(|data| sql::read_copy(view.view, data.sql()));
    sample.build_one = read_one(connection, &live, &keys).await?;
    sample.read_jsonb = read_one(connection, &jsonb, &keys).await?;
    sample.read_json = read_one(connection, &json, &keys).await?;
    sample.bytes_jsonb = bytes(connection, Data::Jsonb).await?;
    sample.bytes_json = bytes(connection, Data::Json).await?;
    Ok(sample)
}

/// Keys of random rows.
async fn keys(connection: &mut PgConnection, view: Handle, expected: i64) -> Result<Keys> {
    let (table, key) = (view.view.shape.table, view.view.key);
    let sampled: Option<bool> = Statement::new(sql::COLUMN, Operation::Advise)
        .bind(table.to_string())
        .bind(key.columns.names().first().copied())
        .fetch_optional(&mut *connection, |row| row.try_get("sampled"))
        .await?;
    let none = view.no_keys();
    // Few pages may have no row that matches.
    for sampled in [sampled == Some(true), false] {
        let values = sql::values(table, key.columns, sampled);
        let found = Statement::composed(values, Operation::Advise)
            .on(table)
            .bind(COPIED)
            .bind(expected as f64)
            .fetch_one(&mut *connection, |row| none.read(row, 0))
            .await?;
        if !found.is_empty() {
            return Ok(found.distinct());
        }
    }
    Ok(none)
}

/// The time to read one document: the least of the medians of three rounds.
async fn read_one(connection: &mut PgConnection, sql: &str, keys: &Keys) -> Result<Duration> {
    let mut least = Duration::MAX;
    for _ in 0..3 {
        let mut times = Vec::with_capacity(READS);
        for turn in 0..WARM_UP + READS {
            let key = keys.at(&[turn % keys.len() + 1]);
            let start = Instant::now();
            Statement::composed(sql, Operation::Advise)
                .bind_keys(&key)
                .fetch_all(&mut *connection)
                .await?;
            if turn >= WARM_UP {
                times.push(start.elapsed());
            }
        }
        times.sort_unstable();
        least = least.min(times[READS / 2]);
    }
    Ok(least)
}

async fn bytes(connection: &mut PgConnection, data: Data) -> Result<f64> {
    Statement::composed(sql::sizes(data.sql()), Operation::Advise)
        .uncached()
        .fetch_one(connection, |row| row.try_get(0))
        .await
}
