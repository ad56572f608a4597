//! The limits of documents and of bytes hold for entities.

use fraiseql_graphql::{Prepared, Query, Views};
use serde_json::{Value, json};

use super::{Set, read, request, schema, world};

fn products(count: i32) -> Value {
    let product = |id| json!({"__typename": "Product", "id": id});
    (1..=count).map(product).collect()
}

#[tokio::test]
async fn a_field_has_as_many_entities_as_a_page_has_documents() {
    let pool = world().await;
    let query = || Query::<Set>::across_tenants(pool.clone());
    let schema_of_default = schema(query().federation(), Prepared::default());
    let (entities, errors) = read(schema_of_default.execute(request(products(100))).await);
    assert_eq!(errors, []);
    assert_eq!(entities.as_array().unwrap().len(), 100);
    assert_eq!(entities[99]["name"], "Product 100");
    let (entities, errors) = read(schema_of_default.execute(request(products(101))).await);
    assert_eq!(entities, Value::Null);
    let message = "representations has 101 entities, and may have 100".to_owned();
    assert_eq!(errors, [(message, json!(["_entities"]))]);

    let views = Views::<Set>::across_tenants(pool.clone()).max_page(150);
    let query = Query::from(views).federation();
    let (entities, errors) = read(
        schema(query, Prepared::default())
            .execute(request(products(150)))
            .await,
    );
    assert_eq!(errors, []);
    assert_eq!(entities[149]["name"], "Product 150");
    pool.close().await;
}

#[tokio::test]
async fn entities_count_for_the_bytes_of_a_response() {
    let pool = world().await;
    let query = || Query::<Set>::across_tenants(pool.clone()).federation();
    for max in [1000, 4500] {
        let schema = schema(query(), Prepared::default().max_response(max));
        let (entities, errors) = read(schema.execute(request(products(2))).await);
        assert_eq!(errors, [], "{max}");
        assert_eq!(entities.as_array().unwrap().len(), 2);
        let (entities, errors) = read(schema.execute(request(products(100))).await);
        assert_eq!(entities, Value::Null);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].1, json!(["_entities"]));
        assert!(errors[0].0.contains("more than"), "{errors:?}");
    }
    pool.close().await;
}
