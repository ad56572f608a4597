//! Entities are read together, and returned in the order of their representations.

use async_graphql::Request;
use fraiseql_runtime::GlobalId;
use serde_json::json;

use super::{Ticket, read, request, served};
use crate::traced::Traced;

#[tokio::test]
async fn entities_of_a_type_are_read_by_one_statement() {
    let traced = Traced::start("sqlx::query");
    let (schema, pool) = served().await;
    let representations = json!([
        {"__typename": "Product", "id": 3},
        {"__typename": "Line", "orderId": 2, "product": "p3"},
        {"__typename": "Product", "id": "1"},
        {"__typename": "Ticket", "orgId": 1, "no": 2},
        {"__typename": "Product", "id": 999},
        {"__typename": "Line", "orderId": 2, "product": "p9"},
        {"__typename": "Product", "id": 3},
        {"__typename": "Ticket", "id": GlobalId::of::<Ticket>(&(1, 3)).to_string()},
        {"__typename": "Product", "id": 2, "name": "what another service requires"},
    ]);
    // Again, with a query that is cached.
    for _ in 0..3 {
        traced.take();
        let (entities, errors) = read(schema.execute(request(representations.clone())).await);
        let mut ran = traced.take();
        ran.retain(|event| event.contains(" summary="));
        assert_eq!(ran.len(), 3, "{ran:?}");
        assert_eq!(errors, []);
        assert_eq!(
            entities,
            json!([
                {"__typename": "Product", "name": "Product 3"},
                {"__typename": "Line", "quantity": 6},
                {"__typename": "Product", "name": "Product 1"},
                {"__typename": "Ticket", "title": "1/2"},
                null,
                null,
                {"__typename": "Product", "name": "Product 3"},
                {"__typename": "Ticket", "title": "1/3"},
                {"__typename": "Product", "name": "Product 2"},
            ])
        );
    }
    pool.close().await;
}

#[tokio::test]
async fn representations_may_be_literals_with_variables_in_them() {
    let (schema, pool) = served().await;
    let query = r#"query ($id: BigInt!, $none: Boolean = false) {
        first: _entities(representations: {__typename: "Product", id: $id}) {
            ... on Product { id maker { n: name } }
        }
        _entities(representations: [{__typename: "Product", id: 2}]) { ...Named }
        _entities(representations: [{__typename: "Product", id: 2}]) {
            ... on Product { maker { id } skipped: name @include(if: $none) }
        }
        none: _entities(representations: []) { __typename }
        products(limit: 1) { name }
    }
    fragment Named on _Entity { __typename ... on Product { name } ... on Line { quantity } }"#;
    let request =
        Request::new(query).variables(async_graphql::Variables::from_json(json!({"id": 1})));
    let response = schema.execute(request).await;
    assert_eq!(response.errors, []);
    assert_eq!(
        serde_json::to_string(&response).unwrap(),
        concat!(
            r#"{"data":{"first":[{"id":1,"maker":{"n":"Acme"}}],"#,
            r#""_entities":[{"__typename":"Product","name":"Product 2","maker":null}],"#,
            r#""none":[],"products":[{"name":"Product 1"}]}}"#
        )
    );
    pool.close().await;
}

#[tokio::test]
async fn a_field_that_is_selected_twice_has_its_nulls_and_duplicates_once() {
    let (schema, pool) = served().await;
    let query = "query ($r: [_Any!]!) {
        _entities(representations: $r) { ... on Product { id } }
        _entities(representations: $r) { ... on Product { name } }
    }";
    let representations = json!([
        {"__typename": "Product", "id": 999},
        {"__typename": "Product", "id": 2},
        {"__typename": "Product", "id": 2},
        {"__typename": "Product", "id": 999},
    ]);
    let request = Request::new(query).variables(async_graphql::Variables::from_json(
        json!({"r": representations}),
    ));
    let (entities, errors) = read(schema.execute(request).await);
    assert_eq!(errors, []);
    let product = json!({"id": 2, "name": "Product 2"});
    assert_eq!(entities, json!([null, product, product, null]));
    pool.close().await;
}
