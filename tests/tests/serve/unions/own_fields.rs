//! Fields of the application at members of a union.

use super::assert_answers;

#[tokio::test]
async fn they_are_selected_by_a_fragment_on_the_member() {
    assert_answers(&[
        (
            "{ contents { title ... on Post { link } } }",
            r#"{"contents":[{"title":"Notes","link":"/posts/1"},{"title":"Imprint"}]}"#,
        ),
        (
            r#"{ found(title: "Notes") { ... on Post { link ... on Content { title link2: __typename } } ... on User { name } } }"#,
            r#"{"found":[{"link":"/posts/1","title":"Notes","link2":"Post"},{"name":"Ada"},{"name":"Bob"}]}"#,
        ),
        (
            // They are merged with what other fragments select.
            "{ contents { ...P } contents { author { id } ... on Post { author { name } } } } fragment P on Post { link }",
            r#"{"contents":[{"link":"/posts/1","author":{"id":1,"name":"Ada"}},{"author":{"id":2}}]}"#,
        ),
        (
            "{ posts { ... on Content { title ... on Post { link } } } }",
            r#"{"posts":[{"title":"Notes","link":"/posts/1"},{"title":"More notes","link":"/posts/2"}]}"#,
        ),
    ])
    .await;
}
