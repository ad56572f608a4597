//! Each command, asked for over HTTP: what it answers, what others read afterwards, and that every
//! document is what the base tables say.

mod support;

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
async fn a_batch_answers_in_the_order_it_was_given() {
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
    let wanted: Vec<Value> = (0..200)
        .map(|n| json!({"title": "Same", "content": format!("{n}"), "author": {"username": "ada"}}))
        .collect();
    assert_eq!(created, Value::Array(wanted));
    let none = blog.field(query, json!({"author": ada, "posts": []})).await;
    assert_eq!(none, json!([]));
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_new_name_is_in_everything_they_wrote_and_a_new_bio_in_their_document() {
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

    // What is not given stays.
    let updated = blog
        .field(query, json!({"id": ada, "fullName": "Countess"}))
        .await;
    assert_eq!(updated["bio"], "Engines");
    let read = blog.field(POST, json!({"id": post})).await;
    let told = json!([{"content": "First!", "author": {"fullName": "Countess"}}]);
    assert_eq!(read["comments"], told);
    let updated = blog.field(query, json!({"id": ada, "bio": null})).await;
    assert_eq!(updated["bio"], Value::Null);
    blog.assert_synced().await;
}

#[tokio::test]
async fn of_two_who_change_what_they_have_read_the_second_is_told() {
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
async fn a_post_is_counted_from_when_it_is_published_until_it_is_deleted() {
    let blog = Blog::start(0).await;
    let ada = user(&blog, "ada").await;
    let id = post(&blog, &ada, "Notes").await;
    let counted = async || blog.field(USER, json!({"id": ada})).await["publishedPostCount"].take();
    assert_eq!(counted().await, 0);
    let publish = "mutation ($id: ID!) { publishPost(id: $id) { publishedAt version } }";
    let published = blog.field(publish, json!({"id": id})).await;
    assert!(published["publishedAt"].is_string());
    assert_eq!(counted().await, 1);
    // Once more changes nothing.
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
async fn with_a_user_goes_all_they_wrote_and_what_others_said_about_it() {
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

    let delete = "mutation ($id: ID!) { deleteUser(id: $id) }";
    assert_eq!(blog.field(delete, json!({"id": ada})).await, ada);
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

#[tokio::test]
async fn a_comment_is_where_it_was_moved_to_and_nowhere_when_it_is_deleted() {
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
    // The newest first.
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
    // The name is that of who was first.
    let tagged = blog.field(query, json!({"id": two, "tags": ["sql"]})).await;
    assert_eq!(tagged["tags"], json!([sql]));
    let tagged = blog
        .field(query, json!({"id": one, "tags": ["rust", "Rust"]}))
        .await;
    assert_eq!(tagged["tags"], json!([rust, sql]));
    blog.assert_synced().await;
}

#[tokio::test]
async fn who_waits_sees_their_like_and_it_counts_once() {
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
async fn who_does_not_wait_is_answered_while_the_post_is_locked() {
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

/// Everything that fails because of what was asked says so with a code, and changes nothing.
#[tokio::test]
async fn mistakes_have_a_code_and_leave_everything_as_it_was() {
    let blog = Blog::start(0).await;
    let (ada, bob) = (user(&blog, "ada").await, user(&blog, "bob").await);
    let post = post(&blog, &ada, "Notes").await;
    let comment = comment(&blog, &post, &bob, "First!").await;
    let nobody = "00000000-0000-0000-0000-000000000404";
    let long = "x".repeat(201);
    let base = "SELECT md5(string_agg(t::text, '' ORDER BY t::text))
        FROM (SELECT t::text FROM tb_user AS t UNION ALL SELECT t::text FROM tb_post AS t
              UNION ALL SELECT t::text FROM tb_comment AS t UNION ALL SELECT t::text FROM tb_tag AS t
              UNION ALL SELECT t::text FROM tb_like AS t) AS t";
    let rows = async || -> String {
        sqlx::query_scalar(base)
            .fetch_one(&blog.pool)
            .await
            .unwrap()
    };
    let before = rows().await;

    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (ada, post, comment) = (text(&ada), text(&post), text(&comment));
    let (ada, post, comment) = (ada.as_str(), post.as_str(), comment.as_str());
    #[rustfmt::skip]
    let cases = [
        ("NOT_FOUND", "there is no user", format!("updateUser(id: \"{nobody}\", bio: \"\") {{ id }}")),
        ("NOT_FOUND", "there is no user", format!("deleteUser(id: \"{nobody}\")")),
        ("NOT_FOUND", "there is no user", format!("createPost(authorId: \"{nobody}\", title: \"a\", content: \"\") {{ id }}")),
        ("NOT_FOUND", "there is no post", format!("updatePost(id: \"{nobody}\", version: 1) {{ id }}")),
        ("NOT_FOUND", "there is no post", format!("publishPost(id: \"{nobody}\") {{ id }}")),
        ("NOT_FOUND", "there is no post", format!("deletePost(id: \"{nobody}\") {{ id }}")),
        ("NOT_FOUND", "there is no post", format!("tagPost(id: \"{nobody}\", tags: [\"a\"]) {{ id }}")),
        ("NOT_FOUND", "there is no post", format!("likePost(id: \"{nobody}\", userId: \"{ada}\") {{ id }}")),
        ("NOT_FOUND", "there is no user", format!("likePost(id: \"{post}\", userId: \"{nobody}\") {{ id }}")),
        ("NOT_FOUND", "there is no post", format!("createComment(postId: \"{nobody}\", authorId: \"{ada}\", content: \"a\") {{ id }}")),
        ("NOT_FOUND", "there is no user", format!("createComment(postId: \"{post}\", authorId: \"{nobody}\", content: \"a\") {{ id }}")),
        ("NOT_FOUND", "there is no comment", format!("deleteComment(id: \"{nobody}\") {{ id }}")),
        ("NOT_FOUND", "there is no comment", format!("moveComment(id: \"{nobody}\", postId: \"{post}\") {{ id }}")),
        ("NOT_FOUND", "there is no post", format!("moveComment(id: \"{comment}\", postId: \"{nobody}\") {{ id }}")),
        ("CONFLICT", "was changed by somebody else", format!("updatePost(id: \"{post}\", version: 7, title: \"b\") {{ id }}")),
        ("TAKEN", "`bob` is taken", "createUser(username: \"bob\", fullName: \"Bob\") { id }".to_owned()),
        ("TAKEN", "`bob` is taken", format!("updateUser(id: \"{ada}\", username: \"bob\") {{ id }}")),
        ("BAD_USER_INPUT", "username `?!` needs", "createUser(username: \"?!\", fullName: \"a\") { id }".to_owned()),
        ("BAD_USER_INPUT", "fullName is empty", "createUser(username: \"carl\", fullName: \" \") { id }".to_owned()),
        ("BAD_USER_INPUT", "title has 201", format!("createPost(authorId: \"{ada}\", title: \"{long}\", content: \"\") {{ id }}")),
        ("BAD_USER_INPUT", "U+0000", format!("createPost(authorId: \"{ada}\", title: \"a\\u0000\", content: \"\") {{ id }}")),
        ("BAD_USER_INPUT", "title is empty", format!("updatePost(id: \"{post}\", version: 1, title: \"\") {{ id }}")),
        ("BAD_USER_INPUT", "content is empty", format!("createComment(postId: \"{post}\", authorId: \"{ada}\", content: \"\") {{ id }}")),
        ("BAD_USER_INPUT", "tag `#` needs", format!("tagPost(id: \"{post}\", tags: [\"#\"]) {{ id }}")),
        ("BAD_USER_INPUT", "`7` is no ID", "publishPost(id: 7) { id }".to_owned()),
    ];
    for (code, part, mutation) in cases {
        let told = blog
            .error(&format!("mutation {{ {mutation} }}"), json!({}))
            .await;
        assert_eq!(told.1, code, "{mutation}: {}", told.0);
        assert!(told.0.contains(part), "{mutation}: {}", told.0);
    }
    assert_eq!(rows().await, before);
    blog.assert_synced().await;
}

#[tokio::test]
async fn texts_at_their_longest_are_stored() {
    let blog = Blog::start(0).await;
    // What is made of it for an address is longer than what an index can hold.
    let variables =
        json!({"username": "\u{1f60d}".repeat(40), "fullName": "\u{10ffff}".repeat(100)});
    let author = blog.field(CREATE_USER, variables).await;
    let title = "\u{1f60d}".repeat(200);
    let variables = json!({"author": author["id"], "title": title});
    let post = blog.field(CREATE_POST, variables).await;
    assert_eq!(post["title"], title);
    blog.assert_synced().await;
}

#[tokio::test]
async fn one_that_fails_does_not_take_the_answers_of_the_others() {
    let blog = Blog::start(0).await;
    let query = "mutation {
        a: createUser(username: \"ada\", fullName: \"Ada\") { username }
        b: createUser(username: \"ada\", fullName: \"Ada\") { username }
        c: createUser(username: \"carl\", fullName: \"Carl\") { username }
    }";
    let answer = blog.ask(query, json!({})).await;
    assert_eq!(answer["errors"][0]["path"], json!(["b"]));
    assert_eq!(
        answer["data"],
        json!({"a": {"username": "ada"}, "b": null, "c": {"username": "carl"}})
    );
}

#[tokio::test]
async fn what_the_database_says_is_for_the_log() {
    let blog = Blog::start(0).await;
    let ada = user(&blog, "ada").await;
    let post = post(&blog, &ada, "Notes").await;
    sqlx::raw_sql("ALTER TABLE tb_tag RENAME TO tb_label")
        .execute(&blog.pool)
        .await
        .unwrap();
    let query = "mutation ($id: ID!) { tagPost(id: $id, tags: [\"a\"]) { id } }";
    let told = blog.error(query, json!({"id": post})).await;
    assert_eq!(told, ("internal error".to_owned(), "INTERNAL".to_owned()));
}

/// One after the other, each with a look at every document.
#[tokio::test]
async fn every_mutation_leaves_every_document_as_it_should_be() {
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
        format!("deleteUser(id: {ada})"),
    ];
    for mutation in &mutations {
        blog.data(&format!("mutation {{ {mutation} }}"), json!({}))
            .await;
        assert!(blog.is_synced().await, "{mutation}");
    }
    // These are all that there are.
    let query = "{ __schema { mutationType { fields { name } } } }";
    let schema = blog.field(query, json!({})).await;
    let fields = schema["mutationType"]["fields"].as_array().unwrap();
    for field in fields {
        let name = field["name"].as_str().unwrap();
        let is_tried = mutations
            .iter()
            .any(|text| text.starts_with(&format!("{name}(")));
        assert!(is_tried, "{name}");
    }
    assert_eq!(fields.len(), 13);
}
