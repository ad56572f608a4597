//! Every attribute once.

use chrono::{DateTime, Utc};
use fraiseql_runtime::schema::Data;
use fraiseql_runtime::{Embed, TView};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(TView)]
#[tview(index(on = "priority", global), index(on = "priority, due_at"))]
pub struct Ticket {
    pub id: Uuid,
    #[tview(tenant)]
    pub org_id: Uuid,
    #[tview(sort, hidden)]
    pub due_at: DateTime<Utc>,
    #[tview(filter, index = false)]
    pub priority: i32,
}

#[derive(TView)]
#[tview(
    table = "app.tb_order",
    view = "read.tv_order",
    entity = "sale",
    plural = "sales_all"
)]
#[tview(
    type_name = "Sale",
    data = "json",
    sync = "eventual",
    filter = "deleted_at IS NULL"
)]
#[tview(
    index(
        on = "placed_at DESC NULLS LAST, order_no",
        unique,
        filter = "slug IS NOT NULL",
        include = "dearest",
        using = "btree",
        name = "orders_by_day"
    ),
    index(expr = "lower(slug)"),
    index(fulltext = "reference, customer.id", language = "simple")
)]
#[tview(index(on = "no, seen_at"), unlogged, fillfactor = 70)]
#[tview(partition(range = "80000000-0000-0000-0000-000000000000"))]
#[tview(serde = true, crate = ::fraiseql_runtime)]
pub struct Order {
    #[tview(key, column = "order_no", json = "number")]
    pub no: Uuid,
    #[tview(filter, sort)]
    pub reference: String,
    #[tview(filter, column = "seen_at")]
    pub seen_last: Option<DateTime<Utc>>,
    #[tview(skip)]
    pub seen: bool,
    #[tview(filter, sort)]
    pub placed_at: DateTime<Utc>,
    #[tview(sort, expr = "lower({}.title)")]
    pub slug: Option<String>,
    #[tview(one(fk = "customer_email", key = "email"))]
    pub customer: Option<Customer>,
    #[tview(many(
        fk = "order_ref",
        key = "reference",
        order_by = "position DESC NULLS LAST, \"Odd Name\"",
        limit = 50,
        filter = "NOT hidden"
    ))]
    pub lines: Vec<Line>,
    #[tview(many(through(table = "app.tb_order_tag", fk = "order_no", to = "tag_id")))]
    pub tags: Vec<Tag>,
    #[tview(many(
        through(
            table = "app.tb_order_tag",
            fk = "order_no",
            to = "tag_id",
            order_by = "place DESC"
        ),
        order_by = "id"
    ))]
    pub placed_tags: Vec<PlacedTag>,
    #[tview(many(fk = "order_ref", order_by = "count DESC, kind", limit = 3))]
    pub kinds: Box<[LineKind]>,
    #[tview(values(
        table = "app.tb_tag",
        through(table = "app.tb_order_tag", fk = "order_no", to = "tag_id", key = "id"),
        key = "reference",
        column = "name",
        order_by = "name DESC NULLS LAST",
        distinct,
        filter = "NOT hidden",
        limit = 5
    ))]
    pub tag_names: Vec<String>,
    #[tview(
        filter,
        values(table = "tb_line", fk = "order_ref", expr = "{}.price * 2")
    )]
    pub prices_doubled: Vec<Option<i64>>,
    #[tview(first(
        fk = "order_ref",
        key = "reference",
        order_by = "position DESC NULLS LAST",
        filter = "NOT hidden"
    ))]
    pub last_line: Option<Box<Line>>,
    #[tview(first(
        through(table = "app.tb_order_tag", fk = "order_no", to = "tag_id"),
        order_by = "id"
    ))]
    pub first_tag: Option<std::sync::Arc<Tag>>,
    #[tview(count(
        table = "tb_line",
        fk = "order_ref",
        key = "reference",
        filter = "NOT hidden"
    ))]
    pub line_count: i64,
    #[tview(sum(table = "tb_line", fk = "order_ref", expr = "{}.price * {}.quantity"))]
    pub total: i64,
    #[tview(count(table = "tb_line", fk = "order_ref", expr = "{}.price", distinct))]
    pub prices: i64,
    #[tview(avg(
        table = "tb_line",
        fk = "part_ref",
        key = "reference",
        expr = "{}.price",
        distinct,
        filter = "NOT hidden",
        through(
            table = "tb_part",
            fk = "order_ref",
            key = "reference",
            filter = "NOT hidden"
        )
    ))]
    pub mean_of_parts: Option<f64>,
    #[tview(avg(table = "tb_line", fk = "order_ref", expr = "{}.price"))]
    pub mean: Option<f64>,
    #[tview(min(table = "tb_line", fk = "order_ref", expr = "{}.price"))]
    pub cheapest: Option<i64>,
    #[tview(filter, max(table = "tb_line", fk = "order_ref", expr = "{}.price"))]
    pub dearest: Option<i64>,
    #[tview(exists(table = "tb_line", fk = "order_ref"))]
    pub has_lines: bool,
}

#[derive(Embed, Serialize, Deserialize)]
#[tview(
    table = "tb_customer",
    type_name = "Buyer",
    filter = "active",
    serde = false
)]
#[tview(crate = ::fraiseql_runtime)]
pub struct Customer {
    pub id: Uuid,
}

#[derive(Embed)]
#[tview(table = "tb_line")]
pub struct Line {
    pub id: i64,
    #[tview(column = "product_title", json = "product")]
    pub title: String,
}

#[derive(TView)]
#[tview(partition(hash = 4), index(gin), index(gin = "meta.any.depth"))]
pub struct Note {
    pub id: i64,
    pub meta: serde_json::Value,
}

/// Fields that are not promoted, with the names of columns that indexes use.
#[derive(TView)]
#[tview(
    index(expr = "lower(email::text)"),
    index(expr = "extract(year FROM born AT TIME ZONE 'UTC')"),
    index(
        expr = "born - date '2020-01-01'",
        filter = "email <> 'lower text' AND \"year\" > 0"
    )
)]
#[allow(clippy::duplicated_attributes)]
pub struct Person {
    pub id: i64,
    pub lower: String,
    pub text: String,
    pub date: i32,
    pub time: i32,
    #[tview(column = "yr")]
    pub year: i32,
    #[tview(sort)]
    pub born: DateTime<Utc>,
    #[tview(unique)]
    pub email: String,
}

#[derive(Embed)]
pub struct Tag {
    #[tview(key)]
    pub name: String,
}

pub async fn refresh(pool: &sqlx::PgPool) -> fraiseql_runtime::Result<()> {
    sync_sale(pool, &[Uuid::nil()]).await?;
    delete_sale(pool, &[Uuid::nil()]).await?;
    sync_all_sales_all(pool).await?;
    Ok(())
}

#[derive(Embed)]
#[tview(
    table = "tb_line",
    group_by = "kind, \"Odd Name\"",
    type_name = "Kind",
    filter = "NOT hidden"
)]
pub struct LineKind {
    #[tview(json = "name")]
    pub kind: String,
    #[tview(count)]
    pub count: i64,
    #[tview(max(expr = "{}.price", filter = "{}.price > 0"))]
    pub dearest: Option<i64>,
}

#[derive(Embed)]
#[tview(shape_of = Tag)]
pub struct PlacedTag {
    pub name: String,
    #[tview(through = "place")]
    pub place: i32,
}

fn main() {
    assert_eq!(Order::VIEW.data, Data::Json);
    assert_eq!(Order::VIEW.key.columns.to_string(), "order_no");
    assert_eq!(Order::VIEW.indexes.len(), 4);
    assert_eq!(Order::VIEW.parameters.fillfactor, 70);
    assert!(Order::VIEW.parameters.unlogged);
    assert_eq!(Note::VIEW.indexes.len(), 2);
    assert_eq!(Customer::SHAPE.type_name, "Buyer");
}
