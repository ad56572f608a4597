//! Commands on comments and likes.

use super::*;

#[tokio::test]
async fn a_comment_is_moved_and_deleted() {
    let blog = Blog::start(0).await;
    let ada = user(&blog, "ada").await;
    let (from, to) = (
        post(&blog, &ada, "From").await,
        post(&blog, &ada, "To").await,
    );
    let variables = json!({"post": from, "author": ada, "content": "Hm."});
    let made = blog.field(COMMENT, variables).await;
    assert_eq!(made["content"], "Hm.");
    assert_eq!(made["author"], json!({"username": "ada"}));
    assert_eq!(made["post"]["title"], "From");
    let id = &made["id"];
    comment(&blog, &to, &ada, "Newer").await;

    let query = "mutation ($id: ID!, $post: ID!) {
        moveComment(id: $id, postId: $post) { post { id title } }
    }";
    let moved = blog.field(query, json!({"id": id, "post": to})).await;
    assert_eq!(moved["post"], json!({"id": to, "title": "To"}));
    let read = blog.field(POST, json!({"id": from})).await;
    assert_eq!(
        (&read["comments"], &read["commentCount"]),
        (&json!([]), &json!(0))
    );
    let read = blog.field(POST, json!({"id": to})).await;
    assert_eq!(read["commentCount"], 2);
    // Newest first.
    assert_eq!(read["comments"][0]["content"], "Newer");
    assert_eq!(read["comments"][1]["content"], "Hm.");

    let query = "mutation ($id: ID!) { deleteComment(id: $id) { id commentCount } }";
    let post = blog.field(query, json!({"id": id})).await;
    assert_eq!(post, json!({"id": to, "commentCount": 1}));
    let query = "query ($id: ID!) { comment(id: $id) { id } }";
    assert_eq!(blog.field(query, json!({"id": id})).await, Value::Null);
    assert_eq!(
        blog.field(USER, json!({"id": ada})).await["commentCount"],
        1
    );
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_like_is_counted_once_and_wait_returns_the_new_count() {
    let blog = Blog::start(0).await;
    let (ada, bob) = (user(&blog, "ada").await, user(&blog, "bob").await);
    let id = post(&blog, &ada, "Notes").await;
    for (user, count) in [(&ada, 1), (&ada, 1), (&bob, 2)] {
        let variables = json!({"id": id, "user": user, "wait": true});
        assert_eq!(blog.field(LIKE, variables).await["likeCount"], count);
    }
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_like_without_wait_returns_before_the_sync() {
    let blog = Blog::start(0).await;
    let ada = user(&blog, "ada").await;
    let id = post(&blog, &ada, "Notes").await;
    let mut tx = blog.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM tv_post FOR UPDATE")
        .execute(&mut *tx)
        .await
        .unwrap();
    let variables = json!({"id": id, "user": ada, "wait": false});
    assert_eq!(blog.field(LIKE, variables).await["likeCount"], 0);
    tx.rollback().await.unwrap();
    eventually("the like is counted", async || {
        blog.field(POST, json!({"id": id})).await["likeCount"] == 1
    })
    .await;
    blog.assert_synced().await;
}
