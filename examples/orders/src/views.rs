//! The read model: what clients read of orders, customers and products. SQL, JSON and GraphQL types are
//! derived from these structs.
//!
//! Comments on structs and fields are also the descriptions in the GraphQL schema.
//!
//! No order embeds a row of `tb_products`: an item has the name and the price that it was ordered with, and
//! so a unit that leaves the stock changes one document, however many orders have the product.

use chrono::{DateTime, Utc};
use fraiseql_runtime::model::ReadModelBuilder;
use fraiseql_runtime::{Capture, Embed, ReadModel, TEnum, TView};
use rust_decimal::Decimal;
use uuid::Uuid;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TEnum)]
#[tview(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Items can be added, and an amount may be due.
    Pending,
    /// Nothing is due.
    Paid,
    /// It has left the stock.
    Shipped,
    /// It has arrived.
    Delivered,
    /// Its products are in stock again, and its payments are refunded.
    Cancelled,
}

/// An order in a list of orders.
#[derive(Debug, TView)]
#[tview(table = "tb_orders", plural = "order_summaries", data = "json")]
pub struct OrderSummary {
    /// The key.
    pub id: Uuid,
    /// The number for people.
    pub number: i64,
    /// Where it stands.
    #[tview(filter)]
    pub status: OrderStatus,
    /// The sum of its items.
    pub total: Decimal,
    /// The number of its items.
    #[tview(count(table = "tb_order_items", fk = "order_id"))]
    pub item_count: i64,
    /// Who ordered.
    #[tview(one(fk = "customer_id"))]
    pub customer: OrderCustomer,
    /// When it was created.
    #[tview(sort)]
    pub placed_at: DateTime<Utc>,
    /// The number of its last change. Pass it to a command as `expectedVersion`.
    pub version: i32,
}

/// An order with everything that its page shows.
#[derive(Debug, TView)]
#[tview(table = "tb_orders", plural = "all_order_details", data = "json")]
pub struct OrderDetails {
    /// The key.
    pub id: Uuid,
    /// The number for people.
    pub number: i64,
    /// Where it stands.
    pub status: OrderStatus,
    /// Who ordered.
    #[tview(one(fk = "customer_id"))]
    pub customer: OrderCustomer,
    /// Its items, in the order in which they were added.
    #[tview(many(fk = "order_id"))]
    pub items: Vec<OrderItem>,
    /// Its payments and refunds, oldest first.
    #[tview(many(fk = "order_id"))]
    pub payments: Vec<OrderPayment>,
    /// The sum of its items.
    pub total: Decimal,
    /// The sum of its payments and refunds.
    pub paid: Decimal,
    /// What is still to be paid; 0 if it is cancelled.
    #[tview(expr = "CASE {}.status WHEN 'cancelled' THEN 0.00 ELSE {}.total - {}.paid END")]
    pub due: Decimal,
    /// When it was created.
    pub placed_at: DateTime<Utc>,
    /// The number of its last change. Pass it to a command as `expectedVersion`.
    pub version: i32,
}

/// A customer with the latest orders.
#[derive(Debug, TView)]
#[tview(table = "tb_customers", plural = "all_customer_orders", data = "json")]
pub struct CustomerOrders {
    /// The key.
    pub id: Uuid,
    /// The address for messages.
    pub email: String,
    /// The full name.
    pub name: String,
    /// The number of all orders.
    #[tview(count(table = "tb_orders", fk = "customer_id"))]
    pub order_count: i64,
    /// What was paid for all orders, without refunds.
    #[tview(sum(table = "tb_orders", fk = "customer_id", expr = "{}.paid"))]
    pub paid: Decimal,
    /// The latest ten orders, newest first.
    #[tview(many(fk = "customer_id", order_by = "placed_at DESC", limit = 10))]
    pub orders: Vec<CustomerOrder>,
}

/// Where the units of a product are.
#[derive(Debug, TView)]
#[tview(table = "tb_products", plural = "all_product_inventory", data = "json")]
pub struct ProductInventory {
    /// The key.
    pub id: Uuid,
    /// The number in the catalogue.
    #[tview(filter, sort)]
    pub sku: String,
    /// What it is called.
    pub name: String,
    /// What one unit costs.
    pub price: Decimal,
    /// Units that can be ordered.
    pub stock: i32,
    /// Units of orders that are not shipped.
    pub reserved: i32,
    /// Units of orders that are shipped.
    pub sold: i32,
    /// Whether the stock is at the product's threshold, or below.
    #[tview(expr = "{}.stock <= {}.low_stock_threshold", filter)]
    pub low_stock: bool,
    /// The number of its last change.
    pub version: i32,
}

/// What a product has brought in.
///
/// A paid order changes the sum of each of its products, and a report is rarely read: its documents are a
/// materialized view, which the worker refreshes every minute.
#[derive(Debug, TView)]
#[tview(
    table = "v_product_revenue",
    plural = "all_revenue_by_product",
    storage = "matview",
    refresh = "1m"
)]
pub struct RevenueByProduct {
    /// The key of the product.
    pub id: Uuid,
    /// The number in the catalogue.
    pub sku: String,
    /// What it is called.
    pub name: String,
    /// The number of orders that are paid.
    pub order_count: i64,
    /// The units in these orders.
    pub units: i64,
    /// What these units cost.
    #[tview(sort)]
    pub revenue: Decimal,
}

/// A command that was committed: what it has changed, and who called it.
///
/// Rows of the audit log never change, and few are read. So it has no stored documents: they are built when
/// they are read.
#[derive(Debug, TView)]
#[tview(table = "tb_audit_log", plural = "audit_entries", storage = "live")]
pub struct AuditEntry {
    /// The key. Keys ascend in the order in which the commands on a row ran.
    pub id: i64,
    /// The command, such as `create_order`.
    pub operation: String,
    /// The kind of row: `order`.
    #[tview(filter)]
    pub entity: String,
    /// Its key.
    #[tview(filter)]
    pub entity_id: Uuid,
    /// Who called the command.
    pub who: String,
    /// When its transaction began.
    pub at: DateTime<Utc>,
    /// The row `before` and `after` the command, with its columns as keys.
    pub changes: serde_json::Value,
}

/// A customer inside an order.
#[derive(Debug, Embed)]
#[tview(table = "tb_customers")]
pub struct OrderCustomer {
    /// The key.
    pub id: Uuid,
    /// The full name.
    pub name: String,
}

/// An item inside its order, as it was ordered.
#[derive(Debug, Embed)]
#[tview(table = "tb_order_items")]
pub struct OrderItem {
    /// The key.
    pub id: i64,
    /// The product.
    pub product_id: Uuid,
    /// The number of the product in the catalogue.
    pub sku: String,
    /// What the product was called.
    pub name: String,
    /// The number of units.
    pub quantity: i32,
    /// What one unit cost.
    pub unit_price: Decimal,
    /// What all units cost.
    pub line_total: Decimal,
}

/// A payment or a refund inside its order.
#[derive(Debug, Embed)]
#[tview(table = "tb_payments")]
pub struct OrderPayment {
    /// The key.
    pub id: i64,
    /// Which of the two it is.
    pub kind: PaymentKind,
    /// The amount; negative if it is a refund.
    pub amount: Decimal,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// The direction of an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TEnum)]
#[tview(rename_all = "snake_case")]
pub enum PaymentKind {
    /// From the customer.
    Payment,
    /// To the customer.
    Refund,
}

/// An order inside its customer.
#[derive(Debug, Embed)]
#[tview(table = "tb_orders", shape_of = OrderSummary)]
pub struct CustomerOrder {
    /// The key.
    pub id: Uuid,
    /// The number for people.
    pub number: i64,
    /// Where it stands.
    pub status: OrderStatus,
    /// The sum of its items.
    pub total: Decimal,
    /// When it was created.
    pub placed_at: DateTime<Utc>,
}

/// The views of the service. Triggers record which rows change, whoever changes them.
pub fn read_model() -> ReadModelBuilder {
    ReadModel::builder()
        .view::<OrderSummary>()
        .view::<OrderDetails>()
        .view::<CustomerOrders>()
        .view::<ProductInventory>()
        .view::<RevenueByProduct>()
        .view::<AuditEntry>()
        .capture(Capture::Queue)
}
