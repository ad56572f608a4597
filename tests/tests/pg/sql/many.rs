//! Snapshots of the SQL of lists: ordered, limited, filtered, nested, through join tables.

use chrono::{DateTime, Utc};
use fraiseql_runtime::{Embed, TView};
use fraiseql_tests::world::blog;
use rust_decimal::Decimal;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Line, Person, ProductPart};

snapshots! {
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
    the_first_row_of_a_list => FirstLine,
    many_in_the_order_of_a_join_table => RankedLabels,
    values_of_rows => LineValues,
    values_through_a_table => LabelNames,
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
pub(super) struct LineOfProduct {
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

/// Within one level of lists the planner may join; deeper rows are looked up one by one.
#[test]
fn many_documents_are_joined_inside_their_lists() {
    let sync = &LinesWithProducts::statements().sync;
    assert_ne!(sync.write, sync.write_few);
    insta::assert_snapshot!(sync.write);
}

/// A list with a limit runs once for each document: a join with all users would read them each
/// time.
#[tokio::test]
async fn rows_embedded_in_a_limited_list_are_looked_up() -> anyhow::Result<()> {
    let pool = blog::migrated(0).await;
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
    let sql = &blog::Post::statements().sync.write;
    let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN {sql}")))
        .bind(vec![Uuid::nil(); 500])
        .bind(None::<i32>)
        .bind(true)
        .fetch_all(&pool)
        .await?;
    let plan = plan.join("\n");
    assert!(!plan.contains("Seq Scan on tb_user"), "{plan}");
    Ok(())
}

/// The first of the lines with its product, and the first label of that.
#[derive(TView)]
#[tview(table = "tb_order")]
struct FirstLine {
    id: i64,
    #[tview(first(
        fk = "order_id",
        order_by = "unit_price DESC",
        filter = "NOT cancelled"
    ))]
    dearest: Option<LineWithLabel>,
}

#[derive(Embed)]
#[tview(table = "tb_line")]
struct LineWithLabel {
    id: i32,
    quantity: i32,
    #[tview(one(fk = "sku", key = "sku"))]
    product: LabelledFirst,
}

#[derive(Embed)]
#[tview(table = "tb_product")]
struct LabelledFirst {
    #[tview(key)]
    sku: String,
    #[tview(first(
        through(table = "tb_product_label", fk = "sku", to = "label_id"),
        order_by = "name"
    ))]
    label: Option<LabelPart>,
}

#[derive(TView)]
#[tview(table = "tb_order")]
struct LineValues {
    id: i64,
    #[tview(values(table = "tb_line", fk = "order_id", column = "id"))]
    ids: Vec<i32>,
    #[tview(values(
        table = "tb_line",
        fk = "order_id",
        column = "unit_price",
        order_by = "unit_price DESC",
        distinct,
        limit = 2,
        filter = "NOT cancelled"
    ))]
    prices: Vec<Decimal>,
    #[tview(values(
        table = "tb_line",
        fk = "order_id",
        expr = "lower({}.sku)",
        order_by = "quantity DESC"
    ))]
    products: Vec<String>,
}

#[derive(TView)]
#[tview(table = "tb_product", data = "json")]
struct LabelNames {
    #[tview(key)]
    sku: String,
    #[tview(values(
        table = "tb_label",
        through(table = "tb_product_label", fk = "sku", to = "label_id"),
        column = "name"
    ))]
    labels: Vec<String>,
}

#[derive(TView)]
#[tview(table = "tb_product")]
struct RankedLabels {
    #[tview(key)]
    sku: String,
    #[tview(many(through(
        table = "tb_product_label",
        fk = "sku",
        to = "label_id",
        order_by = "rank"
    )))]
    labels: Vec<RankedLabel>,
    #[tview(many(
        through(
            table = "tb_product_label",
            fk = "sku",
            to = "label_id",
            order_by = "rank DESC"
        ),
        order_by = "name",
        limit = 1
    ))]
    last: Vec<RankedLabel>,
}

#[derive(Embed)]
#[tview(table = "tb_label")]
struct RankedLabel {
    id: i32,
    name: String,
    #[tview(through = "rank")]
    rank: Option<i32>,
}
