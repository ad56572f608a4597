//! Tests that what a user writes in `expr` and `filter` has one value in all sessions, wherever it
//! is evaluated.

use chrono::NaiveDate;
use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::{run, world};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

const TABLES: &str = r"
CREATE SCHEMA other;
CREATE FUNCTION public.label(id int4) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'public' $$;
CREATE FUNCTION other.label(id int4) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'other' $$;
CREATE TABLE tb_place (id int4 PRIMARY KEY, since timestamptz NOT NULL);
CREATE TABLE tb_event (id int4 PRIMARY KEY, place_id int4 NOT NULL REFERENCES tb_place,
    at timestamptz NOT NULL, span interval NOT NULL, ratio float8 NOT NULL, bytes bytea NOT NULL,
    day text NOT NULL);
CREATE TABLE tb_visit (id int4 PRIMARY KEY, event_id int4 NOT NULL REFERENCES tb_event,
    at timestamptz NOT NULL);
INSERT INTO tb_place VALUES (1, '2022-01-31T20:00Z'), (2, '2022-02-01T04:00Z');
INSERT INTO tb_event VALUES
    (1, 2, '2022-02-01T20:00Z', '-1 day 2 hours', 0.30000000000000004, '\x00ff', '01/02/2003'),
    (2, 1, '2022-01-31T20:00Z', '1 month', 1, '\x', '03/04/2005'),
    (3, 2, '2022-02-01T04:00Z', '90 min', 0.1, '\x61', '05/06/2007');
INSERT INTO tb_visit SELECT n, 1 + (n + 12) % 3, '2022-03-01T00:00Z'::timestamptz + n * interval '1 hour'
    FROM generate_series(-12, 12) AS n;
";

#[derive(Debug, TView)]
#[tview(table = "tb_event", data = "json", filter = "{}.at >= '2022-02-01'")]
#[allow(dead_code)]
struct Event {
    id: i32,
    #[tview(expr = "{}.at::date", sort)]
    date: NaiveDate,
    #[tview(expr = "{}.at::text")]
    shown: String,
    #[tview(expr = "{}.day::date")]
    day: NaiveDate,
    #[tview(expr = "CASE WHEN {}.id > 0 THEN date '01/02/2003' END")]
    literal: NaiveDate,
    #[tview(expr = "{}.at > timestamptz '2022-02-01 12:00'")]
    late: bool,
    #[tview(expr = "{}.span::text")]
    span: String,
    #[tview(expr = "extract(epoch FROM interval '-1 2:00:00')::int4 + 0 * {}.id")]
    seconds: i32,
    #[tview(expr = "{}.ratio::text")]
    ratio: String,
    #[tview(expr = "{}.bytes::text")]
    bytes: String,
    #[tview(expr = "label({}.id)")]
    label: String,
    #[tview(expr = r"'a\b'::text || to_char({}.at, 'TMDay HH24')")]
    hour: String,
    #[tview(one(fk = "place_id"))]
    place: Option<OldPlace>,
    #[tview(many(fk = "event_id", filter = "{}.at < '2022-03-01'"))]
    visits: Vec<Visit>,
    #[tview(count(
        table = "tb_visit",
        fk = "event_id",
        filter = "{}.at::date = '2022-03-01'"
    ))]
    march: i64,
    #[tview(max(table = "tb_visit", fk = "event_id", expr = "{}.at::timestamp::text"))]
    last: Option<String>,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_place", filter = "{}.since < '2022-02-01'")]
#[allow(dead_code)]
struct OldPlace {
    id: i32,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_visit")]
#[allow(dead_code)]
struct Visit {
    id: i32,
}

const SESSIONS: [&str; 9] = [
    "SET TimeZone = 'UTC'",
    "SET TimeZone = 'Asia/Tokyo'",
    "SET TimeZone = 'America/Los_Angeles'",
    "SET DateStyle = 'SQL, DMY'",
    "SET DateStyle = 'ISO, YMD'; SET TimeZone = 'Europe/London'",
    "SET IntervalStyle = 'sql_standard'; SET extra_float_digits = -5; SET bytea_output = 'escape'",
    "SET search_path = ''",
    "SET search_path = other, public; SET TimeZone = 'Asia/Tokyo'",
    "SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German, DMY';
     SET IntervalStyle = 'iso_8601'; SET search_path = other; SET transform_null_equals = on",
];

fn model() -> ReadModel {
    world::model::<Event>()
}

async fn pool_with(options: &PgPool, settings: &'static str) -> PgPool {
    PgPoolOptions::new()
        .max_connections(2)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(settings).execute(connection).await?;
                Ok(())
            })
        })
        .connect_with((*options.connect_options()).clone())
        .await
        .unwrap()
}

async fn stored(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("SELECT data::text FROM public.tv_event ORDER BY id")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// The documents, in a session of which every setting is what PostgreSQL ships with.
fn expected() -> Vec<String> {
    [
        r#"{"id":1,"date":"2022-02-01","shown":"2022-02-01 20:00:00+00","day":"2003-01-02","literal":"2003-01-02","late":true,"span":"-1 days +02:00:00","seconds":-79200,"ratio":"0.30000000000000004","bytes":"\\x00ff","label":"public","hour":"a\\bTuesday 20","place":null,"visits":[{"id":-12},{"id":-9},{"id":-6},{"id":-3}],"march":5,"last":"2022-03-01 12:00:00"}"#,
        r#"{"id":3,"date":"2022-02-01","shown":"2022-02-01 04:00:00+00","day":"2007-05-06","literal":"2003-01-02","late":false,"span":"01:30:00","seconds":-79200,"ratio":"0.1","bytes":"\\x61","label":"public","hour":"a\\bTuesday 04","place":null,"visits":[{"id":-10},{"id":-7},{"id":-4},{"id":-1}],"march":4,"last":"2022-03-01 11:00:00"}"#,
    ]
    .map(str::to_owned)
    .to_vec()
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Pool,
    Transaction,
    Connection,
    Mutation,
    Full,
    FullInTransaction,
    Rebuild,
    Repair,
}

const ACTIONS: [Action; 8] = [
    Action::Pool,
    Action::Transaction,
    Action::Connection,
    Action::Mutation,
    Action::Full,
    Action::FullInTransaction,
    Action::Rebuild,
    Action::Repair,
];

impl Action {
    async fn run(self, pool: &PgPool) {
        const KEYS: [i32; 3] = [1, 2, 3];
        match self {
            Self::Pool => drop(sync_event(pool, &KEYS).await.unwrap()),
            Self::Transaction => {
                let mut transaction = pool.begin().await.unwrap();
                sync_event(&mut transaction, &KEYS).await.unwrap();
                transaction.commit().await.unwrap();
            }
            Self::Connection => {
                let mut connection = pool.acquire().await.unwrap();
                sync_event(&mut connection, &KEYS).await.unwrap();
            }
            Self::Mutation => {
                let mut mutation = model().mutation(pool).await.unwrap();
                mutation.changed::<Event>(&KEYS);
                mutation.commit().await.unwrap();
            }
            Self::Full => drop(sync_all_events(pool).await.unwrap()),
            Self::FullInTransaction => {
                let mut transaction = pool.begin().await.unwrap();
                sync_all_events(&mut transaction).await.unwrap();
                transaction.commit().await.unwrap();
            }
            Self::Rebuild => {
                sync_event(pool, &KEYS).await.unwrap();
                let spoil = "UPDATE public.tv_event SET shape = 0, data = '{}'";
                run(pool, spoil).await;
                run(pool, "DROP TABLE IF EXISTS public.fraiseql_view").await;
                model().migrate(pool).await.unwrap();
                model().rebuild(pool).await.unwrap();
            }
            Self::Repair => {
                sync_event(pool, &KEYS).await.unwrap();
                run(pool, "UPDATE public.tv_event SET data = '{}'").await;
                model().verify(pool).repair().await.unwrap();
            }
        }
    }
}

async fn events() -> PgPool {
    fraiseql_tests::needs_sessions();
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    model().migrate(&pool).await.unwrap();
    pool
}

#[tokio::test]
async fn expressions_and_filters_have_one_value_in_all_sessions_and_actions() {
    let pool = events().await;
    let mut wrong = Vec::new();
    for settings in SESSIONS {
        for action in ACTIONS {
            run(&pool, "TRUNCATE tv_event").await;
            let session = pool_with(&pool, settings).await;
            action.run(&session).await;
            let found = stored(&pool).await;
            if found != expected() {
                wrong.push(format!("{action:?} in {settings}:\n{}", found.join("\n")));
            }
            session.close().await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test]
async fn a_verification_of_expressions_is_clean_in_all_sessions() {
    let pool = events().await;
    sync_all_events(&pool).await.unwrap();
    for settings in SESSIONS {
        let session = pool_with(&pool, settings).await;
        let reports = model().verify(&session).await.unwrap();
        assert!(reports.is_clean(), "{settings}\n{reports}");
        session.close().await;
    }
}

#[tokio::test]
async fn a_stale_document_is_read_with_the_same_expressions_in_all_sessions() {
    let pool = events().await;
    sync_all_events(&pool).await.unwrap();
    run(&pool, "UPDATE tv_event SET shape = 0, data = '{}'").await;
    for settings in SESSIONS {
        let session = pool_with(&pool, settings).await;
        for (key, expected) in [1, 3].into_iter().zip(expected()) {
            let found = Event::find_json(&session, key).await.unwrap().unwrap();
            assert_eq!(found.get(), expected, "{settings}");
        }
        let listed = Event::find_many(&session, &[3, 1]).await.unwrap();
        assert_eq!(listed.len(), 2);
        session.close().await;
    }
}

/// PostgreSQL parses the literals of a statement when it is prepared, with the settings of then.
#[tokio::test]
async fn literals_do_not_keep_the_settings_with_which_a_statement_was_prepared() {
    let pool = events().await;
    for first in SESSIONS {
        for second in [SESSIONS[0], SESSIONS[1], SESSIONS[3]] {
            let mut connection = pool.acquire().await.unwrap();
            for settings in ["RESET ALL", first, "RESET ALL", second] {
                sqlx::raw_sql(settings)
                    .execute(&mut *connection)
                    .await
                    .unwrap();
                run(&pool, "TRUNCATE tv_event").await;
                sync_event(&mut connection, &[1, 2, 3]).await.unwrap();
                assert_eq!(stored(&pool).await, expected(), "{first}; {second}");
            }
            connection.close().await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_settings_of_a_transaction_are_kept() {
    let pool = events().await;
    // PL/pgSQL adds settings of its own when a session uses it first.
    let all = "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings
        WHERE context = 'user' AND name NOT LIKE 'plpgsql.%'";
    for settings in SESSIONS {
        let mut transaction = pool.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(settings))
            .execute(&mut *transaction)
            .await
            .unwrap();
        let before: String = sqlx::query_scalar(all)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        sync_event(&mut transaction, &[1, 2, 3]).await.unwrap();
        let after: String = sqlx::query_scalar(all)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        assert_eq!(before, after, "{settings}");
        transaction.rollback().await.unwrap();
    }
}
