//! Federated views beside root fields and entities of the application.

use async_graphql::{EmptyMutation, EmptySubscription, MergedObject, Object, Schema, SimpleObject};
use fraiseql_graphql::{Federated, Prepared, Views};
use serde_json::json;

use super::{Line, Product, read, request, world};

#[derive(SimpleObject)]
struct Stock {
    sku: String,
    title: String,
}

struct Own;

#[Object]
impl Own {
    #[graphql(entity)]
    async fn stock(&self, sku: String) -> Stock {
        let title = format!("Stock of {sku}");
        Stock { sku, title }
    }
}

#[derive(MergedObject)]
#[graphql(name = "Query")]
struct Root(Federated<Views<(Product,)>>, Own, Federated<Views<(Line,)>>);

#[tokio::test]
async fn each_entity_is_resolved_by_the_root_fields_that_have_it() {
    let pool = world().await;
    let root = Root(
        Views::new(pool.clone()).federation(),
        Own,
        Views::new(pool.clone()).federation(),
    );
    let schema = Schema::build(root, EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    let representations = json!([
        {"__typename": "Line", "orderId": 1, "product": "p2"},
        {"__typename": "Stock", "sku": "a"},
        {"__typename": "Product", "id": 1},
        {"__typename": "Nothing"},
        {"__typename": "Line"},
    ]);
    let mut request = request(representations);
    request.query = request.query.replace("... on Ticket", "... on Stock");
    let (entities, errors) = read(schema.execute(request).await);
    assert_eq!(
        entities,
        json!([
            {"__typename": "Line", "quantity": 2},
            {"__typename": "Stock", "title": "Stock of a"},
            {"__typename": "Product", "name": "Product 1"},
            null,
            null,
        ])
    );
    assert_eq!(
        errors,
        [
            (
                "Nothing is not an entity of this service".to_owned(),
                json!(["_entities", 3])
            ),
            (
                "orderId of Line is missing".to_owned(),
                json!(["_entities", 4])
            ),
        ]
    );
    pool.close().await;
}
