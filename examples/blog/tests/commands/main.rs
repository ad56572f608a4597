//! Each command over HTTP: its response, what queries return afterwards, and that all documents are
//! synced.

mod comments;
mod errors;
mod posts;
mod roles;
#[path = "../support/mod.rs"]
mod support;
mod users;

use serde_json::{Value, json};
use support::{Blog, eventually};

const CREATE_USER: &str = "mutation ($username: String!, $fullName: String!, $bio: String) {
    createUser(username: $username, fullName: $fullName, bio: $bio) {
        id identifier username fullName bio createdAt publishedPostCount commentCount
    }
}";
const CREATE_POST: &str = "mutation ($author: ID!, $title: String!) {
    createPost(authorId: $author, title: $title, content: \"The text\") {
        id identifier title content publishedAt version createdAt author { id username fullName }
        tags { name } comments { id } commentCount likeCount
    }
}";
const UPDATE_POST: &str = "mutation ($id: ID!, $version: Int!, $title: String, $content: String) {
    updatePost(id: $id, version: $version, title: $title, content: $content) {
        title content version
    }
}";
const COMMENT: &str = "mutation ($post: ID!, $author: ID!, $content: String!) {
    createComment(postId: $post, authorId: $author, content: $content) {
        id content createdAt author { username } post { id identifier title }
    }
}";
const LIKE: &str = "mutation ($id: ID!, $user: ID!, $wait: Boolean) {
    likePost(id: $id, userId: $user, wait: $wait) { likeCount }
}";
const POST: &str = "query ($id: ID!) {
    post(id: $id) {
        title version publishedAt author { username fullName } tags { identifier name }
        comments { content author { fullName } } commentCount likeCount
    }
}";
const USER: &str = "query ($id: ID!) {
    user(id: $id) { username fullName bio publishedPostCount commentCount }
}";

async fn user(blog: &Blog, username: &str) -> Value {
    let variables = json!({"username": username, "fullName": format!("{username}'s full name")});
    blog.field(CREATE_USER, variables).await["id"].take()
}

async fn post(blog: &Blog, author: &Value, title: &str) -> Value {
    let variables = json!({"author": author, "title": title});
    blog.field(CREATE_POST, variables).await["id"].take()
}

async fn comment(blog: &Blog, post: &Value, author: &Value, content: &str) -> Value {
    let variables = json!({"post": post, "author": author, "content": content});
    blog.field(COMMENT, variables).await["id"].take()
}

#[tokio::test]
async fn texts_at_their_longest_are_stored() {
    let blog = Blog::start(0).await;
    // The full slug of this name would be longer than an index entry can be.
    let variables =
        json!({"username": "\u{1f60d}".repeat(40), "fullName": "\u{10ffff}".repeat(100)});
    let author = blog.field(CREATE_USER, variables).await;
    let title = "\u{1f60d}".repeat(200);
    let variables = json!({"author": author["id"], "title": title});
    let post = blog.field(CREATE_POST, variables).await;
    assert_eq!(post["title"], title);
    blog.assert_synced().await;
}

/// Runs every GraphQL mutation, and verifies all documents after each.
#[tokio::test]
async fn all_documents_are_synced_after_every_mutation() {
    let blog = Blog::start(30).await;
    let (ada, bob) = (user(&blog, "ada").await, user(&blog, "bob").await);
    let (one, two) = (
        post(&blog, &ada, "One").await,
        post(&blog, &bob, "Two").await,
    );
    let (c, d) = (
        comment(&blog, &one, &bob, "First!").await,
        comment(&blog, &one, &ada, "Second!").await,
    );
    #[rustfmt::skip]
    let mutations = [
        "createUser(username: \"carl\", fullName: \"Carl\") { id }".to_owned(),
        format!("updateUser(id: {ada}, username: \"countess\") {{ id }}"),
        format!("updateUser(id: {ada}, bio: \"Engines\") {{ id }}"),
        format!("createPost(authorId: {ada}, title: \"Three\", content: \"\") {{ id }}"),
        format!("createPosts(authorId: {ada}, posts: [{{title: \"4\", content: \"\"}}, {{title: \"5\", content: \"\"}}]) {{ id }}"),
        format!("updatePost(id: {one}, version: 1, title: \"1\") {{ id }}"),
        format!("publishPost(id: {one}) {{ id }}"),
        format!("createComment(postId: {two}, authorId: {ada}, content: \"Third!\") {{ id }}"),
        format!("moveComment(id: {c}, postId: {two}) {{ id }}"),
        format!("deleteComment(id: {d}) {{ id }}"),
        format!("tagPost(id: {one}, tags: [\"Rust\", \"New\"]) {{ id }}"),
        format!("likePost(id: {one}, userId: {bob}) {{ id }}"),
        format!("deletePost(id: {two}) {{ id }}"),
        format!("deleteUser(id: {ada}) {{ deleted {{ type }} }}"),
    ];
    for mutation in &mutations {
        blog.data(&format!("mutation {{ {mutation} }}"), json!({}))
            .await;
        assert!(blog.is_synced().await, "{mutation}");
    }
    // The list above is complete.
    let query = "{ __schema { mutationType { fields { name } } } }";
    let schema = blog.field(query, json!({})).await;
    let fields = schema["mutationType"]["fields"].as_array().unwrap();
    for field in fields {
        let name = field["name"].as_str().unwrap();
        let is_tested = mutations
            .iter()
            .any(|text| text.starts_with(&format!("{name}(")));
        assert!(is_tested, "{name}");
    }
    assert_eq!(fields.len(), 13);
}
