//! Other programs: what they change by SQL is in the documents a moment later.

use fraiseql_runtime::TView as _;
use orders::views::{CustomerOrders, OrderDetails, OrderStatus, OrderSummary, ProductInventory};

use crate::functions::order;
use crate::support::{ADA, PEN, Service, assert_synced, eventually};

#[tokio::test]
async fn functions_that_other_programs_call_are_picked_up_by_the_worker() {
    let service = Service::start().await;
    let id = order(&service, &[(PEN, 6)]).await;
    eventually("the order has a document", async || {
        OrderDetails::find(&service.pool, id)
            .await
            .unwrap()
            .is_some()
    })
    .await;
    service
        .call::<i32>(&format!("fn_process_payment('{id}', 15)"))
        .await;
    service
        .call::<i32>(&format!("fn_update_order_status('{id}', 'shipped')"))
        .await;
    eventually("the document has the last command", async || {
        let details = OrderDetails::find(&service.pool, id)
            .await
            .unwrap()
            .unwrap();
        details.version == 3
    })
    .await;
    eventually("nothing is pending", async || {
        let changes = service.app.orders.changes(&service.pool).await.unwrap();
        changes.pending == 0
    })
    .await;

    let details = OrderDetails::find(&service.pool, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(details.status, OrderStatus::Shipped);
    assert_eq!(details.payments.len(), 1);
    let summary = OrderSummary::find(&service.pool, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (summary.item_count, summary.customer.name.as_str()),
        (1, "Ada")
    );
    let customer = CustomerOrders::find(&service.pool, ADA)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((customer.order_count, customer.orders[0].id), (1, id));
    let pen = ProductInventory::find(&service.pool, PEN)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (pen.stock, pen.reserved, pen.sold, pen.low_stock),
        (4, 0, 6, true)
    );
    service.assert_synced().await;
}

#[tokio::test]
async fn rows_that_other_programs_change_are_picked_up_by_the_worker() {
    let service = Service::start().await;
    let id = order(&service, &[(PEN, 1)]).await;
    sqlx::query("UPDATE tb_customers SET name = 'Countess' WHERE id = $1")
        .bind(ADA)
        .execute(&service.pool)
        .await
        .unwrap();
    eventually("the order has the name", async || {
        let details = OrderDetails::find(&service.pool, id).await.unwrap();
        details.is_some_and(|details| details.customer.name == "Countess")
    })
    .await;
    service
        .app
        .orders
        .worker(&service.pool)
        .drain()
        .await
        .unwrap();
    service.assert_synced().await;
}

#[tokio::test]
async fn a_shutdown_leaves_no_document_behind() {
    let service = Service::start().await;
    let id = order(&service, &[(PEN, 1)]).await;
    service.background.close().await.unwrap();
    let details = OrderDetails::find(&service.pool, id).await.unwrap();
    assert!(details.is_some());
    assert_synced(&service.app.orders, &service.pool).await;
}

#[tokio::test]
async fn the_audit_log_has_no_triggers() {
    let service = Service::start().await;
    let tables: Vec<String> = service
        .value(
            "SELECT array_agg(DISTINCT tgrelid::regclass::text ORDER BY tgrelid::regclass::text)
             FROM pg_trigger WHERE tgname LIKE 'fraiseql%'",
        )
        .await;
    let documents_are_made_of = [
        "tb_customers",
        "tb_order_items",
        "tb_orders",
        "tb_payments",
        "tb_products",
    ];
    assert_eq!(tables, documents_are_made_of);
}
