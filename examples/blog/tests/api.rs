//! The API, as a user asks it over HTTP.

mod support;

use serde_json::json;
use support::Blog;

#[tokio::test]
async fn a_new_user_writes_a_post_and_reads_it() {
    let blog = Blog::start(0).await;
    let query =
        "mutation ($name: String!) { createUser(username: $name, fullName: \"Ada\") { id } }";
    let user = blog.data(query, json!({"name": "ada"})).await;
    let author = &user["createUser"]["id"];
    let query = "mutation ($author: ID!) {
        createPost(authorId: $author, title: \"Notes\", content: \"On the engine\") {
            id version author { username }
        }
    }";
    let post = blog.data(query, json!({"author": author})).await;
    let post = &post["createPost"];
    assert_eq!(post["author"]["username"], "ada");
    let query = "query ($id: ID!) { post(id: $id) { title commentCount } }";
    let read = blog.data(query, json!({"id": post["id"]})).await;
    assert_eq!(read, json!({"post": {"title": "Notes", "commentCount": 0}}));
    blog.assert_synced().await;
}
