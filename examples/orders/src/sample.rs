//! Sample rows for an empty database, by the commands that clients call.

use anyhow::{Context as _, Result};
use fraiseql_runtime::TView as _;
use uuid::Uuid;

use crate::app::App;
use crate::commands::{self, Call, NewItem};
use crate::views::{OrderDetails, OrderStatus, RevenueByProduct};

/// The number of customers and of products, whose IDs are the numbers from 1.
const CUSTOMERS: u128 = 20;
const PRODUCTS: u128 = 50;
/// The stock of each seventh product is empty.
const CUSTOMERS_AND_PRODUCTS: &str = "
    INSERT INTO tb_customers (id, email, name)
    SELECT lpad(to_hex(i), 32, '0')::uuid, 'customer' || i || '@example.com', 'Customer ' || i
    FROM generate_series(1, 20) AS i;
    INSERT INTO tb_products (id, sku, name, price, stock)
    SELECT lpad(to_hex(i), 32, '0')::uuid, 'SKU-' || lpad(i::text, 4, '0'), 'Product ' || i, i * 2.5,
           i % 7 * 400
    FROM generate_series(1, 50) AS i";

/// Who is written to the audit log.
const WHO: Call<'static> = Call {
    who: "sample",
    expected_version: None,
};

/// Fills an empty database with customers, products and this number of orders. One that has customers, or
/// a number of zero, is left as it is.
///
/// # Errors
/// Errors of the database.
pub async fn fill(app: &App, orders: u32) -> Result<()> {
    let is_filled: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM tb_customers)")
        .fetch_one(&app.commands)
        .await?;
    if is_filled || orders == 0 {
        return Ok(());
    }
    let mut m = app.orders.mutation(&app.commands).await?;
    sqlx::raw_sql(CUSTOMERS_AND_PRODUCTS)
        .execute(&mut *m)
        .await?;
    m.commit().await?;
    for number in 0..orders {
        order(app, number.into()).await?;
    }
    app.orders
        .refresh::<RevenueByProduct>(&app.commands)
        .await?;
    Ok(())
}

/// Of each four orders one is pending, one paid, one shipped and one cancelled.
async fn order(app: &App, number: u128) -> Result<()> {
    // Not a product with an empty stock: none whose number is divisible by seven.
    let product = |seed: u128| Uuid::from_u128(seed % (PRODUCTS / 7) * 7 + 1 + seed % 6);
    let items = [
        (product(number), 1 + i32::from(number.is_multiple_of(3))),
        (product(number + 5), 1),
    ];
    let items = items.map(|(product_id, quantity)| NewItem {
        product_id,
        quantity,
    });
    let customer = Uuid::from_u128(1 + number % CUSTOMERS);
    let id = commands::create_order(app, customer, &items, WHO.who).await?;
    if number.is_multiple_of(4) {
        return Ok(());
    }
    let details = OrderDetails::find(&app.commands, id)
        .await?
        .context("an order that was created has a document")?;
    commands::process_payment(app, id, details.due, WHO).await?;
    match number % 4 {
        2 => drop(commands::update_order_status(app, id, OrderStatus::Shipped, WHO).await?),
        3 => drop(commands::cancel_order(app, id, WHO).await?),
        _ => {}
    }
    Ok(())
}
