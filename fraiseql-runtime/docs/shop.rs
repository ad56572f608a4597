// The documents of the guide to existing databases, which shows them.

use chrono::{DateTime, Utc};
use fraiseql_runtime::{Embed, TEnum, TScalar, TView};
use rust_decimal::Decimal;

#[derive(Debug, TView)]
#[tview(table = "shop.order", view = "shop.order_document")]
pub struct Order {
    #[tview(key)]
    pub order_id: OrderId,
    #[tview(filter)]
    pub status: Status,
    #[tview(filter, sort)]
    pub placed_at: DateTime<Utc>,
    #[tview(one(fk = "customer_id"))]
    pub customer: Customer,
    #[tview(many(fk = "order_id", order_by = "line_id"))]
    pub lines: Vec<Line>,
    #[tview(sum(table = "shop.order_line", fk = "order_id", expr = "{}.quantity * {}.unit_price"))]
    pub total: Decimal,
}

#[derive(Clone, Debug, PartialEq, Eq, TScalar)]
pub struct OrderId(pub i64);

/// Stored as `open`, `paid`, `shipped`; in JSON `OPEN`, `PAID`, `SHIPPED`.
#[derive(Debug, PartialEq, TEnum)]
pub enum Status {
    Open,
    Paid,
    Shipped,
}

#[derive(Debug, Embed)]
#[tview(table = "shop.customer")]
pub struct Customer {
    #[tview(key)]
    pub customer_id: i32,
    pub name: String,
    pub email: Option<String>,
}

#[derive(Debug, Embed)]
#[tview(table = "shop.order_line")]
pub struct Line {
    #[tview(key)]
    pub line_id: i64,
    pub quantity: i32,
    pub unit_price: Decimal,
    #[tview(one(fk = "sku"))]
    pub product: Product,
}

#[derive(Debug, Embed)]
#[tview(table = "shop.product")]
pub struct Product {
    #[tview(key)]
    pub sku: String,
    pub title: String,
    #[tview(expr = "{}.deleted_at IS NULL")]
    pub available: bool,
}
