//! Tests that the consequences that `check` reports for keys and bounds are those that a sync has.

use std::io::Write as _;

use fraiseql_runtime::check::{CheckReport, Finding, FindingKind, Remedy, Severity};
use fraiseql_runtime::{Embed, Error, TView};
use fraiseql_tests::run;
use fraiseql_tests::world::model;
use sqlx::{AssertSqlSafe, PgPool};

async fn check<V: TView>(pool: &PgPool) -> CheckReport {
    fraiseql_tests::without_server(model::<V>().check(pool).await.unwrap())
}

fn only(report: &CheckReport) -> &Finding {
    match report.findings() {
        [finding] => finding,
        _ => panic!("not one finding\n{report}"),
    }
}

async fn remedy(pool: &PgPool, finding: &Finding) {
    let Some(Remedy::Sql(sql)) = finding.remedies.first() else {
        panic!("{finding}");
    };
    sqlx::raw_sql(AssertSqlSafe(sql.clone()))
        .execute(pool)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

#[derive(Debug, TView)]
#[tview(table = "tb_order")]
#[allow(dead_code)]
struct Order {
    id: i32,
    #[tview(one(fk = "place_code", key = "code"))]
    place: Option<Place>,
    #[tview(many(fk = "order_id"))]
    items: Vec<Item>,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_place")]
#[allow(dead_code)]
struct Place {
    id: i32,
}

#[derive(Debug, Embed)]
#[tview(table = "tb_item")]
#[allow(dead_code)]
struct Item {
    id: i32,
    #[tview(one(fk = "place_code", key = "code"))]
    place: Option<Place>,
}

#[tokio::test]
async fn the_reported_effect_of_a_one_that_is_not_unique_occurs() {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE tb_place (id int4 PRIMARY KEY, code text NOT NULL);
         CREATE INDEX ON tb_place (code);
         CREATE TABLE tb_order (id int4 PRIMARY KEY, place_code text NOT NULL);
         CREATE TABLE tb_item (id int4 PRIMARY KEY, place_code text NOT NULL,
             order_id int4 NOT NULL REFERENCES tb_order);
         CREATE INDEX ON tb_item (order_id);
         CREATE INDEX ON tb_order (place_code);
         CREATE INDEX ON tb_item (place_code);
         INSERT INTO tb_place VALUES (1, 'a'), (2, 'b'), (3, 'b');
         INSERT INTO tb_order VALUES (1, 'a'), (2, 'b');
         INSERT INTO tb_item VALUES (1, 'b', 1)",
    )
    .await;
    model::<Order>().migrate(&pool).await.unwrap();
    let report = check::<Order>(&pool).await;
    let finding = only(&report);
    assert_eq!(
        (finding.severity, finding.kind, finding.path.as_str()),
        (Severity::Error, FindingKind::NotUnique, "Order.place")
    );
    assert_eq!(finding.also, ["Order.items.place"]);
    assert_eq!(
        finding.message,
        "tb_place.code identifies the row of a `one`, but is not unique: if two rows have the same value, the row that refers to them is doubled: a new document cannot be written, a stored document contains either of the two, a list contains the item twice"
    );
    // A new document cannot be written, and a list contains the item twice.
    let synced = sync_order(&pool, &[1, 2]).await.unwrap();
    assert_eq!((synced.inserted, synced.invalid.len()), (1, 1));
    assert_eq!(synced.invalid[0].key, "2");
    let items = Order::find(&pool, 1).await.unwrap().unwrap().items;
    assert_eq!(items.iter().map(|item| item.id).collect::<Vec<_>>(), [1, 1]);
    // A stored document has either of the two.
    run(&pool, "UPDATE tb_place SET code = 'c' WHERE id = 3").await;
    sync_order(&pool, &[2]).await.unwrap();
    run(&pool, "UPDATE tb_place SET code = 'b' WHERE id = 3").await;
    let mut places = Vec::new();
    for _ in 0..2 {
        sync_order(&pool, &[2]).await.unwrap();
        let order = Order::find(&pool, 2).await.unwrap().unwrap();
        places.extend(order.place.map(|place| place.id));
    }
    assert!(places.iter().all(|id| [2, 3].contains(id)), "{places:?}");
    // The remedy succeeds once there is one row of each value.
    run(&pool, "UPDATE tb_place SET code = 'c' WHERE id = 3").await;
    remedy(&pool, finding).await;
    let report = check::<Order>(&pool).await;
    assert!(report.is_ok(), "{report}");
}

#[derive(Debug, TView)]
#[allow(dead_code)]
struct Tag {
    #[tview(key)]
    name: String,
}

/// Whether the server was built with ICU. Prints SKIPPED if it was not. The catalog does not show
/// it: it has rows for ICU collations in every build.
async fn has_icu(pool: &PgPool) -> bool {
    let tried = sqlx::raw_sql("CREATE COLLATION has_icu (provider = icu, locale = 'und')")
        .execute(pool)
        .await;
    match tried {
        Ok(_) => true,
        Err(error) => {
            let code = error.as_database_error().and_then(|error| error.code());
            assert_eq!(code.as_deref(), Some("0A000"), "{error}");
            // Not `eprintln`, which the test harness captures.
            let _ = writeln!(std::io::stderr(), "SKIPPED: no ICU on this server");
            false
        }
    }
}

#[tokio::test]
async fn a_text_key_with_a_case_insensitive_collation_is_an_error() {
    let pool = fraiseql_tests::pool().await;
    if !has_icu(&pool).await {
        return;
    }
    run(
        &pool,
        "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         CREATE TABLE tb_tag (name varchar(20) COLLATE folded PRIMARY KEY)",
    )
    .await;
    model::<Tag>().migrate(&pool).await.unwrap();
    let report = check::<Tag>(&pool).await;
    let finding = only(&report);
    assert_eq!(
        (finding.severity, finding.kind, finding.path.as_str()),
        (Severity::Error, FindingKind::KeyType, "Tag.name")
    );
    assert_eq!(
        finding.message,
        "tb_tag.name is the key of the documents, and has a nondeterministic collation: keys that PostgreSQL treats as equal and Rust does not, such as 'A' and 'a', would be confused"
    );
    // As reported: one row, and two keys that find it.
    run(&pool, "INSERT INTO tb_tag VALUES ('abc')").await;
    let report = sync_tag(&pool, &["ABC".to_owned()]).await.unwrap();
    assert_eq!(report.inserted, 1);
    assert!(Tag::find(&pool, "ABC".to_owned()).await.unwrap().is_none());
    remedy(&pool, finding).await;
    let report = check::<Tag>(&pool).await;
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
    let ty: String = sqlx::query_scalar(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = 'tb_tag'::regclass AND attname = 'name'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(ty, "character varying(20)");
}

#[derive(Debug, TView)]
#[tview(
    table = "tb_tag",
    view = "tv_word",
    entity = "word",
    partition(range = "G, a")
)]
#[allow(dead_code)]
struct Word {
    #[tview(key)]
    name: String,
}

#[derive(Debug, TView)]
#[tview(
    table = "tb_tag",
    view = "tv_term",
    entity = "term",
    partition(range = "g, o")
)]
#[allow(dead_code)]
struct Term {
    #[tview(key)]
    name: String,
}

/// A pool on a database with the collation of American English, if the server can create one.
async fn american() -> Option<PgPool> {
    let options = fraiseql_tests::database().await;
    let pool = fraiseql_tests::pool_of(options.clone()).await;
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int4")
        .fetch_one(&pool)
        .await
        .unwrap();
    if !has_icu(&pool).await {
        return None;
    }
    if version < 150_000 {
        let _ = writeln!(std::io::stderr(), "SKIPPED: no databases of ICU before 15");
        return None;
    }
    let name = format!("{}_american", options.get_database().unwrap());
    let create = format!(
        "CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'
         LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'"
    );
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&pool)
        .await
        .unwrap();
    Some(fraiseql_tests::pool_of(options.database(&name)).await)
}

#[tokio::test]
async fn partition_bounds_in_another_order_than_the_databases_are_one_error_with_a_remedy() {
    let Some(pool) = american().await else {
        return;
    };
    run(&pool, "CREATE TABLE tb_tag (name text PRIMARY KEY)").await;
    let error = model::<Word>().migrate(&pool).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"public\".\"tv_word\" is partitioned at G, a, but the collation of this database orders them a, G; use bounds that every collation orders alike, such as lower-case words, or partition(hash = ..), or a database with the collation C"
    );
    let planned = model::<Word>().migration_plan(&pool).await;
    assert!(matches!(planned, Err(Error::PartitionBounds { .. })));
    let report = check::<Word>(&pool).await;
    let finding = only(&report);
    assert_eq!(
        (finding.severity, finding.kind),
        (Severity::Error, FindingKind::PartitionBounds)
    );
    assert_eq!(
        finding.message,
        "tv_word is partitioned at G, a, but the collation of this database orders them a, G"
    );
    // The remedy succeeds.
    model::<Term>().migrate(&pool).await.unwrap();
    let report = check::<Term>(&pool).await;
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
    run(&pool, "INSERT INTO tb_tag VALUES ('G'), ('a'), ('x')").await;
    let keys = ["G", "a", "x"].map(str::to_owned);
    assert_eq!(sync_term(&pool, &keys).await.unwrap().inserted, 3);
    assert_eq!(sync_all_terms(&pool).await.unwrap().unchanged, 3);
}

#[tokio::test]
async fn partition_bounds_in_byte_order_fit_the_collation_c() {
    let pool = fraiseql_tests::pool().await;
    run(&pool, "CREATE TABLE tb_tag (name text PRIMARY KEY)").await;
    let (bytes,): (bool,) = sqlx::query_as("SELECT 'G' < 'a'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(bytes, "the databases of the tests are in the collation C");
    model::<Word>().migrate(&pool).await.unwrap();
    let report = check::<Word>(&pool).await;
    assert_eq!(report.to_string(), "check: 0 errors, 0 warnings");
}

/// The document is locked first, and both of its rows count as one key.
#[tokio::test]
async fn duplicate_rows_of_a_key_that_another_session_has_locked_are_counted() {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE tb_place (id int4 PRIMARY KEY, code text NOT NULL);
         CREATE TABLE tb_order (id int4 PRIMARY KEY, place_code text NOT NULL);
         CREATE TABLE tb_item (id int4 PRIMARY KEY, place_code text NOT NULL, order_id int4 NOT NULL);
         INSERT INTO tb_place VALUES (1, 'a'); INSERT INTO tb_order VALUES (1, 'a')",
    )
    .await;
    model::<Order>().migrate(&pool).await.unwrap();
    sync_order(&pool, &[1]).await.unwrap();
    run(
        &pool,
        "UPDATE tb_place SET id = 2; INSERT INTO tb_place VALUES (3, 'a')",
    )
    .await;
    run(&pool, "BEGIN; SELECT FROM tv_order FOR UPDATE; ROLLBACK").await;
    let report = sync_order(&pool, &[1]).await.unwrap();
    assert_eq!((report.total(), report.invalid.len()), (1, 1), "{report}");
}
