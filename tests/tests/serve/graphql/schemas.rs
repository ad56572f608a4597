//! Tests of one read model over the tables of several schemas, in GraphQL.

use async_graphql::{EmptyMutation, EmptySubscription, Request, Schema, Variables};
use fraiseql_graphql::{Prepared, Query};
use fraiseql_runtime::{Readers, TView};
use fraiseql_tests::{pool, run};
use serde_json::{Value, json};

#[derive(TView)]
#[allow(dead_code)]
pub(crate) struct Invoice {
    id: i64,
    #[tview(filter, sort)]
    number: String,
}

#[tokio::test]
async fn root_fields_read_the_schema_of_their_readers() {
    let pool = pool().await;
    for place in [7, 8] {
        let tables = format!(
            "CREATE SCHEMA customer_{place};
             CREATE TABLE customer_{place}.tb_invoice (id int8 PRIMARY KEY, number text NOT NULL);
             INSERT INTO customer_{place}.tb_invoice SELECT i, '{place}-' || i FROM generate_series(1, 3) AS i"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(tables))
            .execute(&pool)
            .await
            .unwrap();
    }
    run(
        &pool,
        "CREATE TABLE tb_invoice (id int8 PRIMARY KEY, number text NOT NULL)",
    )
    .await;
    let billing = fraiseql_tests::world::model::<Invoice>();
    let migrations = billing
        .migrate_schemas(&pool, ["public", "customer_7", "customer_8"])
        .await;
    migrations.into_result().unwrap();
    for place in [7, 8] {
        let customer = billing.in_schema(&format!("customer_{place}")).unwrap();
        customer.sync_all(&pool).await.unwrap();
        let readers = customer.readers(Readers::lending(pool.clone()));
        let query = Query::<(Invoice,)>::new(readers);
        let schema = Schema::build(query, EmptyMutation, EmptySubscription)
            .extension(Prepared::default())
            .finish();
        let number = |n: i64| format!("{place}-{n}");
        for (query, expected) in [
            (
                "query ($id: BigInt!) { invoice(id: $id) { number } }",
                json!({"invoice": {"number": number(2)}}),
            ),
            (
                "{ invoices(orderBy: [{number: DESC}], limit: 2) { number } }",
                json!({"invoices": [{"number": number(3)}, {"number": number(2)}]}),
            ),
            (
                "{ invoicesConnection(first: 1) { edges { node { number } } pageInfo { hasNextPage } } }",
                json!({"invoicesConnection": {"edges": [{"node": {"number": number(1)}}], "pageInfo": {"hasNextPage": true}}}),
            ),
        ] {
            // Twice: a request that is sent again is answered in another way.
            for _ in 0..2 {
                let variables = Variables::from_json(json!({"id": "2"}));
                let answer = schema
                    .execute(Request::new(query).variables(variables))
                    .await;
                assert_eq!(answer.errors, [], "{query}");
                let data: Value = answer.data.into_json().unwrap();
                assert_eq!(data, expected, "{query}");
            }
        }
    }
}
