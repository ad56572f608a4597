//! Tests that paths of field names that exceed PostgreSQL's 63 bytes stay distinct in a query.

use fraiseql_runtime::{Embed, TView};
use fraiseql_tests::{run, world};
use serde_json::{Value, json};

#[derive(Debug, Embed)]
#[tview(table = "person")]
#[allow(dead_code)]
struct Person {
    id: i32,
    name: String,
}

/// Names that are equal up to the cut, with a letter of two bytes there.
#[derive(Debug, TView)]
#[tview(table = "letter")]
#[allow(dead_code)]
struct Letter {
    id: i32,
    #[tview(one(fk = "sender"), json = "from")]
    a_ééééééééééééééééééééééééééééééé_from: Person,
    #[tview(one(fk = "receiver"), json = "to")]
    a_ééééééééééééééééééééééééééééééé_to: Person,
}

#[tokio::test]
async fn long_names_are_truncated_between_characters_and_stay_distinct() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    run(
        &pool,
        "CREATE TABLE person (id int4 PRIMARY KEY, name text NOT NULL);
         INSERT INTO person VALUES (1, 'Ada'), (2, 'Bob');
         CREATE TABLE letter (id int4 PRIMARY KEY, sender int4 NOT NULL, receiver int4 NOT NULL);
         INSERT INTO letter VALUES (1, 1, 2)",
    )
    .await;
    let model = world::model::<Letter>();
    model.migrate(&pool).await?;
    assert_eq!(sync_letter(&pool, &[1]).await?.inserted, 1);
    let data: Value = sqlx::query_scalar("SELECT data FROM tv_letter")
        .fetch_one(&pool)
        .await?;
    assert_eq!(
        data,
        json!({"id": 1, "from": {"id": 1, "name": "Ada"}, "to": {"id": 2, "name": "Bob"}})
    );
    Ok(())
}
