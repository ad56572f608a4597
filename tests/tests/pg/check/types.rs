//! Tests that a field whose column type `check` accepts is synced and read back in any session, and
//! that each type that it refuses is one finding.

use std::io::Write as _;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use fraiseql_runtime::TView;
use fraiseql_runtime::check::{CheckReport, FindingKind};
use fraiseql_tests::world;
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row};
use uuid::Uuid;

const HOSTILE: &str = "SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German, DMY';
    SET IntervalStyle = 'sql_standard'; SET extra_float_digits = -10; SET bytea_output = 'escape'";

const TYPES: &str = "CREATE TYPE mood AS ENUM ('calm', 'wild');
    CREATE DOMAIN small AS int2;
    CREATE DOMAIN smaller AS small;
    CREATE DOMAIN moods AS mood[];
    CREATE TYPE pair AS (a int4, b text);";

/// A struct with one field of a type, as a view of the table `one`.
trait One: TView<Key = i32> {
    async fn accepts(pool: &PgPool, column: &str, values: &[&str]);
    async fn rejects(pool: &PgPool, column: &str);
}

async fn table(pool: &PgPool, column: &str, values: &[&str]) {
    let mut sql = format!(
        "DROP TABLE IF EXISTS one;
         CREATE TABLE one (id int4 PRIMARY KEY, value {column} NOT NULL);"
    );
    for (index, value) in values.iter().enumerate() {
        sql.push_str(&format!("INSERT INTO one VALUES ({index}, {value});"));
    }
    sqlx::raw_sql(AssertSqlSafe(sql.clone()))
        .execute(pool)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

async fn check<V: TView>(pool: &PgPool) -> CheckReport {
    let model = world::model::<V>();
    model.migrate(pool).await.unwrap();
    let empty = format!("TRUNCATE {}", V::VIEW.table);
    sqlx::raw_sql(AssertSqlSafe(empty))
        .execute(pool)
        .await
        .unwrap();
    fraiseql_tests::without_server(model.check(pool).await.unwrap())
}

/// The stored documents; serde reads them and writes the same JSON.
async fn round_trip<V: TView<Key = i32>>(
    connection: &mut PgConnection,
    keys: &[i32],
) -> Vec<Value> {
    let structs = V::find_many(&mut *connection, keys).await.unwrap();
    assert_eq!(structs.len(), keys.len());
    let sql = format!("SELECT data FROM {} ORDER BY id", V::VIEW.table);
    let stored: Vec<Value> = sqlx::query(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    for (one, stored) in structs.iter().zip(&stored) {
        // As text: a `Value` would widen an f32.
        let written = serde_json::to_string(one).unwrap();
        let written: Value = serde_json::from_str(&written).unwrap();
        for (name, value) in written.as_object().unwrap() {
            // `16777216` and `1.6777216e7` are the same number.
            match (value.as_f64(), stored[name].as_f64()) {
                (Some(written), Some(stored)) if value.is_f64() => {
                    assert_eq!(written.to_bits(), stored.to_bits());
                }
                _ => assert_eq!(value, &stored[name]),
            }
        }
    }
    stored
}

macro_rules! one {
    ($($name:ident: $ty:ty, $sync:ident;)*) => {$(
        #[derive(TView)]
        #[tview(table = "one")]
        #[allow(dead_code)]
        struct $name {
            id: i32,
            value: $ty,
        }

        impl One for $name {
            async fn accepts(pool: &PgPool, column: &str, values: &[&str]) {
                table(pool, column, values).await;
                let report = check::<Self>(pool).await;
                assert!(report.findings().is_empty(), "{} on {column}\n{report}", stringify!($ty));
                let keys: Vec<i32> = (0..values.len() as i32).collect();
                $sync(pool, &keys).await.unwrap();
                let mut connection = pool.acquire().await.unwrap().detach();
                let plain = round_trip::<Self>(&mut connection, &keys).await;
                sqlx::raw_sql(HOSTILE).execute(&mut connection).await.unwrap();
                let empty = format!("TRUNCATE {}", Self::VIEW.table);
                sqlx::raw_sql(AssertSqlSafe(empty)).execute(&mut connection).await.unwrap();
                $sync(&mut connection, &keys).await.unwrap();
                let hostile = round_trip::<Self>(&mut connection, &keys).await;
                assert_eq!(plain, hostile, "{} on {column}", stringify!($ty));
            }

            async fn rejects(pool: &PgPool, column: &str) {
                table(pool, column, &[]).await;
                let report = check::<Self>(pool).await;
                let [finding] = report.findings() else {
                    panic!("{} on {column}\n{report}", stringify!($ty));
                };
                assert_eq!(finding.kind, FindingKind::Type, "{report}");
                assert_eq!(finding.path, concat!(stringify!($name), ".value"));
            }
        }
    )*};
}

one! {
    Bool: bool, sync_bool;
    I16: i16, sync_i16;
    I32: i32, sync_i32;
    I64: i64, sync_i64;
    F32: f32, sync_f32;
    F64: f64, sync_f64;
    Dec: Decimal, sync_dec;
    Text: String, sync_text;
    Id: Uuid, sync_id;
    At: DateTime<Utc>, sync_at;
    Local: NaiveDateTime, sync_local;
    Day: NaiveDate, sync_day;
    Clock: NaiveTime, sync_clock;
    Json: Value, sync_json;
    Texts: Vec<String>, sync_texts;
    I64s: Vec<i64>, sync_i64s;
    Ats: Vec<DateTime<Utc>>, sync_ats;
    Decs: Vec<Decimal>, sync_decs;
}

async fn pool() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TYPES).await;
    pool
}

const INT2: &[&str] = &["-32768", "0", "32767"];
const INT4: &[&str] = &["-2147483648", "0", "2147483647"];
const INT8: &[&str] = &["-9223372036854775808", "0", "9223372036854775807"];
const FLOAT4: &[&str] = &["0.1", "-3.4e38", "1e-45", "16777217"];
const FLOAT8: &[&str] = &[
    "0.1",
    "0.30000000000000004",
    "1.7976931348623157e308",
    "5e-324",
];

#[tokio::test]
async fn numbers_fit_if_every_value_can_be_represented() {
    let pool = &pool().await;
    Bool::accepts(pool, "bool", &["true", "false"]).await;
    I16::accepts(pool, "int2", INT2).await;
    I16::accepts(pool, "smaller", INT2).await;
    for (column, values) in [("int2", INT2), ("int4", INT4)] {
        I32::accepts(pool, column, values).await;
    }
    for (column, values) in [("int2", INT2), ("int4", INT4), ("int8", INT8)] {
        I64::accepts(pool, column, values).await;
        Dec::accepts(pool, column, values).await;
    }
    F32::accepts(pool, "float4", FLOAT4).await;
    F32::accepts(pool, "int2", INT2).await;
    F64::accepts(pool, "float8", FLOAT8).await;
    F64::accepts(pool, "float4", FLOAT4).await;
    F64::accepts(pool, "int2", INT2).await;
    F64::accepts(pool, "int4", INT4).await;
    Dec::accepts(
        pool,
        "numeric",
        &["0.10", "-7.50", "12345678901234567890.12345678"],
    )
    .await;
    for column in [
        "int4", "int8", "numeric", "float8", "text", "bool", "int2[]", "oid",
    ] {
        I16::rejects(pool, column).await;
    }
    for column in ["int8", "numeric", "float4", "text", "oid", "money"] {
        I32::rejects(pool, column).await;
    }
    for column in ["numeric", "float8", "text", "jsonb", "bytea"] {
        I64::rejects(pool, column).await;
    }
    for column in ["float8", "int4", "int8", "numeric", "text"] {
        F32::rejects(pool, column).await;
    }
    for column in ["int8", "numeric", "text", "float8[]"] {
        F64::rejects(pool, column).await;
    }
    for column in ["float4", "float8", "money", "text", "bool"] {
        Dec::rejects(pool, column).await;
    }
    for column in ["int4", "text", "bit"] {
        Bool::rejects(pool, column).await;
    }
}

#[tokio::test]
async fn text_fits_if_it_is_the_same_in_every_session() {
    let pool = &pool().await;
    for (column, value) in [
        ("text", "'a \"b\" \\ c'"),
        ("varchar(9)", "'abc'"),
        ("char(5)", "'ab'"),
        ("name", "'ab'"),
        ("\"char\"", "'x'"),
        ("mood", "'wild'"),
        ("uuid", "'00000000-0000-0000-0000-00000000000a'"),
        ("inet", "'10.0.0.1/8'"),
        ("cidr", "'10.0.0.0/8'"),
        ("macaddr", "'08:00:2b:01:02:03'"),
        ("macaddr8", "'08:00:2b:01:02:03:04:05'"),
        ("date", "'2026-01-31'"),
        ("time", "'12:34:56.7'"),
        ("timetz", "'12:34:56.7+02'"),
        ("timestamp", "'2026-01-31 12:34:56'"),
        ("bit(3)", "'101'"),
        ("varbit", "'1010'"),
        ("xml", "'<a/>'"),
        ("oid", "4294967295"),
        ("pg_lsn", "'16/B374D848'"),
        ("int4range", "'[1,5)'"),
        ("int8range", "'[1,5)'"),
        ("numrange", "'[1.5,2]'"),
        ("tsvector", "'a:1 b'"),
        ("tsquery", "'a & b'"),
    ] {
        let tried = format!("SELECT {value}::{column}");
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(tried)).execute(pool).await {
            // Not every server is built with XML.
            let code = error.as_database_error().and_then(|error| error.code());
            assert_eq!(code.as_deref(), Some("0A000"), "{error}");
            let _ = writeln!(std::io::stderr(), "SKIPPED: no {column} on this server");
            continue;
        }
        Text::accepts(pool, column, &[value]).await;
    }
    for column in [
        "int2",
        "int4",
        "int8",
        "numeric",
        "float4",
        "float8",
        "bool",
        "json",
        "jsonb",
        "bytea",
        "timestamptz",
        "interval",
        "money",
        "point",
        "daterange",
        "tstzrange",
        "regclass",
        "pair",
        "text[]",
    ] {
        Text::rejects(pool, column).await;
    }
}

#[tokio::test]
async fn citext_fits_a_string() {
    let pool = &pool().await;
    if !fraiseql_tests::has_extension("citext").await {
        return;
    }
    fraiseql_tests::run(pool, "CREATE EXTENSION citext").await;
    Text::accepts(pool, "citext", &["'Ab'"]).await;
}

#[tokio::test]
async fn times_fit_only_their_own_type() {
    let pool = &pool().await;
    At::accepts(
        pool,
        "timestamptz",
        &["'2026-01-31 12:00:00.25+05'", "'1900-01-01 00:00+00'"],
    )
    .await;
    Local::accepts(pool, "timestamp", &["'2026-01-31 12:00:00.25'"]).await;
    Day::accepts(pool, "date", &["'2026-01-31'", "'0001-01-01'"]).await;
    Clock::accepts(pool, "time", &["'00:00'", "'23:59:59.999999'"]).await;
    for column in ["timestamp", "date", "text", "int8"] {
        At::rejects(pool, column).await;
    }
    for column in ["timestamptz", "date", "text"] {
        Local::rejects(pool, column).await;
    }
    for column in ["timestamptz", "timestamp", "text"] {
        Day::rejects(pool, column).await;
    }
    for column in ["timetz", "interval", "timestamp"] {
        Clock::rejects(pool, column).await;
    }
}

#[tokio::test]
async fn json_uuids_and_arrays_fit_only_their_own_type() {
    let pool = &pool().await;
    Id::accepts(pool, "uuid", &["'00000000-0000-0000-0000-00000000000a'"]).await;
    for column in ["text", "bytea", "int8"] {
        Id::rejects(pool, column).await;
    }
    for column in ["json", "jsonb"] {
        Json::accepts(pool, column, &["'{\"a_b\": [1, 2.5, null]}'", "'\"text\"'"]).await;
    }
    for column in ["text", "pair", "int4", "text[]"] {
        Json::rejects(pool, column).await;
    }
    Texts::accepts(pool, "text[]", &["'{a,\"b c\"}'", "'{}'"]).await;
    Texts::accepts(pool, "varchar(5)[]", &["'{a}'"]).await;
    Texts::accepts(pool, "mood[]", &["'{calm,wild}'"]).await;
    Texts::accepts(pool, "moods", &["'{calm,wild}'"]).await;
    I64s::accepts(pool, "int4[]", &["'{1,2}'"]).await;
    I64s::accepts(pool, "smaller[]", &["'{1,2}'"]).await;
    Ats::accepts(pool, "timestamptz[]", &["'{2026-01-31 12:00:00.25+05}'"]).await;
    Decs::accepts(pool, "numeric[]", &["'{0.10,2}'"]).await;
    for column in ["text", "int4[]", "jsonb", "jsonb[]"] {
        Texts::rejects(pool, column).await;
    }
    for column in ["int8", "numeric[]", "text[]"] {
        I64s::rejects(pool, column).await;
    }
    Ats::rejects(pool, "timestamp[]").await;
    Decs::rejects(pool, "float8[]").await;
}

macro_rules! keyed {
    ($($name:ident: $ty:ty, $all:ident;)*) => {$(
        #[derive(TView)]
        #[tview(table = "keyed")]
        #[allow(dead_code)]
        struct $name {
            id: $ty,
            note: Option<String>,
        }

        impl $name {
            async fn findings(pool: &PgPool, column: &str, values: &[&str]) -> Vec<FindingKind> {
                // New connections: plans cached for the previous table do not fit this one.
                let pool = &fraiseql_tests::pool_of((*pool.connect_options()).clone()).await;
                let rows: String = values
                    .iter()
                    .map(|value| format!("INSERT INTO keyed VALUES ({value});"))
                    .collect();
                let sql = format!(
                    "DROP TABLE IF EXISTS keyed;
                     CREATE TABLE keyed (id {column} PRIMARY KEY, note text); {rows}"
                );
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.unwrap();
                let report = check::<Self>(pool).await;
                if report.is_ok() {
                    // Every kind of sync works, and the document is found by its key.
                    let done = $all(pool).chunk(1).await.unwrap();
                    assert_eq!(done.inserted as usize, values.len(), "{column}");
                    let done = $all(pool).await.unwrap();
                    assert_eq!(done.unchanged as usize, values.len(), "{column}");
                    let mut transaction = pool.begin().await.unwrap();
                    let done = $all(&mut transaction).await.unwrap();
                    assert_eq!(done.unchanged as usize, values.len(), "{column}");
                }
                report.findings().iter().map(|finding| finding.kind).collect()
            }
        }
    )*};
}

keyed! {
    ByInt: i32, sync_all_by_ints;
    ByLong: i64, sync_all_by_longs;
    ByText: String, sync_all_by_texts;
    ByUuid: Uuid, sync_all_by_uuids;
}

#[tokio::test]
async fn keys_that_fit_are_synced_and_others_are_errors() {
    fraiseql_tests::needs_sessions();
    let pool = &pool().await;
    let none: [FindingKind; 0] = [];
    assert_eq!(ByInt::findings(pool, "int2", &["1", "2"]).await, none);
    assert_eq!(ByInt::findings(pool, "int4", &["1", "2"]).await, none);
    assert_eq!(ByLong::findings(pool, "int4", &["1", "2"]).await, none);
    assert_eq!(ByLong::findings(pool, "smaller", &["1", "2"]).await, none);
    assert_eq!(ByLong::findings(pool, "int8", &["1", "2"]).await, none);
    let uuids = [
        "'00000000-0000-0000-0000-00000000000a'",
        "'00000000-0000-0000-0000-00000000000b'",
    ];
    assert_eq!(ByUuid::findings(pool, "uuid", &uuids).await, none);
    for column in ["text", "varchar(9)", "name"] {
        assert_eq!(ByText::findings(pool, column, &["'a'", "'B'"]).await, none);
    }
    let key_type = [FindingKind::KeyType];
    assert_eq!(ByInt::findings(pool, "int8", &[]).await, key_type);
    assert_eq!(ByInt::findings(pool, "text", &[]).await, key_type);
    assert_eq!(ByText::findings(pool, "int4", &[]).await, key_type);
    assert_eq!(ByText::findings(pool, "mood", &[]).await, key_type);
    assert_eq!(ByText::findings(pool, "uuid", &[]).await, key_type);
    assert_eq!(ByUuid::findings(pool, "text", &[]).await, key_type);
    assert_eq!(ByText::findings(pool, "char(5)", &[]).await, key_type);
    if !fraiseql_tests::has_extension("citext").await {
        return;
    }
    fraiseql_tests::run(pool, "CREATE EXTENSION citext").await;
    assert_eq!(ByText::findings(pool, "citext", &[]).await, key_type);
}
