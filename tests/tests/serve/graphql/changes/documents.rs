//! The documents of changes: those that were written, those that were deleted, and what is read for them.

use fraiseql_graphql::Prepared;
use fraiseql_runtime::Capture;
use serde_json::json;

use super::{changes, json, schema, served, world, world_with};
use crate::traced::Traced;

#[tokio::test]
async fn a_mutation_answers_with_the_documents_of_all_views_that_it_has_changed() {
    let (schema, pool) = served().await;
    let renamed = changes(
        &schema,
        r#"sql: "UPDATE tb_user SET name = 'Countess' WHERE id = 1", users: [1]"#,
        "__typename posts { id author { n: name } } users { __typename id name } lines { product } deleted { key } \
         incomplete { type }",
    )
    .await;
    let post = |id: i32| json!({ "id": id, "author": { "n": "Countess" } });
    assert_eq!(
        renamed,
        json!({
            "__typename": "PostUserLineChanges",
            "posts": [post(2), post(4), post(6), post(8)],
            "users": [{ "__typename": "User", "id": 1, "name": "Countess" }],
            "lines": [],
            "deleted": [],
            "incomplete": [],
        })
    );

    let fragment = "fragment Rest on PostUserLineChanges { users { id } }";
    let query = format!(
        "mutation {{ run(sql: \"INSERT INTO tb_post VALUES (9, 'New', 2)\", posts: [9]) {{ ok changes {{ posts {{ \
         id title }} mine: users {{ posts }} ...Rest }} }} }} {fragment}"
    );
    // In the order of the query, whichever statement is the first to end.
    assert_eq!(
        serde_json::to_string(&schema.execute(query).await).unwrap(),
        r#"{"data":{"run":{"ok":true,"changes":{"posts":[{"id":9,"title":"New"}],"mine":[{"posts":5}],"users":[{"id":2}]}}}}"#
    );
    pool.close().await;
}

#[tokio::test]
async fn deleted_documents_are_named_by_type_and_key() {
    let (schema, pool) = served().await;
    let deleted = changes(
        &schema,
        r#"sql: "DELETE FROM tb_post WHERE id IN (3, 4)", posts: [3, 4]"#,
        "posts { id } users { id posts } deleted { type deletedId key }",
    )
    .await;
    assert_eq!(
        deleted,
        json!({
            "posts": [],
            "users": [{ "id": 1, "posts": 3 }, { "id": 2, "posts": 3 }],
            "deleted": [
                { "type": "Post", "deletedId": "3", "key": { "id": 3 } },
                { "type": "Post", "deletedId": "4", "key": { "id": 4 } },
            ],
        })
    );
    let line = changes(
        &schema,
        r#"sql: "DELETE FROM tb_line WHERE product = 'ink'", line: "ink""#,
        "deleted { deletedId key t: type __typename }",
    )
    .await;
    assert_eq!(
        line["deleted"],
        json!([{
            "deletedId": null,
            "key": { "orderId": 1, "product": "ink" },
            "t": "Line",
            "__typename": "DeletedDocument",
        }])
    );
    pool.close().await;
}

#[tokio::test]
async fn captured_changes_are_answered_like_marked_ones() {
    for capture in [Capture::Queue, Capture::AtCommit] {
        let (model, pool) = world_with(capture).await;
        let schema = schema(&model, &pool, &pool, Prepared::default());
        // Nothing is marked. The first call finds the functions of the database, and the second calls
        // them at once.
        for id in [2, 4] {
            let arguments = format!(r#"sql: "DELETE FROM tb_post WHERE id = {id}""#);
            let selected = "users { id posts } posts { id } deleted { type key }";
            assert_eq!(
                changes(&schema, &arguments, selected).await,
                json!({
                    "users": [{ "id": 1, "posts": 4 - id / 2 }],
                    "posts": [],
                    "deleted": [{ "type": "Post", "key": { "id": id } }],
                })
            );
        }
        pool.close().await;
    }
}

#[tokio::test]
async fn big_keys_are_written_as_in_documents() {
    let (model, pool) = world().await;
    let prepared = Prepared::default().big_ints_as_strings(true);
    let schema = schema(&model, &pool, &pool, prepared);
    let gone = changes(
        &schema,
        r#"sql: "DELETE FROM tb_user WHERE id = 2", users: [2]"#,
        "deleted { type deletedId key }",
    )
    .await;
    let gone = gone["deleted"].as_array().unwrap();
    let user = json!({ "type": "User", "deletedId": "2", "key": { "id": "2" } });
    assert!(gone.contains(&user), "{gone:?}");
    pool.close().await;
}

#[tokio::test]
async fn each_view_is_read_once_if_it_is_selected_and_has_changed() {
    let traced = Traced::start("sqlx::query");
    let (schema, pool) = served().await;
    let rename = r#"sql: "UPDATE tb_user SET name = name || '!' WHERE id = 1", users: [1]"#;
    let nothing = r#"sql: "UPDATE tb_user SET name = name WHERE id = 1", users: [1]"#;
    let delete = r#"sql: "DELETE FROM tb_post WHERE id = 5", posts: [5]"#;
    for (arguments, selected, reads) in [
        (rename, "incomplete { type }", 0),
        (rename, "posts { id }", 1),
        (rename, "posts { id } deleted { key }", 1),
        (
            rename,
            "a: posts { id } b: posts { title } users { id } lines { product }",
            2,
        ),
        (
            nothing,
            "posts { id } users { id } lines { product } deleted { key }",
            0,
        ),
        (delete, "posts { id } deleted { key }", 1),
    ] {
        traced.take();
        changes(&schema, arguments, selected).await;
        let mut ran = traced.take();
        // Documents by their keys, which the mutation itself does not read.
        ran.retain(|event| event.contains("AS wanted ("));
        assert_eq!(ran.len(), reads, "{arguments} {selected}: {ran:?}");
    }
    pool.close().await;
}

#[tokio::test]
async fn a_read_that_fails_is_null_and_the_mutation_is_committed() {
    let (model, pool) = world().await;
    let closed = fraiseql_tests::pool().await;
    closed.close().await;
    let schema = schema(&model, &pool, &closed, Prepared::default());
    let query = "mutation { run(sql: \"DELETE FROM tb_post WHERE id = 1\", posts: [1]) {
        ok changes { posts { id } users { id } deleted { key } incomplete { type } }
    } }";
    let response = schema.execute(query).await;
    let errors = response.errors.iter();
    let mut paths: Vec<_> = errors
        .map(|error| serde_json::to_string(&error.path).unwrap())
        .collect();
    paths.sort();
    assert_eq!(
        paths,
        ["deleted", "posts", "users"].map(|it| format!(r#"["run","changes","{it}"]"#))
    );
    assert_eq!(
        json(&response)["data"],
        json!({ "run": { "ok": true, "changes": {
            "posts": null, "users": null, "deleted": null, "incomplete": [],
        } } })
    );
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM tv_post")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(left, 7);
    pool.close().await;
}
