//! What a query selects of a union or an interface, by fragments and by fields of the interface.

use super::assert_answers;

#[tokio::test]
async fn a_union_is_selected_by_fragments() {
    assert_answers(&[
        (
            "{ found { __typename } }",
            r#"{"found":[{"__typename":"Post"},{"__typename":"Post"},{"__typename":"User"},{"__typename":"User"}]}"#,
        ),
        (
            r#"{ found(title: "Notes") { __typename ... on Post { title } ... on User { name } } }"#,
            r#"{"found":[{"__typename":"Post","title":"Notes"},{"__typename":"User","name":"Ada"},{"__typename":"User","name":"Bob"}]}"#,
        ),
        (
            r#"{ found(title: "Notes") { ... on Post { key: id what: title by: author { who: name } } } }"#,
            r#"{"found":[{"key":1,"what":"Notes","by":{"who":"Ada"}},{},{}]}"#,
        ),
        (
            r#"{ all: found(title: "Notes") { type: __typename ...F ...U } } fragment F on Found { ... on Post { id } ...U }
               fragment U on User { name }"#,
            r#"{"all":[{"type":"Post","id":1},{"type":"User","name":"Ada"},{"type":"User","name":"Bob"}]}"#,
        ),
        (
            r#"query { found(title: "Notes") { ... on Post @include(if: false) { title } ... on User { name @skip(if: true) id } } }"#,
            r#"{"found":[{},{"id":1},{"id":2}]}"#,
        ),
        (
            r#"{ found(title: "none") { ... on Post { id } } }"#,
            r#"{"found":[{},{}]}"#,
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_fields_of_an_interface_are_selected_directly() {
    assert_answers(&[
        (
            "{ contents { id title author { name } } }",
            r#"{"contents":[{"id":1,"title":"Notes","author":{"name":"Ada"}},{"id":1,"title":"Imprint","author":{"name":"Bob"}}]}"#,
        ),
        (
            "{ contents { ... on Page { path } title __typename ... on Post { rating comments { id } } } }",
            r#"{"contents":[{"title":"Notes","__typename":"Post","rating":5,"comments":[{"id":10},{"id":11}]},{"path":"/imprint","title":"Imprint","__typename":"Page"}]}"#,
        ),
        (
            // One field of two types, under one name.
            "{ contents { author { name } ... on Post { author { id } what: rating } ... on Page { what: id } } }",
            r#"{"contents":[{"author":{"name":"Ada","id":1},"what":5},{"author":{"name":"Bob"},"what":1}]}"#,
        ),
        (
            "{ titled { title ... on Page { path } ... on HasTitle { t: title } } }",
            r#"{"titled":{"title":"Notes on notes","path":null,"t":"Notes on notes"}}"#,
        ),
        (
            "{ written { __typename author { name } ... on Post { title } } }",
            r#"{"written":[{"__typename":"Comment","author":{"name":"Eve"}},{"__typename":"Post","author":{"name":"Bob"},"title":"More notes"}]}"#,
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_optional_value_may_be_null() {
    assert_answers(&[
        (
            "{ a: content(id: 1) { title } b: content(id: 11) { title } c: content(id: 99) { title } }",
            r#"{"a":{"title":"Notes"},"b":{"title":"Imprint"},"c":null}"#,
        ),
        (
            "query ($id: Int = 12) { content(id: $id) { __typename ... on Page { path } } }",
            r#"{"content":{"__typename":"Page","path":null}}"#,
        ),
    ])
    .await;
}

#[tokio::test]
async fn fragments_on_interfaces_and_unions_nest() {
    assert_answers(&[
        (
            "{ contents { ... on HasTitle { t: title ... on Found { ... on Post { rating } } } ... on Written { author { id } } } }",
            r#"{"contents":[{"t":"Notes","rating":5,"author":{"id":1}},{"t":"Imprint"}]}"#,
        ),
        (
            // A post is of the interface, a user is not.
            r#"{ found(title: "Notes") { ... on Content { id } ... on User { name } } }"#,
            r#"{"found":[{"id":1},{"name":"Ada"},{"name":"Bob"}]}"#,
        ),
        (
            "{ contents { ...C } } fragment C on Content { ...T ... on Found { __typename } } fragment T on HasTitle { title }",
            r#"{"contents":[{"title":"Notes","__typename":"Post"},{"title":"Imprint"}]}"#,
        ),
    ])
    .await;
}

#[tokio::test]
async fn fields_with_one_response_key_are_merged() {
    assert_answers(&[
        (
            "{ contents { id } contents { ... on Post { title } } contents { ... on Page { path author { id } } } }",
            r#"{"contents":[{"id":1,"title":"Notes"},{"id":1,"path":"/imprint","author":{"id":2}}]}"#,
        ),
        (
            "{ content(id: 1) { id } ... { content(id: 1) { author { id } } } ...Q } fragment Q on Query { content(id: 1) { author { name } } }",
            r#"{"content":{"id":1,"author":{"id":1,"name":"Ada"}}}"#,
        ),
        (
            r#"{ found(title: "Notes") { ... on Post { author { id } } ... on Content { author { name } } ... on Post { author { id } } } }"#,
            r#"{"found":[{"author":{"id":1,"name":"Ada"}},{},{}]}"#,
        ),
    ])
    .await;
}
