//! Tests of views in GraphQL whose keys have several columns.

use async_graphql::{EmptyMutation, EmptySubscription, Schema};
use fraiseql_graphql::Prepared;
use fraiseql_runtime::TView;
use fraiseql_tests::{pool, run};
use serde_json::json;

#[derive(TView)]
#[allow(dead_code)]
pub(crate) struct Line {
    #[tview(key)]
    order_id: i32,
    #[tview(key)]
    product: String,
    #[tview(filter, sort)]
    quantity: i32,
}

type Query = fraiseql_graphql::Query<(Line,)>;

#[tokio::test]
async fn a_document_is_asked_for_by_each_field_of_its_key() {
    let pool = pool().await;
    run(
        &pool,
        "CREATE TABLE tb_line (order_id int4, product text, quantity int4 NOT NULL, PRIMARY KEY (order_id, product));
         INSERT INTO tb_line SELECT o, 'p' || p, o * p FROM generate_series(1, 3) AS o, generate_series(1, 3) AS p",
    )
    .await;
    let model = fraiseql_tests::world::model::<Line>();
    model.migrate(&pool).await.unwrap();
    sync_all_lines(&pool).await.unwrap();
    let schema = Schema::build(Query::new(pool.clone()), EmptyMutation, EmptySubscription)
        .extension(Prepared::default())
        .finish();
    let sdl = schema.sdl();
    assert!(
        sdl.contains("line(orderId: Int!, product: ID!): Line"),
        "{sdl}"
    );
    for (query, expected) in [
        (
            "{ line(orderId: 2, product: \"p3\") { quantity product } }",
            json!({"line": {"quantity": 6, "product": "p3"}}),
        ),
        (
            "{ line(orderId: 2, product: \"p4\") { quantity } }",
            json!({"line": null}),
        ),
        (
            "{ lines(where: {orderId: {eq: 3}}, orderBy: [{product: DESC}], limit: 2) { product } }",
            json!({"lines": [{"product": "p3"}, {"product": "p2"}]}),
        ),
        (
            "{ lines(where: {product: {in: [\"p1\"]}, orderId: {gt: 1}}) { orderId } }",
            json!({"lines": [{"orderId": 2}, {"orderId": 3}]}),
        ),
    ] {
        // Twice: a request that is sent again is answered in another way.
        for _ in 0..2 {
            let answer = schema.execute(query).await;
            assert_eq!(answer.errors, [], "{query}");
            assert_eq!(answer.data.into_json().unwrap(), expected, "{query}");
        }
    }
    let missing = schema.execute("{ line(orderId: 2) { quantity } }").await;
    assert_eq!(missing.errors.len(), 1, "{missing:?}");
    assert!(missing.errors[0].message.contains("product"), "{missing:?}");
    // All pages, from cursor to cursor.
    let mut seen = Vec::new();
    let mut after = "null".to_owned();
    loop {
        let query = format!(
            "{{ linesConnection(first: 2, after: {after}, orderBy: [{{quantity: DESC}}]) {{
                nodes {{ orderId product }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let answer = schema.execute(query.as_str()).await;
        assert_eq!(answer.errors, [], "{query}");
        let page = answer.data.into_json().unwrap()["linesConnection"].clone();
        seen.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        after = page["pageInfo"]["endCursor"].to_string();
    }
    let mut distinct: Vec<String> = seen.iter().map(ToString::to_string).collect();
    distinct.sort();
    distinct.dedup();
    assert_eq!((seen.len(), distinct.len()), (9, 9));
    pool.close().await;
}
