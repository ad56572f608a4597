//! Types of which not all changes are shown.

use serde_json::json;

use super::{changes, served};

#[tokio::test]
async fn of_many_documents_the_first_are_shown() {
    let (schema, pool) = served().await;
    let rename = |name: &str, max: u32| {
        format!(r#"sql: "UPDATE tb_user SET name = '{name}' WHERE id = 2", users: [2], max: {max}"#)
    };
    let selected = "posts { id } users { id } incomplete { type reason }";
    assert_eq!(
        changes(&schema, &rename("G", 3), selected).await,
        json!({
            "posts": [{ "id": 1 }, { "id": 3 }, { "id": 5 }],
            "users": [{ "id": 2 }],
            "incomplete": [{ "type": "Post", "reason": "TRUNCATED" }],
        })
    );
    let whole = changes(&schema, &rename("H", 4), selected).await;
    assert_eq!(whole["posts"].as_array().unwrap().len(), 4);
    assert_eq!(whole["incomplete"], json!([]));
    pool.close().await;
}

#[tokio::test]
async fn documents_that_are_left_to_a_worker_are_named() {
    let (schema, pool) = served().await;
    let later = changes(
        &schema,
        r#"sql: "UPDATE tb_user SET name = 'Later' WHERE id = 1", users: [1], defer: true"#,
        "posts { id } users { id } deleted { key } incomplete { type reason }",
    )
    .await;
    assert_eq!(
        later,
        json!({
            "posts": [],
            "users": [],
            "deleted": [],
            "incomplete": [
                { "type": "Post", "reason": "LATER" },
                { "type": "User", "reason": "LATER" },
            ],
        })
    );
    pool.close().await;
}

#[tokio::test]
async fn views_with_too_many_documents_are_named() {
    let (schema, pool) = served().await;
    let sql = "INSERT INTO tb_post SELECT n, 'Post', 1 FROM generate_series(100, 160) AS n";
    fraiseql_tests::run(&pool, sql).await;
    let deferred = changes(
        &schema,
        r#"sql: "UPDATE tb_user SET name = 'Many' WHERE id = 1", users: [1]"#,
        "posts { id } users { name } incomplete { type reason }",
    )
    .await;
    assert_eq!(
        deferred,
        json!({
            "posts": [],
            "users": [{ "name": "Many" }],
            "incomplete": [{ "type": "Post", "reason": "DEFERRED" }],
        })
    );
    pool.close().await;
}
