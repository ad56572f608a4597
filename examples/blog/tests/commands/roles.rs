//! The program as a role with the printed privileges, and no others.

use serde_json::json;

use super::support::Blog;
use super::{LIKE, POST, UPDATE_POST, comment, post, user};

#[tokio::test]
async fn the_blog_runs_as_a_role_with_the_printed_grants() {
    let blog = Blog::start_as_role(3).await;
    let owned: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = 'app_of_' || current_database())",
    )
    .fetch_one(&blog.pool)
    .await
    .unwrap();
    assert_eq!(owned, 0);

    let ada = user(&blog, "ada").await;
    let id = post(&blog, &ada, "Notes").await;
    comment(&blog, &id, &ada, "First").await;
    let update = json!({"id": id, "version": 1, "title": "More notes"});
    blog.data(UPDATE_POST, update).await;
    blog.data(LIKE, json!({"id": id, "user": ada, "wait": true}))
        .await;
    let shown = blog.data(POST, json!({"id": id})).await;
    assert_eq!(shown["post"]["title"], "More notes");
    assert_eq!(shown["post"]["commentCount"], 1);
    assert_eq!(shown["post"]["likeCount"], 1);
    let logged: i64 = sqlx::query_scalar("SELECT count(*) FROM sync_log WHERE success")
        .fetch_one(&blog.pool)
        .await
        .unwrap();
    assert!(logged > 0);
}
