//! Snapshots of the SQL of each attribute: the query, the documents it builds on a server, and the
//! view table.
//!
//! Every snapshot is executed: migrated, synced, read back as the struct, synced again. Review
//! changes with `cargo insta review`.

use std::fmt::Write as _;

use fraiseql_runtime::{Embed, TView};
use fraiseql_tests::world;
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

/// One schema for all snapshots: a shop with staff, and some unusual names.
const TABLES: &str = r#"
CREATE SCHEMA app;
CREATE TABLE tb_person (
    id uuid PRIMARY KEY, name text NOT NULL, email varchar(80), manager_id uuid REFERENCES tb_person,
    mentor_id uuid REFERENCES tb_person, deleted_at timestamptz);
INSERT INTO tb_person VALUES
    ('00000000-0000-0000-0000-000000000001', 'Ada', 'ada@example.com', NULL, NULL, NULL),
    ('00000000-0000-0000-0000-000000000002', 'Bob', NULL, '00000000-0000-0000-0000-000000000001', NULL, NULL),
    ('00000000-0000-0000-0000-000000000003', 'Cy', '', '00000000-0000-0000-0000-000000000001',
     '00000000-0000-0000-0000-000000000003', '2026-01-01');
CREATE TABLE tb_product (
    sku text PRIMARY KEY, title text NOT NULL, price numeric(10,2) NOT NULL, cost numeric,
    tags text[] NOT NULL, sizes int4[], rates numeric[], weight float8 NOT NULL, ratio float4,
    stock int4 NOT NULL, sold int8 NOT NULL, small int2, listed boolean NOT NULL,
    meta jsonb NOT NULL, raw json, seen timestamptz, seens timestamptz[] NOT NULL,
    day date, at time, local timestamp, hidden boolean NOT NULL DEFAULT false);
INSERT INTO tb_product VALUES
    ('A-1', 'Anvil "big"', 19.90, 0.100000000000000000000001, '{iron,"a b",NULL}', '{1,2}', '{1.50,NULL}', 0.1, 1.5,
     7, 9007199254740993, -1, true, '{"snake_key": {"b": 1, "aa": [1, 2.50]}}', '{"z": 1,  "a": 2}',
     '2026-01-31 13:00:00.25+01', '{2026-01-31 13:00:00+01}', '2026-02-28', '12:34:56.7', '2026-02-28 01:02:03', false),
    ('B-2', E'tab\there', 5, NULL, '{}', NULL, NULL, 1e300, NULL, 0, 0, NULL, false, '[]', NULL, NULL, '{}',
     NULL, NULL, NULL, false),
    ('C-3', 'gone', 1, NULL, '{}', NULL, NULL, 1, NULL, 0, 0, NULL, false, '1', NULL, NULL, '{}', NULL, NULL, NULL, true);
CREATE TABLE tb_order (
    id int8 PRIMARY KEY, buyer_id uuid NOT NULL REFERENCES tb_person, seller_id uuid REFERENCES tb_person,
    placed_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, note text);
INSERT INTO tb_order VALUES
    (1, '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', '2026-03-01', '2026-03-02', 'quick'),
    (2, '00000000-0000-0000-0000-000000000002', NULL, '2026-03-03', '2026-03-04', NULL);
CREATE TABLE tb_line (
    id int4 PRIMARY KEY, order_id int8 NOT NULL REFERENCES tb_order, sku text NOT NULL REFERENCES tb_product,
    quantity int4 NOT NULL, unit_price numeric NOT NULL, cancelled boolean NOT NULL DEFAULT false);
INSERT INTO tb_line VALUES (1, 1, 'A-1', 2, 19.90, false), (2, 1, 'B-2', 1, 5, false), (3, 1, 'B-2', 9, 4, true);
CREATE TABLE tb_label (id int4 PRIMARY KEY, name text NOT NULL);
INSERT INTO tb_label VALUES (1, 'new'), (2, 'hot'), (3, 'old');
CREATE TABLE tb_product_label (sku text REFERENCES tb_product, label_id int4 REFERENCES tb_label, rank int4,
    PRIMARY KEY (sku, label_id));
INSERT INTO tb_product_label VALUES ('A-1', 1, 2), ('A-1', 2, 1), ('B-2', 3, 1);
CREATE TABLE app."Order Lines" ("Line Id" int4 PRIMARY KEY, "select" text NOT NULL, "say ""hi""" text, "user" int4);
INSERT INTO app."Order Lines" VALUES (1, 'a', 'b', 1), (2, 'c', NULL, 1);
CREATE TABLE app."Group" (id int4 PRIMARY KEY, "order" text NOT NULL);
INSERT INTO app."Group" VALUES (1, 'first');
CREATE TABLE tb_event (id int8 PRIMARY KEY, version int4 NOT NULL, data text NOT NULL, _root text NOT NULL);
INSERT INTO tb_event VALUES (1, 3, 'payload', 'r');
"#;

const UNCOMMENT: &str = "
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT format('%I.%I', schemaname, indexname) FROM pg_indexes WHERE tablename LIKE 'tv_%' LOOP
        EXECUTE format('COMMENT ON INDEX %s IS NULL', name);
    END LOOP;
END $$";

async fn shop() -> PgPool {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    pool
}

/// Migrates, syncs, reads back; returns the text to review.
async fn execute<V: TView>(pool: &PgPool) -> String {
    let model = world::model::<V>();
    model.migrate(pool).await.unwrap();
    fraiseql_tests::assert_up_to_date(&model.migrate(pool).await.unwrap());
    // Nor if every index has to be compared.
    sqlx::raw_sql(UNCOMMENT).execute(pool).await.unwrap();
    fraiseql_tests::assert_up_to_date(&model.migrate(pool).await.unwrap());
    // A check has no findings about a view that works.
    model.check(pool).await.unwrap().into_result().unwrap();
    let statements = V::statements();
    let report = fraiseql_runtime::__private::sync_all::<V, _>(pool)
        .await
        .unwrap();
    assert_eq!(report.inserted, report.total());
    assert!(
        report.inserted > 0,
        "a view without documents shows nothing"
    );
    // In a transaction, with locks: nothing is left to write.
    let mut connection = pool.acquire().await.unwrap();
    let again = fraiseql_runtime::__private::sync_all::<V, _>(&mut connection)
        .await
        .unwrap();
    assert_eq!(again.unchanged, report.inserted, "{again}");
    drop(connection);

    let mut out = fraiseql_runtime::sql::document::query(V::VIEW);
    out.push_str("\n\n-- view table\n");
    writeln!(out, "{}", statements.ddl.create_table).unwrap();
    for partition in &statements.ddl.partitions {
        writeln!(out, "{}", partition.sql).unwrap();
    }
    for index in &statements.ddl.indexes {
        writeln!(out, "{}", index.sql).unwrap();
    }
    out.push_str("\n-- documents\n");
    let key = V::VIEW.key.columns.to_string().replace('"', "\"\"");
    let documents: Vec<Value> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT data FROM {} ORDER BY \"{key}\"",
        V::VIEW.table
    )))
    .fetch_all(pool)
    .await
    .unwrap();
    for document in &documents {
        writeln!(out, "{document:#}").unwrap();
        let typed: V = serde_json::from_value(document.clone())
            .unwrap_or_else(|error| panic!("{error}: {document}"));
        let back = serde_json::to_value(&typed).unwrap();
        assert_eq!(&back, document, "serde writes what SQL writes");
    }
    out
}

macro_rules! snapshots {
    ($($test:ident => $view:ty),* $(,)?) => {$(
        #[tokio::test]
        async fn $test() {
            use super::{execute, shop};
            let pool = shop().await;
            insta::assert_snapshot!(execute::<$view>(&pool).await);
        }
    )*};
}

mod aggregates;
mod columns;
mod many;
mod names;
mod one;
mod plans;
mod storage;

#[derive(Embed)]
#[tview(table = "tb_person")]
struct Person {
    id: Uuid,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_product")]
struct ProductPart {
    title: String,
    price: Decimal,
}

#[derive(Embed)]
#[tview(table = "tb_line")]
struct Line {
    id: i32,
    quantity: i32,
}
