//! A representation that is none is an error of its entity, and the others are answered.

use serde_json::{Value, json};

use super::{read, request, served};

#[tokio::test]
async fn what_is_no_representation_is_an_error_of_its_entity() {
    let (schema, pool) = served().await;
    let mut representations = vec![json!({"__typename": "Product", "id": 3})];
    let wrong = [
        (json!(7), "a representation is an object"),
        (json!({"id": 3}), "__typename is missing"),
        (
            json!({"__typename": 3, "id": 3}),
            "__typename is not a string",
        ),
        (
            json!({"__typename": "Maker", "id": 1}),
            "Maker is not an entity of this service",
        ),
        (
            json!({"__typename": "Order", "id": 1}),
            "Order is not an entity of this service",
        ),
        (json!({"__typename": "Product"}), "id of Product is missing"),
        (
            json!({"__typename": "Product", "id": null}),
            "id of Product is missing",
        ),
        (
            json!({"__typename": "Product", "id": "x"}),
            "id of Product cannot have this value",
        ),
        (
            json!({"__typename": "Product", "id": 1.5}),
            "id of Product cannot have this value",
        ),
        (
            json!({"__typename": "Product", "id": {"a": 1}}),
            "id of Product cannot have this value",
        ),
        (
            json!({"__typename": "Line", "orderId": 1}),
            "product of Line is missing",
        ),
        (
            json!({"__typename": "Line", "orderId": 1, "product": 2}),
            "product of Line cannot have this value",
        ),
        (
            json!({"__typename": "Line", "orderId": 1, "product": "a\u{0}"}),
            "product of Line cannot have this value",
        ),
        (
            json!({"__typename": "Line", "orderId": 1_i64 << 40, "product": "p1"}),
            "orderId of Line cannot have this value",
        ),
        (
            json!({"__typename": "Ticket", "id": "x"}),
            "id is not an id of the type Ticket",
        ),
        (
            json!({"__typename": "Ticket", "id": 7}),
            "id is not an id of the type Ticket",
        ),
    ];
    representations.extend(wrong.iter().map(|(value, _)| value.clone()));
    representations.push(json!({"__typename": "Line", "orderId": 1, "product": "p2"}));
    let response = schema.execute(request(representations.into())).await;
    for error in &response.errors {
        let code = error.extensions.as_ref().and_then(|it| it.get("code"));
        assert_eq!(code, Some(&"BAD_USER_INPUT".into()), "{error:?}");
    }
    let (entities, errors) = read(response);
    let expected: Vec<(String, Value)> = wrong
        .iter()
        .enumerate()
        .map(|(index, (_, message))| ((*message).to_owned(), json!(["_entities", index + 1])))
        .collect();
    assert_eq!(errors, expected);
    let mut all = vec![json!({"__typename": "Product", "name": "Product 3"})];
    all.extend(wrong.iter().map(|_| Value::Null));
    all.push(json!({"__typename": "Line", "quantity": 2}));
    assert_eq!(entities, Value::Array(all));
    pool.close().await;
}

#[tokio::test]
async fn a_document_that_cannot_be_written_is_null_and_the_others_are_not() {
    let (schema, pool) = served().await;
    fraiseql_tests::run(
        &pool,
        "UPDATE tv_product SET data = jsonb_set(data, '{name}', 'null') WHERE id = 2",
    )
    .await;
    let representations = json!([
        {"__typename": "Product", "id": 1},
        {"__typename": "Product", "id": 2},
        {"__typename": "Product", "id": 3},
    ]);
    let (entities, errors) = read(schema.execute(request(representations)).await);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].1, json!(["_entities", 1, "name"]));
    assert_eq!(
        entities,
        json!([
            {"__typename": "Product", "name": "Product 1"},
            null,
            {"__typename": "Product", "name": "Product 3"},
        ])
    );
    pool.close().await;
}

#[tokio::test]
async fn a_failed_statement_is_an_error_of_the_entities_of_its_type() {
    let (schema, pool) = served().await;
    fraiseql_tests::run(&pool, "ALTER TABLE tv_product RENAME TO gone").await;
    let representations = json!([
        {"__typename": "Product", "id": 1},
        {"__typename": "Line", "orderId": 1, "product": "p2"},
        {"__typename": "Product", "id": 2},
    ]);
    let (entities, errors) = read(schema.execute(request(representations)).await);
    let paths: Vec<_> = errors.into_iter().map(|(_, path)| path).collect();
    assert_eq!(paths, [json!(["_entities", 0]), json!(["_entities", 2])]);
    assert_eq!(
        entities,
        json!([null, {"__typename": "Line", "quantity": 2}, null])
    );
    pool.close().await;
}
