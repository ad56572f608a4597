//! An entity of another tenant is null, as one that does not exist is.

use async_graphql::{Request, Variables};
use fraiseql_graphql::{Prepared, Query};
use fraiseql_runtime::GlobalId;
use serde_json::json;

use super::{ENTITIES, Org, Set, Ticket, read, request, schema, served};

#[tokio::test]
async fn entities_are_those_of_the_tenant_of_the_request() {
    let (schema, pool) = served().await;
    let of_other = GlobalId::of::<Ticket>(&(2, 3)).to_string();
    let representations = json!([
        {"__typename": "Ticket", "orgId": 1, "no": 2},
        {"__typename": "Ticket", "orgId": 2, "no": 2},
        {"__typename": "Ticket", "no": 2},
        {"__typename": "Ticket", "id": of_other},
        {"__typename": "Product", "id": 1},
    ]);
    let product = json!({"__typename": "Product", "name": "Product 1"});
    let title = |title: &str| json!({"__typename": "Ticket", "title": title});
    for (org, expected) in [
        (1, json!([title("1/2"), null, title("1/2"), null, product])),
        (
            2,
            json!([null, title("2/2"), title("2/2"), title("2/3"), product]),
        ),
        (3, json!([null, null, null, null, product])),
    ] {
        // The query is the same, and cached.
        let request = Request::new(ENTITIES)
            .variables(Variables::from_json(json!({"r": representations})))
            .data(Org(org));
        let (entities, errors) = read(schema.execute(request).await);
        assert_eq!(errors, [], "{org}");
        assert_eq!(entities, expected, "{org}");
    }
    pool.close().await;
}

#[tokio::test]
async fn a_request_without_a_tenant_gets_an_error_for_each_entity_that_has_one() {
    let (schema, pool) = served().await;
    let representations = json!([
        {"__typename": "Ticket", "orgId": 1, "no": 2},
        {"__typename": "Product", "id": 1},
    ]);
    let request =
        Request::new(ENTITIES).variables(Variables::from_json(json!({"r": representations})));
    let response = schema.execute(request).await;
    let code = response.errors[0]
        .extensions
        .as_ref()
        .and_then(|it| it.get("code"));
    assert_eq!(code, Some(&"UNAUTHENTICATED".into()));
    let (entities, errors) = read(response);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].1, json!(["_entities", 0]));
    assert_eq!(
        entities,
        json!([null, {"__typename": "Product", "name": "Product 1"}])
    );
    pool.close().await;
}

#[tokio::test]
async fn across_tenants_the_key_names_the_tenant() {
    let (_, pool) = served().await;
    let query = Query::<Set>::across_tenants(pool.clone()).federation();
    let schema = schema(query, Prepared::default());
    let representations = json!([
        {"__typename": "Ticket", "orgId": 2, "no": 1},
        {"__typename": "Ticket", "no": 1},
    ]);
    let (entities, errors) = read(schema.execute(request(representations)).await);
    assert_eq!(
        entities,
        json!([{"__typename": "Ticket", "title": "2/1"}, null])
    );
    assert_eq!(
        errors,
        [(
            "orgId of Ticket is missing".to_owned(),
            json!(["_entities", 1])
        )]
    );
    pool.close().await;
}
