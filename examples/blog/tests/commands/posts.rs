//! Commands on posts and tags.

use super::*;

#[tokio::test]
async fn a_new_post_has_every_field() {
    let blog = Blog::start(0).await;
    let ada = user(&blog, "ada").await;
    let variables = json!({"author": ada, "title": "Notes on the Engine"});
    let mut post = blog.field(CREATE_POST, variables).await;
    let id = post["id"].take();
    let end = &id.as_str().unwrap()[24..];
    assert!(post["createdAt"].take().is_string());
    assert_eq!(
        post,
        json!({
            "id": null, "identifier": format!("notes-on-the-engine-{end}"),
            "title": "Notes on the Engine", "content": "The text", "publishedAt": null,
            "version": 1, "createdAt": null,
            "author": {"id": ada, "username": "ada", "fullName": "ada's full name"},
            "tags": [], "comments": [], "commentCount": 0, "likeCount": 0
        })
    );
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_batch_is_returned_in_its_order() {
    let blog = Blog::start(0).await;
    let ada = user(&blog, "ada").await;
    let query = "mutation ($author: ID!, $posts: [PostInput!]!) {
        createPosts(authorId: $author, posts: $posts) { title content author { username } }
    }";
    let posts: Vec<Value> = (0..200)
        .map(|n| json!({"title": "Same", "content": format!("{n}")}))
        .collect();
    let created = blog
        .field(query, json!({"author": ada, "posts": posts}))
        .await;
    let expected: Vec<Value> = (0..200)
        .map(|n| json!({"title": "Same", "content": format!("{n}"), "author": {"username": "ada"}}))
        .collect();
    assert_eq!(created, Value::Array(expected));
    let none = blog.field(query, json!({"author": ada, "posts": []})).await;
    assert_eq!(none, json!([]));
    blog.assert_synced().await;
}

#[tokio::test]
async fn the_second_of_two_changes_to_one_version_is_a_conflict() {
    let blog = Blog::start(0).await;
    let ada = user(&blog, "ada").await;
    let id = post(&blog, &ada, "Draft").await;
    let read = blog.field(POST, json!({"id": id})).await;
    let version = &read["version"];

    let first = json!({"id": id, "version": version, "title": "First"});
    let done = blog.field(UPDATE_POST, first).await;
    assert_eq!(
        done,
        json!({"title": "First", "content": "The text", "version": 2})
    );
    let second = json!({"id": id, "version": version, "title": "Second"});
    let (message, code) = blog.error(UPDATE_POST, second).await;
    assert_eq!(code, "CONFLICT");
    assert!(
        message.contains("at version 2") && message.contains("you have read version 1"),
        "{message}"
    );

    let again = blog.field(POST, json!({"id": id})).await;
    assert_eq!(again["title"], "First");
    let variables = json!({"id": id, "version": again["version"], "content": "Second"});
    let done = blog.field(UPDATE_POST, variables).await;
    assert_eq!(
        done,
        json!({"title": "First", "content": "Second", "version": 3})
    );
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_post_is_counted_while_it_is_published() {
    let blog = Blog::start(0).await;
    let ada = user(&blog, "ada").await;
    let id = post(&blog, &ada, "Notes").await;
    let counted = async || blog.field(USER, json!({"id": ada})).await["publishedPostCount"].take();
    assert_eq!(counted().await, 0);
    let publish = "mutation ($id: ID!) { publishPost(id: $id) { publishedAt version } }";
    let published = blog.field(publish, json!({"id": id})).await;
    assert!(published["publishedAt"].is_string());
    assert_eq!(counted().await, 1);
    // Publishing it again changes nothing.
    assert_eq!(blog.field(publish, json!({"id": id})).await, published);

    comment(&blog, &id, &ada, "First!").await;
    let delete = "mutation ($id: ID!) { deletePost(id: $id) { publishedPostCount commentCount } }";
    let author = blog.field(delete, json!({"id": id})).await;
    assert_eq!(author, json!({"publishedPostCount": 0, "commentCount": 0}));
    assert_eq!(blog.field(POST, json!({"id": id})).await, Value::Null);
    assert_eq!(
        blog.field("{ comments { id } }", json!({})).await,
        json!([])
    );
    blog.assert_synced().await;
}

#[tokio::test]
async fn tags_are_added_once_and_listed_by_name() {
    let blog = Blog::start(0).await;
    let ada = user(&blog, "ada").await;
    let (one, two) = (
        post(&blog, &ada, "One").await,
        post(&blog, &ada, "Two").await,
    );
    let query = "mutation ($id: ID!, $tags: [String!]!) {
        tagPost(id: $id, tags: $tags) { tags { identifier name } }
    }";
    let rust = json!({"identifier": "rust", "name": "Rust"});
    let sql = json!({"identifier": "sql", "name": "SQL"});
    let tags = json!([" SQL ", "Rust"]);
    let tagged = blog.field(query, json!({"id": one, "tags": tags})).await;
    assert_eq!(tagged["tags"], json!([rust, sql]));
    // A tag keeps the name with which it was created.
    let tagged = blog.field(query, json!({"id": two, "tags": ["sql"]})).await;
    assert_eq!(tagged["tags"], json!([sql]));
    let tagged = blog
        .field(query, json!({"id": one, "tags": ["rust", "Rust"]}))
        .await;
    assert_eq!(tagged["tags"], json!([rust, sql]));
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_post_is_published_at_once_or_later() {
    let blog = Blog::start(0).await;
    let ada = user(&blog, "ada").await;
    let query = "mutation ($author: ID!, $published: Boolean) {
        createPost(authorId: $author, title: \"Notes\", content: \"\", published: $published) {
            publishedAt author { id }
        }
    }";
    let published = async |published: Value| {
        let variables = json!({"author": ada, "published": published});
        blog.field(query, variables).await["publishedAt"].is_string()
    };
    assert!(published(json!(true)).await);
    assert!(!published(json!(false)).await);
    let omitted = blog.field(query, json!({"author": ada})).await;
    assert_eq!(omitted["publishedAt"], Value::Null);
    let batch = "mutation ($author: ID!) {
        createPosts(authorId: $author, posts: [
            {title: \"a\", content: \"\", published: true}, {title: \"b\", content: \"\"}
        ]) { publishedAt }
    }";
    let batch = blog.field(batch, json!({"author": ada})).await;
    assert!(batch[0]["publishedAt"].is_string());
    assert_eq!(batch[1]["publishedAt"], Value::Null);
    let author = "query ($id: ID!) { user(id: $id) { publishedPostCount } }";
    let author = blog.field(author, json!({"id": ada})).await;
    assert_eq!(author, json!({"publishedPostCount": 2}));
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_post_says_whether_the_viewer_can_edit_it() {
    let blog = Blog::start(0).await;
    let ada = user(&blog, "ada").await;
    let id = post(&blog, &ada, "Draft").await;
    let bob = user(&blog, "bob").await;
    let query =
        "query ($id: ID!) { post(id: $id) { title viewerCanEdit } posts { viewerCanEdit } }";
    let asked = async |viewer: Option<&Value>| {
        let body = json!({"query": query, "variables": {"id": id}});
        let mut request = blog
            .client
            .post(format!("{}/graphql", blog.url))
            .json(&body);
        if let Some(viewer) = viewer {
            request = request.header("x-user-id", viewer.as_str().unwrap());
        }
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    for (viewer, can) in [
        (Some(&ada), true),
        (Some(&bob), false),
        (None, false),
        (Some(&ada), true),
    ] {
        let expected = json!({"data": {
            "post": {"title": "Draft", "viewerCanEdit": can},
            "posts": [{"viewerCanEdit": can}],
        }});
        assert_eq!(asked(viewer).await, expected);
    }
    assert_eq!(
        asked(Some(&json!("nobody"))).await["data"]["post"]["viewerCanEdit"],
        false
    );
}
