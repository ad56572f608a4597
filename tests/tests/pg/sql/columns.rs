//! Snapshots of the SQL of columns: every scalar type, renamed, computed, filtered, promoted.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use fraiseql_runtime::{Embed, TView};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::Person;

snapshots! {
    plain_columns => Label,
    a_renamed_column_and_key => Renamed,
    every_scalar_type => Product,
    every_scalar_type_as_json_text => ProductJson,
    an_expression => Total,
    a_row_filter => Alive,
    a_row_filter_on_parts => FilteredParts,
    promoted_columns => Promoted,
    promoted_with_names_of_bookkeeping => Event,
    a_unique_column => UniqueEmail,
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

/// Documents that exchange unique values.
#[test]
fn unique_columns_are_cleared_where_they_change() {
    let sync = &UniqueEmail::statements().sync;
    insta::assert_snapshot!(sync.clear_unique.as_deref().unwrap_or_default());
}
