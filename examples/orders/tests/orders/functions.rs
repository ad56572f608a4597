//! The functions, called by SQL: each rule, and each refusal.

use serde_json::{Value, json};
use sqlx::postgres::PgDatabaseError;
use uuid::Uuid;

use crate::support::{ADA, BOOK, NOBODY, PEN, Service};

/// `[{"product_id": .., "quantity": ..}]`, as an argument.
pub(crate) fn items(items: &[(Uuid, i32)]) -> String {
    let items = items
        .iter()
        .map(|(product, quantity)| json!({"product_id": product, "quantity": quantity}));
    format!("'{}'", Value::from_iter(items))
}

/// Creates an order by Ada.
pub(crate) async fn order(service: &Service, of: &[(Uuid, i32)]) -> Uuid {
    let call = format!("fn_create_order('{ADA}', {})", items(of));
    service.call(&call).await
}

/// The row of an order as JSON.
async fn row(service: &Service, order: Uuid) -> Value {
    let sql = format!("SELECT to_jsonb(o) FROM tb_orders AS o WHERE id = '{order}'");
    service.value(&sql).await
}

/// Stock, reserved, sold.
async fn units(service: &Service, product: Uuid) -> Vec<i32> {
    let sql =
        format!("SELECT ARRAY[stock, reserved, sold] FROM tb_products WHERE id = '{product}'");
    service.value(&sql).await
}

/// Calls a function that must refuse and change nothing. Returns SQLSTATE, DETAIL and the texts.
async fn refused(service: &Service, call: &str) -> (String, Value, String) {
    let before = service.digest().await;
    let sql = sqlx::AssertSqlSafe(format!("SELECT {call}"));
    let error = sqlx::query(sql).execute(&service.pool).await.unwrap_err();
    assert_eq!(service.digest().await, before, "{call}");
    let error = error.as_database_error().unwrap();
    let error = error.downcast_ref::<PgDatabaseError>();
    let detail = error.detail().unwrap_or("null");
    let hint = error.hint().expect("says how to go on");
    (
        error.code().to_owned(),
        serde_json::from_str(detail).unwrap(),
        format!("{}. {hint}", error.message()),
    )
}

#[tokio::test]
async fn an_order_takes_its_items_from_the_stock() {
    let service = Service::start().await;
    // Twice the same product is one item.
    let order = order(&service, &[(BOOK, 1), (PEN, 2), (PEN, 1)]).await;
    let row = row(&service, order).await;
    assert_eq!(row["status"], "pending");
    assert_eq!((&row["total"], &row["paid"]), (&json!(17.5), &json!(0.0)));
    assert_eq!(row["version"], 1);
    assert_eq!(units(&service, PEN).await, [7, 3, 0]);
    assert_eq!(units(&service, BOOK).await, [2, 1, 0]);
    let lines: Value = service
        .value("SELECT jsonb_agg(jsonb_build_array(sku, name, quantity, unit_price, line_total) ORDER BY id) FROM tb_order_items")
        .await;
    assert_eq!(
        lines,
        json!([["PEN", "Pen", 3, 2.5, 7.5], ["BOOK", "Book", 1, 10.0, 10.0]])
    );
}

#[tokio::test]
async fn an_item_keeps_the_price_that_it_was_ordered_at() {
    let service = Service::start().await;
    let order = order(&service, &[(PEN, 1)]).await;
    sqlx::query("UPDATE tb_products SET price = 3, name = 'Pencil' WHERE sku = 'PEN'")
        .execute(&service.pool)
        .await
        .unwrap();
    let version: i32 = service
        .call(&format!("fn_add_order_item('{order}', '{PEN}', 1)"))
        .await;
    assert_eq!(version, 2);
    let prices: Vec<String> = service
        .value("SELECT array_agg(name || ' ' || unit_price ORDER BY id) FROM tb_order_items")
        .await;
    assert_eq!(prices, ["Pen 2.50", "Pencil 3.00"]);
    assert_eq!(row(&service, order).await["total"], json!(5.5));
}

#[tokio::test]
async fn an_order_goes_from_pending_to_delivered() {
    let service = Service::start().await;
    let order = order(&service, &[(PEN, 4)]).await;
    // A part, and the rest, which makes it paid.
    service
        .call::<i32>(&format!("fn_process_payment('{order}', 2.50)"))
        .await;
    assert_eq!(row(&service, order).await["status"], "pending");
    service
        .call::<i32>(&format!("fn_process_payment('{order}', 7.5)"))
        .await;
    assert_eq!(row(&service, order).await["status"], "paid");
    assert_eq!(units(&service, PEN).await, [6, 4, 0]);
    service
        .call::<i32>(&format!("fn_update_order_status('{order}', 'shipped')"))
        .await;
    assert_eq!(units(&service, PEN).await, [6, 0, 4]);
    let last: i32 = service
        .call(&format!(
            "fn_update_order_status('{order}', 'delivered', 4)"
        ))
        .await;
    assert_eq!(last, 5);
    assert_eq!(row(&service, order).await["status"], "delivered");
}

#[tokio::test]
async fn an_order_that_costs_nothing_is_paid_by_its_status() {
    let service = Service::start().await;
    sqlx::query("UPDATE tb_products SET price = 0 WHERE sku = 'PEN'")
        .execute(&service.pool)
        .await
        .unwrap();
    let free = order(&service, &[(PEN, 1)]).await;
    service
        .call::<i32>(&format!("fn_update_order_status('{free}', 'paid')"))
        .await;
    assert_eq!(row(&service, free).await["status"], "paid");

    let empty = order(&service, &[]).await;
    let (code, _, text) = refused(
        &service,
        &format!("fn_update_order_status('{empty}', 'paid')"),
    )
    .await;
    assert_eq!(code, "OR004");
    assert!(text.contains("no items"), "{text}");
}

#[tokio::test]
async fn a_cancelled_order_gives_back_units_and_money() {
    let service = Service::start().await;
    let order = order(&service, &[(PEN, 4), (BOOK, 1)]).await;
    service
        .call::<i32>(&format!("fn_process_payment('{order}', 20)"))
        .await;
    service
        .call::<i32>(&format!("fn_cancel_order('{order}', 2)"))
        .await;
    let row = row(&service, order).await;
    assert_eq!(
        (&row["status"], &row["paid"]),
        (&json!("cancelled"), &json!(0.0))
    );
    assert_eq!(units(&service, PEN).await, [10, 0, 0]);
    assert_eq!(units(&service, BOOK).await, [3, 0, 0]);
    let payments: Vec<String> = service
        .value("SELECT array_agg(kind || ' ' || amount ORDER BY id) FROM tb_payments")
        .await;
    assert_eq!(payments, ["payment 20.00", "refund -20.00"]);
}

#[tokio::test]
async fn each_command_writes_one_row_of_the_audit_log() {
    let service = Service::start().await;
    let order: Uuid = service
        .call(&format!(
            "fn_create_order('{ADA}', {}, 'eve')",
            items(&[(PEN, 1)])
        ))
        .await;
    service
        .call::<i32>(&format!(
            "fn_add_order_item('{order}', '{PEN}', 1, who => 'eve')"
        ))
        .await;
    service
        .call::<i32>(&format!("fn_process_payment('{order}', 5, who => 'eve')"))
        .await;
    service
        .call::<i32>(&format!(
            "fn_update_order_status('{order}', 'shipped', who => 'eve')"
        ))
        .await;
    let log: Value = service
        .value(&format!(
            "SELECT jsonb_agg(jsonb_build_array(operation, entity, who,
                 changes -> 'before' -> 'version', changes -> 'after' -> 'version') ORDER BY id)
             FROM tb_audit_log WHERE entity_id = '{order}'"
        ))
        .await;
    assert_eq!(
        log,
        json!([
            ["create_order", "order", "eve", null, 1],
            ["add_order_item", "order", "eve", 1, 2],
            ["process_payment", "order", "eve", 2, 3],
            ["update_order_status", "order", "eve", 3, 4],
        ])
    );
    // Without a name, it is the user of the session.
    let second = self::order(&service, &[]).await;
    service
        .call::<i32>(&format!("fn_cancel_order('{second}')"))
        .await;
    let is_user: bool = service
        .value(&format!(
            "SELECT bool_and(who = session_user) FROM tb_audit_log WHERE entity_id = '{second}'"
        ))
        .await;
    assert!(is_user);
}

#[tokio::test]
async fn what_a_rule_forbids_is_refused_and_changes_nothing() {
    let service = Service::start().await;
    let pending = order(&service, &[(PEN, 2)]).await;
    let shipped = order(&service, &[(PEN, 2)]).await;
    service
        .call::<i32>(&format!("fn_process_payment('{shipped}', 5)"))
        .await;
    service
        .call::<i32>(&format!("fn_update_order_status('{shipped}', 'shipped')"))
        .await;
    let cancelled = order(&service, &[]).await;
    service
        .call::<i32>(&format!("fn_cancel_order('{cancelled}')"))
        .await;

    let what = |what: &str, id: Uuid| json!({"what": what, "id": id});
    let argument = |name: &str| json!({"argument": name});
    let is = |status: &str| json!({"status": status});
    let create = |of: &[(Uuid, i32)]| format!("fn_create_order('{ADA}', {})", items(of));
    #[rustfmt::skip]
    let cases = [
        ("OR001", what("customer", NOBODY), format!("fn_create_order('{NOBODY}')")),
        ("OR001", what("product", NOBODY), create(&[(PEN, 1), (NOBODY, 1)])),
        ("OR001", what("order", NOBODY), format!("fn_add_order_item('{NOBODY}', '{PEN}', 1)")),
        ("OR001", what("product", NOBODY), format!("fn_add_order_item('{pending}', '{NOBODY}', 1)")),
        ("OR001", what("order", NOBODY), format!("fn_process_payment('{NOBODY}', 1)")),
        ("OR001", what("order", NOBODY), format!("fn_cancel_order('{NOBODY}')")),
        ("OR001", what("order", NOBODY), format!("fn_update_order_status('{NOBODY}', 'paid')")),
        ("OR002", json!({"expected": 7, "found": 1}), format!("fn_add_order_item('{pending}', '{PEN}', 1, 7)")),
        ("OR002", json!({"expected": 7, "found": 1}), format!("fn_process_payment('{pending}', 1, 7)")),
        ("OR002", json!({"expected": 7, "found": 1}), format!("fn_cancel_order('{pending}', 7)")),
        ("OR002", json!({"expected": 7, "found": 1}), format!("fn_update_order_status('{pending}', 'paid', 7)")),
        ("OR003", json!({"product": BOOK, "requested": 4, "available": 3}), create(&[(PEN, 1), (BOOK, 4)])),
        ("OR003", json!({"product": BOOK, "requested": 4, "available": 3}), create(&[(BOOK, 2), (BOOK, 2)])),
        ("OR003", json!({"product": PEN, "requested": 7, "available": 6}), format!("fn_add_order_item('{pending}', '{PEN}', 7)")),
        ("OR004", is("shipped"), format!("fn_add_order_item('{shipped}', '{PEN}', 1)")),
        ("OR004", is("cancelled"), format!("fn_add_order_item('{cancelled}', '{PEN}', 1)")),
        ("OR004", is("shipped"), format!("fn_process_payment('{shipped}', 1)")),
        ("OR004", is("cancelled"), format!("fn_process_payment('{cancelled}', 1)")),
        ("OR004", is("shipped"), format!("fn_cancel_order('{shipped}')")),
        ("OR004", is("cancelled"), format!("fn_cancel_order('{cancelled}')")),
        ("OR004", is("pending"), format!("fn_update_order_status('{pending}', 'paid')")),
        ("OR004", is("pending"), format!("fn_update_order_status('{pending}', 'shipped')")),
        ("OR004", is("pending"), format!("fn_update_order_status('{pending}', 'pending')")),
        ("OR004", is("pending"), format!("fn_update_order_status('{pending}', 'cancelled')")),
        ("OR004", is("shipped"), format!("fn_update_order_status('{shipped}', 'paid')")),
        ("OR004", is("shipped"), format!("fn_update_order_status('{shipped}', 'shipped')")),
        ("OR004", is("cancelled"), format!("fn_update_order_status('{cancelled}', 'pending')")),
        ("OR005", json!({"amount": "5.01", "due": "5.00"}), format!("fn_process_payment('{pending}', 5.01)")),
        ("OR005", json!({"amount": "NaN", "due": "5.00"}), format!("fn_process_payment('{pending}', 'NaN')")),
        ("OR006", argument("amount"), format!("fn_process_payment('{pending}', 0)")),
        ("OR006", argument("amount"), format!("fn_process_payment('{pending}', -1)")),
        ("OR006", argument("amount"), format!("fn_process_payment('{pending}', 0.001)")),
        ("OR006", argument("amount"), format!("fn_process_payment('{pending}', NULL)")),
        ("OR006", argument("quantity"), create(&[(PEN, 0)])),
        ("OR006", argument("quantity"), create(&[(PEN, -1)])),
        ("OR006", argument("quantity"), format!("fn_add_order_item('{pending}', '{PEN}', NULL)")),
        ("OR006", argument("items"), format!("fn_create_order('{ADA}', '{{}}')")),
        ("OR006", argument("items"), format!("fn_create_order('{ADA}', NULL)")),
        ("OR006", argument("status"), format!("fn_update_order_status('{pending}', 'lost')")),
        ("OR006", argument("status"), format!("fn_update_order_status('{pending}', NULL)")),
    ];
    for (code, detail, call) in cases {
        let (actual, values, text) = refused(&service, &call).await;
        assert_eq!((actual.as_str(), values), (code, detail), "{call}: {text}");
    }
}

#[tokio::test]
async fn constraints_hold_for_those_who_write_the_tables() {
    let service = Service::start().await;
    let order = order(&service, &[(PEN, 2)]).await;
    #[rustfmt::skip]
    let statements = [
        "UPDATE tb_products SET stock = -1".to_owned(),
        "UPDATE tb_products SET price = 'NaN'".to_owned(),
        "UPDATE tb_products SET reserved = -1".to_owned(),
        "UPDATE tb_order_items SET quantity = 0".to_owned(),
        format!("UPDATE tb_orders SET paid = total + 1 WHERE id = '{order}'"),
        format!("UPDATE tb_orders SET status = 'paid' WHERE id = '{order}'"),
        format!("UPDATE tb_orders SET status = 'lost' WHERE id = '{order}'"),
        format!("UPDATE tb_orders SET paid = 1, status = 'cancelled' WHERE id = '{order}'"),
        format!("INSERT INTO tb_payments (order_id, kind, amount) VALUES ('{order}', 'refund', 1)"),
        format!("DELETE FROM tb_orders WHERE id = '{order}'"),
    ];
    for statement in statements {
        let sql = sqlx::AssertSqlSafe(statement.clone());
        let error = sqlx::query(sql).execute(&service.pool).await.unwrap_err();
        let code = error.as_database_error().unwrap().code().unwrap();
        assert!(["23514", "23503"].contains(&&*code), "{statement}: {error}");
    }
}
