//! Commands on users.

use super::*;

#[tokio::test]
async fn a_new_user_has_every_field() {
    let blog = Blog::start(0).await;
    let variables = json!({"username": "Ada L.", "fullName": "Ada Lovelace", "bio": "Engines"});
    let mut user = blog.field(CREATE_USER, variables).await;
    assert_eq!(user["id"].take().as_str().unwrap().len(), 36);
    let created_at = user["createdAt"].take();
    assert!(
        created_at.as_str().unwrap().ends_with("+00:00"),
        "{created_at}"
    );
    assert_eq!(
        user,
        json!({
            "id": null, "identifier": "ada-l", "username": "Ada L.", "fullName": "Ada Lovelace",
            "bio": "Engines", "createdAt": null, "publishedPostCount": 0, "commentCount": 0
        })
    );
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_rename_updates_all_dependents_and_a_new_bio_one_document() {
    let blog = Blog::start(0).await;
    let (ada, bob) = (user(&blog, "ada").await, user(&blog, "bob").await);
    let post = post(&blog, &bob, "Bob's").await;
    comment(&blog, &post, &ada, "First!").await;
    let query = "mutation ($id: ID!, $fullName: String, $bio: String) {
        updateUser(id: $id, fullName: $fullName, bio: $bio) { username fullName bio }
    }";
    let versions = "SELECT version FROM tv_post";
    let before: i64 = sqlx::query_scalar(versions)
        .fetch_one(&blog.pool)
        .await
        .unwrap();

    let updated = blog
        .field(query, json!({"id": ada, "bio": "Engines"}))
        .await;
    let unchanged = json!("ada's full name");
    assert_eq!(
        updated,
        json!({"username": "ada", "fullName": unchanged, "bio": "Engines"})
    );
    let after: i64 = sqlx::query_scalar(versions)
        .fetch_one(&blog.pool)
        .await
        .unwrap();
    assert_eq!(after, before, "a bio is not in posts");

    // An omitted argument keeps the value.
    let updated = blog
        .field(query, json!({"id": ada, "fullName": "Countess"}))
        .await;
    assert_eq!(updated["bio"], "Engines");
    let read = blog.field(POST, json!({"id": post})).await;
    let renamed = json!([{"content": "First!", "author": {"fullName": "Countess"}}]);
    assert_eq!(read["comments"], renamed);
    let updated = blog.field(query, json!({"id": ada, "bio": null})).await;
    assert_eq!(updated["bio"], Value::Null);
    blog.assert_synced().await;
}

#[tokio::test]
async fn deleting_a_user_cascades_to_posts_comments_and_likes() {
    let blog = Blog::start(0).await;
    let (ada, bob) = (user(&blog, "ada").await, user(&blog, "bob").await);
    let (adas, bobs) = (
        post(&blog, &ada, "Ada's").await,
        post(&blog, &bob, "Bob's").await,
    );
    comment(&blog, &adas, &bob, "On Ada's").await;
    comment(&blog, &bobs, &ada, "By Ada").await;
    comment(&blog, &bobs, &bob, "By Bob").await;
    blog.field(LIKE, json!({"id": bobs, "user": ada, "wait": true}))
        .await;

    let delete = "mutation ($id: ID!) { deleteUser(id: $id) {
        users { id commentCount } posts { id likeCount commentCount } comments { id }
        deleted { type deletedId } incomplete { type }
    } }";
    let changes = blog.field(delete, json!({"id": ada})).await;
    assert_eq!(changes["users"], json!([{"id": bob, "commentCount": 1}]));
    let left = json!([{"id": bobs, "likeCount": 0, "commentCount": 1}]);
    assert_eq!(changes["posts"], left);
    // Ada, her post, and the two comments by her or on it.
    let deleted = changes["deleted"].as_array().unwrap();
    assert_eq!(deleted.len(), 4, "{changes}");
    assert!(deleted.contains(&json!({"type": "User", "deletedId": ada})));
    assert_eq!(changes["comments"], json!([]));
    assert_eq!(changes["incomplete"], json!([]));
    assert_eq!(blog.field(POST, json!({"id": adas})).await, Value::Null);
    let left = blog.field(POST, json!({"id": bobs})).await;
    assert_eq!(left["likeCount"], 0);
    assert_eq!(left["commentCount"], 1);
    assert_eq!(left["comments"][0]["content"], "By Bob");
    assert_eq!(
        blog.field(USER, json!({"id": bob})).await["commentCount"],
        1
    );
    blog.assert_synced().await;
}
