//! The API over HTTP: every query, every mutation, and errors with their codes.

use orders::views::RevenueByProduct;
use serde_json::{Value, json};

use crate::support::{ADA, BOB, BOOK, NOBODY, PEN, Service};

const ORDER: &str = "id number status total paid due version customer { id name }
    items { productId sku name quantity unitPrice lineTotal } payments { kind amount }";

/// Runs a command on the documents of [`ORDER`].
async fn run(service: &Service, command: &str) -> Value {
    let mutation = format!("mutation {{ order: {command} {{ {ORDER} }} }}");
    service.data(&mutation).await["order"].take()
}

async fn create(service: &Service, items: &str) -> Value {
    run(
        service,
        &format!("createOrder(customerId: \"{ADA}\", items: [{items}])"),
    )
    .await
}

fn pens(quantity: i32) -> String {
    format!("{{productId: \"{PEN}\", quantity: {quantity}}}")
}

#[tokio::test]
async fn commands_return_the_document_of_the_order() {
    let service = Service::start().await;
    let order = create(&service, &pens(2)).await;
    let id = order["id"].clone();
    let pen = json!({"productId": PEN, "sku": "PEN", "name": "Pen", "quantity": 2,
        "unitPrice": "2.50", "lineTotal": "5.00"});
    assert_eq!(
        order,
        json!({"id": id, "number": 1, "status": "PENDING", "total": "5.00", "paid": "0.00", "due": "5.00",
            "version": 1, "customer": {"id": ADA, "name": "Ada"}, "items": [pen], "payments": []})
    );

    let add = format!("addOrderItem(orderId: {id}, productId: \"{BOOK}\", expectedVersion: 1)");
    let order = run(&service, &add).await;
    assert_eq!(
        (&order["version"], &order["due"]),
        (&json!(2), &json!("15.00"))
    );
    assert_eq!(order["items"][1]["sku"], "BOOK");

    let order = run(
        &service,
        &format!("processPayment(orderId: {id}, amount: \"2.5\")"),
    )
    .await;
    assert_eq!(
        (&order["status"], &order["due"]),
        (&json!("PENDING"), &json!("12.50"))
    );
    let order = run(
        &service,
        &format!("processPayment(orderId: {id}, amount: 12.5)"),
    )
    .await;
    assert_eq!(
        (&order["status"], &order["due"]),
        (&json!("PAID"), &json!("0.00"))
    );

    let order = run(
        &service,
        &format!("updateOrderStatus(orderId: {id}, status: SHIPPED)"),
    )
    .await;
    assert_eq!(
        (&order["status"], &order["version"]),
        (&json!("SHIPPED"), &json!(5))
    );

    let second = create(&service, &pens(1)).await;
    let second = second["id"].clone();
    run(
        &service,
        &format!("processPayment(orderId: {second}, amount: \"1\")"),
    )
    .await;
    let order = run(&service, &format!("cancelOrder(orderId: {second})")).await;
    assert_eq!(
        (&order["status"], &order["due"]),
        (&json!("CANCELLED"), &json!("0.00"))
    );
    assert_eq!(
        order["payments"],
        json!([{"kind": "PAYMENT", "amount": "1.00"}, {"kind": "REFUND", "amount": "-1.00"}])
    );
    service.assert_synced().await;
}

#[tokio::test]
async fn queries_read_what_commands_have_changed() {
    let service = Service::start().await;
    let first = create(&service, &pens(6)).await;
    let second = create(&service, "").await;
    let (one, two) = (first["id"].clone(), second["id"].clone());
    run(
        &service,
        &format!("processPayment(orderId: {one}, amount: \"15\")"),
    )
    .await;
    run(
        &service,
        &format!("updateOrderStatus(orderId: {one}, status: SHIPPED)"),
    )
    .await;

    let summary = "id number status total itemCount customer { name } version";
    let query = format!("{{ ordersSummary(limit: 5) {{ {summary} }} }}");
    let newest = json!({"id": two, "number": 2, "status": "PENDING", "total": "0.00", "itemCount": 0,
        "customer": {"name": "Ada"}, "version": 1});
    let oldest = json!({"id": one, "number": 1, "status": "SHIPPED", "total": "15.00", "itemCount": 1,
        "customer": {"name": "Ada"}, "version": 3});
    assert_eq!(
        service.data(&query).await,
        json!({"ordersSummary": [newest, oldest]})
    );
    let shipped = service
        .data("{ ordersSummary(status: SHIPPED) { number } }")
        .await;
    assert_eq!(shipped, json!({"ordersSummary": [{"number": 1}]}));

    let details = service
        .data(&format!(
            "{{ orderDetails(id: {one}) {{ {ORDER} placedAt }} }}"
        ))
        .await;
    assert_eq!(
        details["orderDetails"]["payments"],
        json!([{"kind": "PAYMENT", "amount": "15.00"}])
    );
    let none = service
        .data(&format!("{{ orderDetails(id: \"{NOBODY}\") {{ id }} }}"))
        .await;
    assert_eq!(none, json!({"orderDetails": null}));

    let customer = "name email orderCount paid orders { number status total }";
    let query = format!(
        "{{ ada: customerOrders(customerId: \"{ADA}\") {{ {customer} }}
        bob: customerOrders(customerId: \"{BOB}\") {{ {customer} }} }}"
    );
    let orders = json!([{"number": 2, "status": "PENDING", "total": "0.00"},
        {"number": 1, "status": "SHIPPED", "total": "15.00"}]);
    assert_eq!(
        service.data(&query).await,
        json!({"ada": {"name": "Ada", "email": "ada@example.com", "orderCount": 2, "paid": "15.00", "orders": orders},
            "bob": {"name": "Bob", "email": "bob@example.com", "orderCount": 0, "paid": "0", "orders": []}})
    );

    let product = "sku stock reserved sold lowStock";
    let query = format!(
        "{{ all: productInventory {{ {product} }} low: productInventory(lowStock: true) {{ sku }}
        high: productInventory(lowStock: false) {{ sku }} }}"
    );
    assert_eq!(
        service.data(&query).await,
        json!({"all": [{"sku": "BOOK", "stock": 3, "reserved": 0, "sold": 0, "lowStock": true},
                {"sku": "PEN", "stock": 4, "reserved": 0, "sold": 6, "lowStock": true}],
            "low": [{"sku": "BOOK"}, {"sku": "PEN"}], "high": []})
    );

    let query = format!(
        "{{ auditLog(entity: \"order\", id: {one}, limit: 2) {{ operation entity entityId who changes }} }}"
    );
    let log = service.data(&query).await;
    let entry = &log["auditLog"][0];
    assert_eq!(entry["operation"], "update_order_status");
    assert_eq!((&entry["who"], &entry["entityId"]), (&json!("ada"), &one));
    assert_eq!(entry["changes"]["before"]["status"], "paid");
    assert_eq!(entry["changes"]["after"]["status"], "shipped");
    assert_eq!(log["auditLog"][1]["operation"], "process_payment");
    assert_eq!(log["auditLog"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn revenue_is_that_of_the_last_refresh() {
    let service = Service::start().await;
    let id = create(&service, &pens(4)).await["id"].take();
    let cancelled = create(&service, &pens(1)).await["id"].take();
    let shipped = create(&service, &pens(1)).await["id"].take();
    run(
        &service,
        &format!("processPayment(orderId: {shipped}, amount: \"2.5\")"),
    )
    .await;
    run(
        &service,
        &format!("updateOrderStatus(orderId: {shipped}, status: SHIPPED)"),
    )
    .await;
    run(&service, &format!("cancelOrder(orderId: {cancelled})")).await;

    let query = "{ revenueByProduct { sku orderCount units revenue } }";
    let pen = async |order_count: i64, units: i64, revenue: &str| {
        let rows = json!([
            {"sku": "PEN", "orderCount": order_count, "units": units, "revenue": revenue},
            {"sku": "BOOK", "orderCount": 0, "units": 0, "revenue": "0.00"},
        ]);
        assert_eq!(service.data(query).await["revenueByProduct"], rows);
    };
    let refresh = async || {
        let refreshed = service
            .app
            .orders
            .refresh::<RevenueByProduct>(&service.pool);
        refreshed.await.unwrap();
    };
    refresh().await;
    // What is pending is no revenue.
    pen(1, 1, "2.50").await;
    run(
        &service,
        &format!("processPayment(orderId: {id}, amount: \"10\")"),
    )
    .await;
    pen(1, 1, "2.50").await;
    refresh().await;
    pen(2, 5, "12.50").await;
}

#[tokio::test]
async fn amounts_in_the_audit_log_have_all_their_digits() {
    let service = Service::start().await;
    let id = create(&service, &pens(2)).await["id"].take();
    let query = format!("{{ auditLog(id: {id}) {{ changes }} }}");
    let response = service.post(&query).await.text().await.unwrap();
    assert!(response.contains("5.00"), "{response}");
}

#[tokio::test]
async fn errors_have_a_code_a_status_and_the_values_to_go_on() {
    let service = Service::start().await;
    let order = create(&service, &pens(2)).await["id"].take();
    let before = service.digest().await;
    #[rustfmt::skip]
    let cases = [
        (json!({"code": "NOT_FOUND", "status": 404}), format!("createOrder(customerId: \"{NOBODY}\") {{ id }}")),
        (json!({"code": "NOT_FOUND", "status": 404}), format!("cancelOrder(orderId: \"{NOBODY}\") {{ id }}")),
        (json!({"code": "CONFLICT", "status": 409, "expected": 3, "found": 1}), format!("cancelOrder(orderId: {order}, expectedVersion: 3) {{ id }}")),
        (json!({"code": "CONFLICT", "status": 409, "expected": 0, "found": 1}), format!("processPayment(orderId: {order}, amount: 1, expectedVersion: 0) {{ id }}")),
        (json!({"code": "OUT_OF_STOCK", "status": 409, "available": 8}), format!("addOrderItem(orderId: {order}, productId: \"{PEN}\", quantity: 9) {{ id }}")),
        (json!({"code": "WRONG_STATUS", "status": 409}), format!("updateOrderStatus(orderId: {order}, status: SHIPPED) {{ id }}")),
        (json!({"code": "TOO_MUCH", "status": 422, "due": "5.00"}), format!("processPayment(orderId: {order}, amount: \"5.01\") {{ id }}")),
        (json!({"code": "BAD_USER_INPUT", "status": 422}), format!("processPayment(orderId: {order}, amount: \"-1\") {{ id }}")),
        (json!({"code": "BAD_USER_INPUT", "status": 422}), format!("addOrderItem(orderId: {order}, productId: \"{PEN}\", quantity: 0) {{ id }}")),
        (json!({"code": "BAD_USER_INPUT", "status": 422}), "cancelOrder(orderId: 7) { id }".to_owned()),
    ];
    for (extensions, mutation) in cases {
        let error = service.error(&mutation).await;
        assert_eq!(error["extensions"], extensions, "{mutation}: {error:#}");
    }
    assert_eq!(service.digest().await, before);
    let error: Value = service
        .post("{ ordersSummary(limit: 101) { id } }")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(error["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    service.assert_synced().await;
}

#[tokio::test]
async fn the_schema_has_the_fields_that_these_tests_call() {
    let service = Service::start().await;
    let fields = "{ fields { name } }";
    let query = format!("{{ __schema {{ queryType {fields} mutationType {fields} }} }}");
    let schema = service.data(&query).await;
    let names = |kind: &str| -> Vec<String> {
        let fields = schema["__schema"][kind]["fields"].as_array().unwrap();
        let names = fields
            .iter()
            .map(|field| field["name"].as_str().unwrap().to_owned());
        names.collect()
    };
    let queries = [
        "ordersSummary",
        "orderDetails",
        "customerOrders",
        "productInventory",
        "revenueByProduct",
        "auditLog",
    ];
    assert_eq!(names("queryType"), queries);
    let mutations = [
        "createOrder",
        "addOrderItem",
        "processPayment",
        "cancelOrder",
        "updateOrderStatus",
    ];
    assert_eq!(names("mutationType"), mutations);
}
