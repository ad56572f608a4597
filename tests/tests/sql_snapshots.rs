//! What each kind of attribute becomes: the query as a person would review it, the document
//! that it builds on a real server, and the parts of the view table.
//!
//! Every snapshot is executed: migrated, synced, read back as the struct, synced again.
//! Review changes with `cargo insta review`.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use fraiseql_runtime::{Embed, Migration, ReadModel, TView};
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

/// One schema for all of them: a shop with staff, and some odd names.
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

/// Migrates, syncs, reads back; yields the text to review.
async fn execute<V: TView>(pool: &PgPool) -> String {
    let model = ReadModel::builder().view::<V>().build().unwrap();
    model.migrate(pool).await.unwrap();
    assert_eq!(model.migrate(pool).await.unwrap(), Migration::default());
    // Nor where every index must be compared.
    sqlx::raw_sql(UNCOMMENT).execute(pool).await.unwrap();
    assert_eq!(model.migrate(pool).await.unwrap(), Migration::default());
    // A check has nothing against what works.
    model.check(pool).await.unwrap().into_result().unwrap();
    let statements = V::statements();
    let report = fraiseql_runtime::sync::full::sync_all::<V, _>(pool)
        .await
        .unwrap();
    assert_eq!(report.inserted, report.total());
    assert!(
        report.inserted > 0,
        "a view without documents shows nothing"
    );
    // In a transaction, from locks on: nothing is left to do.
    let mut connection = pool.acquire().await.unwrap();
    let again = fraiseql_runtime::sync::full::sync_all::<V, _>(&mut connection)
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
    let key = V::VIEW.key.column.replace('"', "\"\"");
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
            let pool = shop().await;
            insta::assert_snapshot!(execute::<$view>(&pool).await);
        }
    )*};
}

snapshots! {
    plain_columns => Label,
    a_renamed_column_and_key => Renamed,
    every_scalar_type => Product,
    every_scalar_type_as_json_text => ProductJson,
    an_expression => Total,
    a_row_filter => Alive,
    a_row_filter_on_parts => FilteredParts,
    one_required => OrderWithBuyer,
    one_optional => OrderWithSeller,
    the_same_table_several_times => OrderWithBoth,
    one_by_another_column => LineWithProduct,
    a_self_reference => Managed,
    a_self_reference_as_list => Manager,
    many_in_the_order_of_the_key => OrderWithLines,
    many_ordered => OrderedLines,
    many_ordered_with_nulls => OrderedNulls,
    many_limited => LimitedLines,
    many_filtered => FilteredLines,
    many_with_parts => LinesWithProducts,
    many_of_parts_without_key => KeylessLines,
    many_in_many => PersonWithOrders,
    many_through_a_table => Labelled,
    many_through_ordered_and_limited => LabelledTop,
    many_through_with_text_keys => LabelWithProducts,
    counts => Counted,
    counts_with_conditions => CountedIf,
    a_count_of_a_whole_list => CountedList,
    sums => Summed,
    averages_and_extremes => Averaged,
    whether_rows_exist => Existing,
    aggregates_over_the_same_rows_are_one_query => ManyAggregates,
    aggregates_inside_parts => PartAggregates,
    promoted_columns => Promoted,
    promoted_aggregates => PromotedAggregates,
    promoted_with_names_of_bookkeeping => Event,
    a_unique_column => UniqueEmail,
    other_schemas_and_quoted_names => OrderLine,
    reserved_words => Group,
    nesting_five_deep => Deep,
    more_than_a_hundred_fields => Wide,
    skipped_fields => Skipping,
    aliases_that_collide => Colliding,
    indexes_of_columns => IndexedColumns,
    indexes_of_documents => IndexedDocuments,
    indexes_of_json_text => IndexedText,
    partitions_by_hash => Hashed,
    partitions_by_range => Ranged,
    partitions_by_ranges_of_uuids => RangedUuids,
    an_unlogged_table => Unlogged,
}

#[derive(TView)]
#[tview(table = "tb_label")]
struct Label {
    id: i32,
    name: String,
}

#[derive(TView)]
#[tview(
    table = "tb_product",
    view = "app.tv_renamed",
    entity = "renamed",
    filter = "sku = 'A-1'"
)]
struct Renamed {
    #[tview(key, column = "sku", json = "code")]
    stock_keeping_unit: String,
    #[tview(column = "title", json = "label")]
    name: String,
    #[tview(column = "listed")]
    is_listed_: bool,
}

#[derive(TView)]
#[tview(filter = "NOT hidden")]
struct Product {
    #[tview(key)]
    sku: String,
    title: String,
    price: Decimal,
    cost: Option<Decimal>,
    tags: Vec<Option<String>>,
    sizes: Option<Vec<i32>>,
    rates: Option<Vec<Option<Decimal>>>,
    weight: f64,
    ratio: Option<f32>,
    stock: i32,
    sold: i64,
    small: Option<i16>,
    listed: bool,
    meta: Value,
    raw: Option<Value>,
    seen: Option<DateTime<Utc>>,
    seens: Vec<DateTime<Utc>>,
    day: Option<NaiveDate>,
    at: Option<NaiveTime>,
    local: Option<NaiveDateTime>,
}

#[derive(TView)]
#[tview(table = "tb_product", data = "json", filter = "NOT hidden")]
struct ProductJson {
    #[tview(key)]
    sku: String,
    title: String,
    price: Decimal,
    cost: Option<Decimal>,
    tags: Vec<Option<String>>,
    rates: Option<Vec<Option<Decimal>>>,
    weight: f64,
    ratio: Option<f32>,
    sold: i64,
    meta: Value,
    raw: Option<Value>,
    #[tview(filter, sort)]
    seen: Option<DateTime<Utc>>,
    seens: Vec<DateTime<Utc>>,
    day: Option<NaiveDate>,
    at: Option<NaiveTime>,
    local: Option<NaiveDateTime>,
}

#[derive(TView)]
#[tview(table = "tb_line")]
struct Total {
    id: i32,
    #[tview(expr = "{}.quantity * {}.unit_price")]
    total: Decimal,
    #[tview(expr = "CASE WHEN {}.cancelled THEN '{}' ELSE 'ok' END", filter)]
    state: String,
}

#[derive(TView)]
#[tview(
    table = "tb_person",
    view = "tv_alive",
    filter = "deleted_at IS NULL OR {}.name = 'nobody'"
)]
struct Alive {
    id: Uuid,
    name: String,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Person>,
}

#[derive(Embed)]
#[tview(table = "tb_person", filter = "deleted_at IS NULL")]
struct LivingPerson {
    id: Uuid,
    name: String,
}

#[derive(TView)]
#[tview(table = "tb_person")]
struct FilteredParts {
    id: Uuid,
    #[tview(one(fk = "mentor_id"))]
    mentor: Option<LivingPerson>,
    #[tview(many(fk = "manager_id", filter = "name <> 'Zoe'"))]
    reports: Vec<LivingPerson>,
}

#[derive(Embed)]
#[tview(table = "tb_person")]
struct Person {
    id: Uuid,
    name: String,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct OrderWithBuyer {
    id: i64,
    #[tview(one(fk = "buyer_id"))]
    buyer: Person,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct OrderWithSeller {
    id: i64,
    #[tview(one(fk = "seller_id"))]
    seller: Option<Person>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct OrderWithBoth {
    id: i64,
    #[tview(one(fk = "buyer_id"))]
    buyer: Person,
    #[tview(one(fk = "seller_id"))]
    seller: Option<Box<Person>>,
    #[tview(one(fk = "buyer_id"))]
    invoiced: Person,
}

#[derive(Embed)]
#[tview(table = "tb_product")]
struct ProductPart {
    title: String,
    price: Decimal,
}

#[derive(TView)]
#[tview(table = "tb_line")]
struct LineWithProduct {
    id: i32,
    #[tview(one(fk = "sku", key = "sku"))]
    product: ProductPart,
}

#[derive(TView)]
#[tview(table = "tb_person")]
struct Managed {
    id: Uuid,
    name: String,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Person>,
    #[tview(one(fk = "mentor_id"))]
    mentor: Option<Person>,
}

#[derive(TView)]
#[tview(table = "tb_person")]
struct Manager {
    id: Uuid,
    #[tview(many(fk = "manager_id", order_by = "name"))]
    reports: Vec<Person>,
}

#[derive(Embed)]
#[tview(table = "tb_line")]
struct Line {
    id: i32,
    quantity: i32,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct OrderWithLines {
    id: i64,
    #[tview(many(fk = "order_id"))]
    lines: Vec<Line>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct OrderedLines {
    id: i64,
    #[tview(many(fk = "order_id", order_by = "quantity DESC, id ASC"))]
    lines: Box<[Line]>,
}

#[derive(TView)]
#[tview(table = "tb_person")]
struct OrderedNulls {
    id: Uuid,
    #[tview(many(
        fk = "manager_id",
        order_by = "email DESC NULLS LAST, name NULLS FIRST"
    ))]
    reports: Vec<Person>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct LimitedLines {
    id: i64,
    #[tview(many(fk = "order_id", order_by = "quantity DESC", limit = 2))]
    top_lines: Vec<Line>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct FilteredLines {
    id: i64,
    #[tview(many(fk = "order_id", filter = "NOT cancelled AND {}.quantity > 0"))]
    lines: Vec<Line>,
}

#[derive(Embed)]
#[tview(table = "tb_line")]
struct LineOfProduct {
    id: i32,
    quantity: i32,
    unit_price: Decimal,
    #[tview(one(fk = "sku", key = "sku"))]
    product: ProductPart,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct LinesWithProducts {
    id: i64,
    #[tview(many(fk = "order_id"))]
    lines: Vec<LineOfProduct>,
}

#[derive(Embed)]
#[tview(table = "tb_line")]
struct KeylessLine {
    sku: String,
    quantity: i32,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct KeylessLines {
    id: i64,
    #[tview(many(fk = "order_id", order_by = "quantity"))]
    lines: Vec<KeylessLine>,
}

#[derive(TView)]
#[tview(table = "tb_person")]
struct PersonWithOrders {
    id: Uuid,
    #[tview(many(fk = "buyer_id", order_by = "placed_at DESC"))]
    orders: Vec<OrderPart>,
}

#[derive(Embed)]
#[tview(table = "tb_order")]
struct OrderPart {
    id: i64,
    placed_at: DateTime<Utc>,
    #[tview(many(fk = "order_id"))]
    lines: Vec<LineOfProduct>,
}

#[derive(Embed)]
#[tview(table = "tb_label")]
struct LabelPart {
    id: i32,
    name: String,
}

#[derive(TView)]
#[tview(table = "tb_product")]
struct Labelled {
    #[tview(key)]
    sku: String,
    #[tview(many(through(table = "tb_product_label", fk = "sku", to = "label_id")))]
    labels: Vec<LabelPart>,
}

#[derive(TView)]
#[tview(table = "tb_product")]
struct LabelledTop {
    #[tview(key)]
    sku: String,
    #[tview(many(
        through(table = "tb_product_label", fk = "sku", to = "label_id"),
        order_by = "name DESC",
        limit = 1,
        filter = "name <> 'old'"
    ))]
    top_label: Vec<LabelPart>,
}

#[derive(Embed)]
#[tview(table = "tb_product")]
struct ProductOfLabel {
    #[tview(key)]
    sku: String,
}

#[derive(TView)]
#[tview(table = "tb_label")]
struct LabelWithProducts {
    id: i32,
    #[tview(many(through(table = "tb_product_label", fk = "label_id", to = "sku")))]
    products: Vec<ProductOfLabel>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct Counted {
    id: i64,
    #[tview(count(table = "tb_line", fk = "order_id"))]
    line_count: i64,
}

/// The count is promoted, too; the other one is of fewer rows.
#[derive(TView)]
#[tview(table = "tb_order")]
struct CountedList {
    id: i64,
    #[tview(many(fk = "order_id", order_by = "quantity"))]
    lines: Vec<LineOfProduct>,
    #[tview(count(table = "tb_line", fk = "order_id"), sort)]
    line_count: i64,
    #[tview(count(table = "tb_line", fk = "order_id", filter = "cancelled"))]
    cancelled_count: i32,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct CountedIf {
    id: i64,
    #[tview(count(table = "tb_line", fk = "order_id", filter = "NOT cancelled"))]
    line_count: i32,
    #[tview(count(table = "tb_line", fk = "order_id", expr = "DISTINCT {}.sku"))]
    product_count: i64,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct Summed {
    id: i64,
    #[tview(sum(
        table = "tb_line",
        fk = "order_id",
        expr = "{}.quantity * {}.unit_price",
        filter = "NOT cancelled"
    ))]
    total: Decimal,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "quantity"))]
    pieces: i64,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "quantity"))]
    pieces_if_any: Option<i64>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct Averaged {
    id: i64,
    #[tview(avg(table = "tb_line", fk = "order_id", expr = "{}.quantity"))]
    mean: Option<f64>,
    #[tview(min(table = "tb_line", fk = "order_id", expr = "{}.sku"))]
    first_sku: Option<String>,
    #[tview(max(table = "tb_line", fk = "order_id", expr = "{}.unit_price"))]
    dearest: Option<Decimal>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct Existing {
    id: i64,
    #[tview(exists(table = "tb_line", fk = "order_id"))]
    has_lines: bool,
    #[tview(
        exists(table = "tb_line", fk = "order_id", filter = "cancelled"),
        filter
    )]
    has_cancelled: bool,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct ManyAggregates {
    id: i64,
    #[tview(count(table = "tb_line", fk = "order_id"))]
    lines: i64,
    #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.quantity"))]
    pieces: i64,
    #[tview(max(table = "tb_line", fk = "order_id", expr = "{}.unit_price"))]
    dearest: Option<Decimal>,
    #[tview(count(table = "tb_line", fk = "order_id", filter = "cancelled"))]
    cancelled: i64,
}

#[derive(Embed)]
#[tview(table = "tb_person")]
struct Buyer {
    id: Uuid,
    #[tview(count(table = "tb_order", fk = "buyer_id"))]
    order_count: i64,
    #[tview(exists(table = "tb_order", fk = "seller_id"))]
    sells: bool,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct PartAggregates {
    id: i64,
    #[tview(one(fk = "buyer_id"))]
    buyer: Buyer,
}

#[derive(TView)]
#[tview(table = "tb_order", data = "json")]
struct Promoted {
    id: i64,
    #[tview(filter)]
    note: Option<String>,
    #[tview(sort)]
    placed_at: DateTime<Utc>,
    #[tview(filter, sort)]
    updated_at: DateTime<Utc>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct PromotedAggregates {
    id: i64,
    #[tview(count(table = "tb_line", fk = "order_id"), sort)]
    line_count: i64,
    #[tview(
        sum(table = "tb_line", fk = "order_id", expr = "{}.unit_price"),
        filter,
        sort
    )]
    total: Decimal,
    #[tview(expr = "upper({}.note)", filter)]
    loud_note: Option<String>,
}

#[derive(TView)]
struct Event {
    id: i64,
    #[tview(filter)]
    version: i32,
    #[tview(filter)]
    data: String,
    #[tview(filter)]
    _root: String,
}

#[derive(TView)]
#[tview(table = "tb_person")]
struct UniqueEmail {
    id: Uuid,
    #[tview(unique)]
    email: Option<String>,
}

#[derive(TView)]
#[tview(
    table = "app.Order Lines",
    view = "app.Order Views",
    entity = "order_line"
)]
struct OrderLine {
    #[tview(key, column = "Line Id")]
    id: i32,
    #[tview(column = "select", filter)]
    choice: String,
    #[tview(column = "say \"hi\"")]
    greeting: Option<String>,
    #[tview(one(fk = "user"))]
    group: Option<GroupPart>,
}

#[derive(Embed)]
#[tview(table = "\"app\".\"Group\"")]
struct GroupPart {
    id: i32,
    order: String,
}

#[derive(TView)]
#[tview(table = "app.Group", view = "app.user")]
struct Group {
    id: i32,
    #[tview(sort)]
    order: String,
    #[tview(many(fk = "user", order_by = "\"select\" DESC"))]
    table: Vec<LinePart>,
}

#[derive(Embed)]
#[tview(table = "app.Order Lines")]
struct LinePart {
    #[tview(key, column = "Line Id")]
    r#type: i32,
}

#[derive(TView)]
#[tview(table = "tb_label")]
struct Deep {
    id: i32,
    #[tview(many(through(table = "tb_product_label", fk = "label_id", to = "sku")))]
    products: Vec<Deep1>,
}

#[derive(Embed)]
#[tview(table = "tb_product")]
struct Deep1 {
    #[tview(key)]
    sku: String,
    #[tview(many(fk = "sku"))]
    lines: Vec<Deep2>,
}

#[derive(Embed)]
#[tview(table = "tb_line")]
struct Deep2 {
    id: i32,
    #[tview(one(fk = "order_id"))]
    order: Deep3,
}

#[derive(Embed)]
#[tview(table = "tb_order")]
struct Deep3 {
    id: i64,
    #[tview(one(fk = "seller_id"))]
    seller: Option<Deep4>,
}

#[derive(Embed)]
#[tview(table = "tb_person")]
struct Deep4 {
    name: String,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Person>,
}

macro_rules! wide {
    ($($field:ident)*) => {
        #[derive(TView)]
        #[tview(table = "tb_label")]
        struct Wide {
            id: i32,
            $(#[tview(expr = "{}.name")] $field: String,)*
        }
    };
}

wide! {
    f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f20
    f21 f22 f23 f24 f25 f26 f27 f28 f29 f30 f31 f32 f33 f34 f35 f36 f37 f38 f39 f40
    f41 f42 f43 f44 f45 f46 f47 f48 f49 f50 f51 f52 f53 f54 f55 f56 f57 f58 f59 f60
    g01 g02 g03 g04 g05 g06 g07 g08 g09 g10 g11 g12 g13 g14 g15 g16 g17 g18 g19 g20
    g21 g22 g23 g24 g25 g26 g27 g28 g29 g30 g31 g32 g33 g34 g35 g36 g37 g38 g39 g40
    g41 g42 g43 g44 g45 g46 g47 g48 g49 g50
}

/// Not in any document.
#[derive(Default)]
struct Cache;

#[derive(TView)]
#[tview(table = "tb_label")]
struct Skipping {
    id: i32,
    name: String,
    #[tview(skip)]
    _cache: Cache,
}

/// The alias of `a.b_c` and that of `a_b.c` would be the same.
#[derive(TView)]
#[tview(table = "tb_order")]
struct Colliding {
    id: i64,
    #[tview(one(fk = "buyer_id"))]
    root: Colliding1,
    #[tview(one(fk = "seller_id"))]
    root_manager: Option<Person>,
}

#[derive(Embed)]
#[tview(table = "tb_person")]
struct Colliding1 {
    id: Uuid,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Person>,
}

/// `updated_at` is the field, whose column has another name.
#[derive(TView)]
#[tview(
    table = "tb_order",
    index(on = "buyer_id, placed_at DESC NULLS LAST"),
    index(on = "updated_at, version DESC"),
    index(on = "number", include = "placed_at, buyer_id", unique),
    index(on = "placed_at", using = "brin", name = "Order \"days\""),
    index(on = "buyer_id", using = "hash", name = "buyer_hash"),
    index(expr = "lower(note)"),
    index(expr = "doc_updated_at - placed_at", filter = "note IS NOT NULL"),
    index(
        on = "placed_at, id",
        unique,
        filter = "note <> '{}' AND version > 0",
        name = "noted"
    )
)]
#[allow(clippy::duplicated_attributes)]
struct IndexedColumns {
    #[tview(key, column = "id")]
    number: i64,
    #[tview(filter)]
    buyer_id: Uuid,
    #[tview(sort)]
    placed_at: DateTime<Utc>,
    #[tview(sort)]
    updated_at: DateTime<Utc>,
    #[tview(filter)]
    note: Option<String>,
}

#[derive(TView)]
#[tview(
    table = "tb_product",
    filter = "NOT hidden",
    index(gin),
    index(gin = "tags"),
    index(gin = "meta.snake_key", filter = "listed"),
    index(fulltext = "title, meta.it's", language = "english"),
    index(fulltext = "sku", name = "product_skus")
)]
struct IndexedDocuments {
    #[tview(key)]
    sku: String,
    #[tview(sort)]
    title: String,
    tags: Vec<Option<String>>,
    meta: Value,
    #[tview(filter)]
    listed: bool,
}

/// Words can be searched in text; only GIN on the document itself cannot be.
#[derive(TView)]
#[tview(
    table = "tb_order",
    data = "json",
    index(fulltext = "note, buyer.name", language = "pg_catalog.german")
)]
struct IndexedText {
    id: i64,
    note: Option<String>,
    #[tview(one(fk = "buyer_id"))]
    buyer: Person,
}

#[derive(TView)]
#[tview(
    table = "tb_label",
    partition(hash = 3),
    index(on = "name, id", unique)
)]
struct Hashed {
    id: i32,
    #[tview(filter)]
    name: String,
}

#[derive(TView)]
#[tview(
    table = "tb_product",
    filter = "NOT hidden",
    partition(range = "A, it's"),
    unlogged,
    fillfactor = 100
)]
struct Ranged {
    #[tview(key)]
    sku: String,
    title: String,
}

#[derive(TView)]
#[tview(
    table = "tb_person",
    partition(
        range = "00000000-0000-0000-0000-000000000002, 80000000-0000-0000-0000-00000000000F"
    )
)]
struct RangedUuids {
    id: Uuid,
    name: String,
}

#[derive(TView)]
#[tview(table = "tb_label", unlogged, fillfactor = 10)]
struct Unlogged {
    id: i32,
    name: String,
}

/// The statements around the query, for a view with parts, lists and a filter.
#[test]
fn the_statements_of_a_sync() {
    use fraiseql_tests::blog::Post;
    let statements = Post::statements();
    let sync = &statements.sync;
    let mut out = format!("-- write_few\n{}\n", sync.write_few);
    writeln!(out, "\n-- write_locked_few\n{}", sync.write_locked_few).unwrap();
    for (name, sql) in [
        ("lock", &sync.lock),
        ("lock_documents", &sync.lock_documents),
        ("still_writing", &sync.still_writing),
        ("overwritten", &sync.overwritten),
        ("delete_orphans", &sync.delete_orphans),
        ("delete", &sync.delete),
        ("flaws", &sync.flaws),
        ("first_keys", &sync.first_keys),
        ("next_keys", &sync.next_keys),
        ("find", &statements.read.find),
        ("find_many", &statements.read.find_many),
        ("create_table_lz4", &statements.ddl.create_table_lz4),
    ] {
        writeln!(out, "\n-- {name}\n{sql}").unwrap();
    }
    insta::assert_snapshot!(out);
}

/// Documents that take each other's unique values.
#[test]
fn unique_columns_are_cleared_where_they_change() {
    let sync = &UniqueEmail::statements().sync;
    insta::assert_snapshot!(sync.clear_unique.as_deref().unwrap_or_default());
}

/// Inside one level of lists the planner may join; the rest is looked up, one by one.
#[test]
fn many_documents_are_joined_inside_their_lists() {
    let sync = &LinesWithProducts::statements().sync;
    assert_ne!(sync.write, sync.write_few);
    insta::assert_snapshot!(sync.write);
}

/// A list with a limit is run for each document: a join with all users would read them each time.
#[tokio::test]
async fn what_a_limited_list_embeds_is_looked_up() -> anyhow::Result<()> {
    let pool = fraiseql_tests::blog::blog().await;
    fraiseql_tests::run(
        &pool,
        "INSERT INTO tb_user SELECT md5('u' || i)::uuid, 'u' || i, 'User' FROM generate_series(1, 1000) AS i;
         INSERT INTO tb_post (id, author_id, title)
             SELECT md5('p' || i)::uuid, md5('u' || i)::uuid, 'Post' FROM generate_series(1, 1000) AS i;
         INSERT INTO tb_comment (id, post_id, author_id, content)
             SELECT md5('c' || i)::uuid, md5('p' || 1 + i % 1000)::uuid, md5('u' || 1 + i % 1000)::uuid, 'c'
             FROM generate_series(1, 10000) AS i;
         ANALYZE",
    )
    .await;
    let sql = &fraiseql_tests::blog::Post::statements().sync.write;
    let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN {sql}")))
        .bind(vec![Uuid::nil(); 500])
        .bind(Vec::<i32>::new())
        .fetch_all(&pool)
        .await?;
    let plan = plan.join("\n");
    assert!(!plan.contains("Seq Scan on tb_user"), "{plan}");
    Ok(())
}
