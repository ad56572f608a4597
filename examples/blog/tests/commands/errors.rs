//! Errors of commands.

use super::*;

#[tokio::test]
async fn client_errors_have_a_code_and_change_nothing() {
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
        ("NOT_FOUND", "there is no user", format!("deleteUser(id: \"{nobody}\") {{ deleted {{ type }} }}")),
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
        ("CONFLICT", "was changed by another client", format!("updatePost(id: \"{post}\", version: 7, title: \"b\") {{ id }}")),
        ("TAKEN", "`bob` is taken", "createUser(username: \"bob\", fullName: \"Bob\") { id }".to_owned()),
        ("TAKEN", "`bob` is taken", format!("updateUser(id: \"{ada}\", username: \"bob\") {{ id }}")),
        ("BAD_USER_INPUT", "username `?!` needs", "createUser(username: \"?!\", fullName: \"a\") { id }".to_owned()),
        ("BAD_USER_INPUT", "fullName is empty", "createUser(username: \"carl\", fullName: \" \") { id }".to_owned()),
        ("BAD_USER_INPUT", "title has 201", format!("createPost(authorId: \"{ada}\", title: \"{long}\", content: \"\") {{ id }}")),
        ("BAD_USER_INPUT", "U+0000", format!("createPost(authorId: \"{ada}\", title: \"a\\u0000\", content: \"\") {{ id }}")),
        ("BAD_USER_INPUT", "title is empty", format!("updatePost(id: \"{post}\", version: 1, title: \"\") {{ id }}")),
        ("BAD_USER_INPUT", "content is empty", format!("createComment(postId: \"{post}\", authorId: \"{ada}\", content: \"\") {{ id }}")),
        ("BAD_USER_INPUT", "tag `#` needs", format!("tagPost(id: \"{post}\", tags: [\"#\"]) {{ id }}")),
        ("BAD_USER_INPUT", "`7` is not an ID", "publishPost(id: 7) { id }".to_owned()),
    ];
    for (code, part, mutation) in cases {
        let (message, actual) = blog
            .error(&format!("mutation {{ {mutation} }}"), json!({}))
            .await;
        assert_eq!(actual, code, "{mutation}: {message}");
        assert!(message.contains(part), "{mutation}: {message}");
    }
    assert_eq!(rows().await, before);
    blog.assert_synced().await;
}

#[tokio::test]
async fn a_failed_field_keeps_the_data_of_the_others() {
    let blog = Blog::start(0).await;
    let query = "mutation {
        a: createUser(username: \"ada\", fullName: \"Ada\") { username }
        b: createUser(username: \"ada\", fullName: \"Ada\") { username }
        c: createUser(username: \"carl\", fullName: \"Carl\") { username }
    }";
    let response = blog.execute(query, json!({})).await;
    assert_eq!(response["errors"][0]["path"], json!(["b"]));
    assert_eq!(
        response["data"],
        json!({"a": {"username": "ada"}, "b": null, "c": {"username": "carl"}})
    );
}

#[tokio::test]
async fn database_errors_are_hidden_from_clients() {
    let blog = Blog::start(0).await;
    let ada = user(&blog, "ada").await;
    let post = post(&blog, &ada, "Notes").await;
    sqlx::raw_sql("ALTER TABLE tb_tag RENAME TO tb_label")
        .execute(&blog.pool)
        .await
        .unwrap();
    let query = "mutation ($id: ID!) { tagPost(id: $id, tags: [\"a\"]) { id } }";
    let error = blog.error(query, json!({"id": post})).await;
    assert_eq!(error, ("internal error".to_owned(), "INTERNAL".to_owned()));
}
