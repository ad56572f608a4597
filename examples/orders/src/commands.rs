//! The commands: each calls a function of the database in a mutation, and commits it together with every
//! document that the function has changed.
//!
//! The functions take their locks in one order, so commands do not deadlock with each other. Should one with
//! other programs, it is run again by [`mutate!`](fraiseql_runtime::mutate).

use fraiseql_runtime::{TEnum as _, mutate};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::QueryScalar;
use sqlx::types::Json;
use sqlx::{Decode, Type, query_scalar};
use uuid::Uuid;

use crate::app::App;
use crate::error::Result;
use crate::views::OrderStatus;

/// A statement that calls a function, with its arguments.
type Function<'q, T> = QueryScalar<'q, Postgres, T, PgArguments>;

/// A product and how many units of it are ordered.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct NewItem {
    /// The product.
    pub product_id: Uuid,
    /// The number of units.
    pub quantity: i32,
}

/// The caller of a command.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Who is written to the audit log.
    pub who: &'a str,
    /// The version of the order that the caller has read; `None` compares nothing.
    pub expected_version: Option<i32>,
}

/// Calls a function of the database.
async fn run<'q, T>(app: &App, function: impl Fn() -> Function<'q, T>) -> Result<T>
where
    T: for<'r> Decode<'r, Postgres> + Type<Postgres> + Send + Unpin,
{
    let (value, _) = mutate!(app.orders, app.commands, |m| -> Result<T> {
        // A document that cannot be written fails the command.
        m.strict();
        Ok(function().fetch_one(&mut **m).await?)
    })
    .await?;
    Ok(value)
}

/// Creates an order with items, which may be none, and returns its id.
///
/// # Errors
/// If a row does not exist, a quantity is invalid, or too few units are in stock.
pub async fn create_order(app: &App, customer: Uuid, items: &[NewItem], who: &str) -> Result<Uuid> {
    run(app, || {
        query_scalar("SELECT fn_create_order($1, $2, $3)")
            .bind(customer)
            .bind(Json(items))
            .bind(who)
    })
    .await
}

/// Adds a product to a pending order, at its price of today. Returns the order's new version.
///
/// # Errors
/// If a row does not exist, the order has changed or is not pending, the quantity is invalid, or too few
/// units are in stock.
pub async fn add_order_item(app: &App, order: Uuid, item: NewItem, call: Call<'_>) -> Result<i32> {
    run(app, || {
        query_scalar("SELECT fn_add_order_item($1, $2, $3, $4, $5)")
            .bind(order)
            .bind(item.product_id)
            .bind(item.quantity)
            .bind(call.expected_version)
            .bind(call.who)
    })
    .await
}

/// Takes a payment of the amount due, or of a part of it; the last one makes the order paid. Returns the
/// order's new version.
///
/// # Errors
/// If the order does not exist, has changed or is not pending, or if the amount is not a positive one with
/// two decimals, or is more than what is due.
pub async fn process_payment(
    app: &App,
    order: Uuid,
    amount: Decimal,
    call: Call<'_>,
) -> Result<i32> {
    run(app, || {
        query_scalar("SELECT fn_process_payment($1, $2, $3, $4)")
            .bind(order)
            .bind(amount)
            .bind(call.expected_version)
            .bind(call.who)
    })
    .await
}

/// Cancels an order that is not shipped: its products are in stock again, and what was paid is refunded.
/// Returns the order's new version.
///
/// # Errors
/// If the order does not exist, has changed, or is shipped, delivered or cancelled.
pub async fn cancel_order(app: &App, order: Uuid, call: Call<'_>) -> Result<i32> {
    run(app, || {
        query_scalar("SELECT fn_cancel_order($1, $2, $3)")
            .bind(order)
            .bind(call.expected_version)
            .bind(call.who)
    })
    .await
}

/// Moves an order to its next status: paid, shipped, delivered. Returns the order's new version.
///
/// # Errors
/// If the order does not exist, has changed, or has another next status.
pub async fn update_order_status(
    app: &App,
    order: Uuid,
    status: OrderStatus,
    call: Call<'_>,
) -> Result<i32> {
    run(app, || {
        query_scalar("SELECT fn_update_order_status($1, $2, $3, $4)")
            .bind(order)
            .bind(status.label())
            .bind(call.expected_version)
            .bind(call.who)
    })
    .await
}
