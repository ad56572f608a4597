//! Errors of the database as a Rust enum.

use orders::OrderError;
use orders::commands::{self, Call, NewItem};
use orders::views::OrderStatus;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::support::{ADA, BOOK, NOBODY, PEN, Service};

const CALL: Call<'static> = Call {
    who: "ada",
    expected_version: None,
};

fn item(product_id: Uuid, quantity: i32) -> NewItem {
    NewItem {
        product_id,
        quantity,
    }
}

#[tokio::test]
async fn each_sqlstate_is_a_variant_with_its_values() {
    let service = Service::start().await;
    let app = &service.app;
    let order = commands::create_order(app, ADA, &[item(PEN, 2)], "ada")
        .await
        .unwrap();

    let error = commands::create_order(app, NOBODY, &[], "ada")
        .await
        .unwrap_err();
    let OrderError::NotFound { what, id } = &error else {
        panic!("{error:?}");
    };
    assert_eq!((what.as_str(), *id), ("customer", NOBODY));

    let old = Call {
        expected_version: Some(4),
        ..CALL
    };
    let error = commands::cancel_order(app, order, old).await.unwrap_err();
    assert!(
        matches!(
            error,
            OrderError::Conflict {
                expected: 4,
                found: 1
            }
        ),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("Read it again, and retry"),
        "{error}"
    );

    let error = commands::add_order_item(app, order, item(BOOK, 5), CALL)
        .await
        .unwrap_err();
    let OrderError::OutOfStock {
        product: BOOK,
        requested: 5,
        available: 3,
    } = error
    else {
        panic!("{error:?}");
    };

    let shipped = OrderStatus::Shipped;
    let error = commands::update_order_status(app, order, shipped, CALL)
        .await
        .unwrap_err();
    let OrderError::Status {
        status: OrderStatus::Pending,
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert!(
        error.to_string().ends_with("The next status is paid."),
        "{error}"
    );

    let error = commands::process_payment(app, order, Decimal::from(6), CALL)
        .await
        .unwrap_err();
    let OrderError::TooMuch { amount, due } = error else {
        panic!("{error:?}");
    };
    assert_eq!((amount, due), (Decimal::from(6), Decimal::from(5)));

    let error = commands::add_order_item(app, order, item(PEN, 0), CALL)
        .await
        .unwrap_err();
    assert!(matches!(error, OrderError::Invalid(_)), "{error:?}");
    service.assert_synced().await;
}

#[tokio::test]
async fn a_conflict_is_solved_by_reading_again() {
    use fraiseql_runtime::TView as _;
    use orders::views::OrderDetails;

    let service = Service::start().await;
    let app = &service.app;
    let order = commands::create_order(app, ADA, &[item(PEN, 2)], "ada")
        .await
        .unwrap();
    // Another client is faster.
    let read = Call {
        expected_version: Some(1),
        ..CALL
    };
    commands::add_order_item(app, order, item(BOOK, 1), read)
        .await
        .unwrap();
    let mut amount = Decimal::from(5);
    let mut call = read;
    let version = loop {
        match commands::process_payment(app, order, amount, call).await {
            Ok(version) => break version,
            Err(OrderError::Conflict { found, .. }) => {
                let details = OrderDetails::find(&app.commands, order)
                    .await
                    .unwrap()
                    .unwrap();
                assert_eq!(details.version, found);
                amount = details.due;
                call.expected_version = Some(details.version);
            }
            Err(error) => panic!("{error:?}"),
        }
    };
    assert_eq!((version, amount), (3, Decimal::from(15)));
}

#[tokio::test]
async fn a_sum_with_too_many_digits_is_an_invalid_argument() {
    let service = Service::start().await;
    sqlx::query("UPDATE tb_products SET price = 1000000, stock = 100000")
        .execute(&service.pool)
        .await
        .unwrap();
    let error = commands::create_order(&service.app, ADA, &[item(PEN, 20_000)], "ada")
        .await
        .unwrap_err();
    assert!(matches!(error, OrderError::Invalid(_)), "{error:?}");
}

#[tokio::test]
async fn other_errors_of_the_database_are_not_taken_for_rules() {
    let service = Service::start().await;
    sqlx::raw_sql("ALTER TABLE tb_audit_log RENAME TO tb_log")
        .execute(&service.pool)
        .await
        .unwrap();
    let error = commands::create_order(&service.app, ADA, &[], "ada")
        .await
        .unwrap_err();
    assert!(matches!(error, OrderError::Database(_)), "{error:?}");
    // Clients do not see which.
    let mutation = format!("createOrder(customerId: \"{ADA}\") {{ id }}");
    let error = service.error(&mutation).await;
    assert_eq!(error["message"], "internal error");
    assert_eq!(error["extensions"]["code"], "INTERNAL");
}

#[tokio::test]
async fn a_command_whose_document_cannot_be_written_changes_nothing() {
    let service = Service::start().await;
    let app = &service.app;
    let order = commands::create_order(app, ADA, &[], "ada").await.unwrap();
    // No date is infinite in JSON.
    sqlx::query("UPDATE tb_orders SET placed_at = 'infinity'")
        .execute(&service.pool)
        .await
        .unwrap();
    let before = service.digest().await;
    let error = commands::add_order_item(app, order, item(PEN, 1), CALL)
        .await
        .unwrap_err();
    assert!(matches!(error, OrderError::ReadModel(_)), "{error:?}");
    assert!(error.to_string().contains("placedAt"), "{error}");
    assert_eq!(service.digest().await, before);
}
