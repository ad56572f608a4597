//! What may be cached, and which database a request reads.

use std::time::Duration;

use dev_postgres::Server;
use orders::views::RevenueByProduct;
use serde_json::json;
use sqlx::ConnectOptions as _;

use crate::functions::order;
use crate::support::{ADA, PEN, Service};

#[tokio::test]
async fn only_a_get_of_fields_with_an_age_may_be_cached() {
    let service = Service::start().await;
    let id = order(&service, &[(PEN, 1)]).await;
    let inventory = "productInventory { sku stock }";
    #[rustfmt::skip]
    let cases = [
        (inventory.to_owned(), "max-age=5, private"),
        ("revenueByProduct { sku }".to_owned(), "max-age=60, private"),
        (format!("{inventory} revenueByProduct {{ sku }}"), "max-age=5, private"),
        ("ordersSummary { id }".to_owned(), "no-store"),
        (format!("orderDetails(id: \"{id}\") {{ version }}"), "no-store"),
        (format!("customerOrders(customerId: \"{ADA}\") {{ orderCount }}"), "no-store"),
        (format!("auditLog(id: \"{id}\") {{ operation }}"), "no-store"),
        // The shortest of all fields.
        (format!("{inventory} ordersSummary {{ id }}"), "no-store"),
        // An error.
        ("nothing".to_owned(), "no-store"),
    ];
    for (fields, wanted) in cases {
        // The second response may come from a cached plan.
        for _ in 0..2 {
            let response = service.get(&format!("{{ {fields} }}")).await;
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["cache-control"], wanted, "{fields}");
        }
    }
    let response = service.post(&format!("{{ {inventory} }}")).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    // A GET cannot run a command.
    let cancel = format!("mutation {{ cancelOrder(orderId: \"{id}\") {{ id }} }}");
    assert_eq!(service.get(&cancel).await.status(), 405);
}

#[tokio::test]
async fn the_age_of_a_report_is_in_its_header() {
    let service = Service::start().await;
    let age = async || -> u64 {
        let response = service.get("{ revenueByProduct { sku } }").await;
        let age = response.headers()["age"].to_str().unwrap();
        age.parse().unwrap()
    };
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let before = age().await;
    assert!((2..60).contains(&before), "{before}");
    let refreshed = service
        .app
        .orders
        .refresh::<RevenueByProduct>(&service.pool);
    refreshed.await.unwrap();
    assert!(age().await < before);
}

#[tokio::test]
async fn queries_read_a_replica_that_has_what_the_client_has_written() {
    let server = Server::builder()
        .ignore_database_url()
        .setting("synchronous_commit", "on")
        .start()
        .unwrap();
    let database = server.create_database().await.unwrap();
    let name = database.get_database().unwrap().to_owned();
    let late = server.replica(Server::builder()).await.unwrap();
    let replica = late.options().clone().database(&name);
    let service = Service::start_with(database, vec![replica.clone()]).await;
    let create = format!("mutation {{ createOrder(customerId: \"{ADA}\") {{ id version }} }}");
    let first = service.post(&create).await;
    let position = first.headers()["fraiseql-position"]
        .to_str()
        .unwrap()
        .to_owned();
    let list = "{ ordersSummary { id } }";
    let seen = service.data_at(&position, list).await;
    assert_eq!(seen["ordersSummary"].as_array().unwrap().len(), 1);

    // From now on the replica is late.
    let mut connection = replica.connect().await.unwrap();
    sqlx::query("SELECT pg_wal_replay_pause()")
        .execute(&mut connection)
        .await
        .unwrap();
    let created = service.post(&create).await;
    let position = created.headers()["fraiseql-position"]
        .to_str()
        .unwrap()
        .to_owned();
    let created = created.json::<serde_json::Value>().await.unwrap();
    assert_eq!(created["extensions"]["position"], json!(position));
    let created = &created["data"]["createOrder"];
    assert_eq!(
        created["version"], 1,
        "the answer is what the command wrote"
    );
    let id = created["id"].as_str().unwrap();
    let fields = [
        format!("orderDetails(id: \"{id}\") {{ id }}"),
        "ordersSummary { id }".to_owned(),
        format!("auditLog(id: \"{id}\") {{ id }}"),
    ];
    let query = format!("{{ {} }}", fields.join(" "));
    let others = service.data(&query).await;
    assert_eq!(others["orderDetails"], json!(null));
    assert_eq!(others["ordersSummary"].as_array().unwrap().len(), 1);
    assert_eq!(others["auditLog"], json!([]));
    let own = service.data_at(&position, &query).await;
    assert_eq!(own["orderDetails"]["id"], json!(id));
    assert_eq!(own["ordersSummary"].as_array().unwrap().len(), 2);
    assert_eq!(own["auditLog"].as_array().unwrap().len(), 1);
}
