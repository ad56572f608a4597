//! Tests that a projection writes the selected fields of a document, in the order of the query.

#![allow(dead_code)] // the structs are only looked at

mod nulls;
mod oracle;
mod refused;

use fraiseql_runtime::select::{Selected, StoredKeys};
use fraiseql_runtime::{Embed, Projection, Selection, TView};
use serde_json::Value;

#[derive(Embed)]
#[tview(table = "tb_user")]
struct Author {
    id: i64,
    role: String,
    access_token: Option<String>,
    full_name: String,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
struct Comment {
    id: i64,
    content: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

#[derive(TView)]
struct Post {
    id: i64,
    title: String,
    subtitle: Option<String>,
    meta: Value,
    tags: Vec<String>,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(one(fk = "editor_id"))]
    editor: Option<Author>,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
}

/// As PostgreSQL prints `jsonb`.
const STORED: &str = r#"{"id": 7, "meta": {"id": "}", "full_name": {"accessToken": [1, "\"x\\"]}}, "tags": ["a", "b"], "title": "T \"q\" \\ \u0001 é", "author": {"id": 1, "role": "admin", "fullName": "Ada", "accessToken": "secret"}, "editor": null, "comments": [{"id": 3, "author": {"id": 2, "role": "user", "fullName": "Bob", "accessToken": null}, "content": "c"}], "subtitle": null}"#;

fn projection(selection: &str) -> Projection {
    Projection::of::<Post>(&selection.parse().expect(selection)).expect(selection)
}

fn write(selection: &str, document: &str) -> Result<String, String> {
    let mut out = Vec::new();
    let result = projection(selection).write(document.as_bytes(), &mut out);
    let out = String::from_utf8(out).expect("UTF-8");
    match result {
        Ok(()) => Ok(out),
        Err(error) => {
            assert_eq!(out, "", "nothing is appended");
            Err(error.to_string())
        }
    }
}

fn of(selection: &str) -> String {
    write(selection, STORED).expect(selection)
}

/// The GraphQL response: the document or nothing, and the errors.
fn answer(selection: &str, document: &str) -> (Option<String>, Vec<String>) {
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let written = projection(selection).write_with(document.as_bytes(), &mut out, &mut errors);
    assert!(written || out.is_empty());
    let out = String::from_utf8(out).expect("UTF-8");
    (
        written.then_some(out),
        errors.iter().map(ToString::to_string).collect(),
    )
}

/// The errors of a selection, from parsing or from the struct.
fn faults(selection: &str) -> Vec<String> {
    let error = match selection.parse::<Selection>() {
        Err(error) => error,
        Ok(selection) => Projection::of::<Post>(&selection).expect_err("refused"),
    };
    assert_eq!(error.to_string(), error.messages().join("\n"));
    error.messages().to_vec()
}

#[test]
fn fields_of_the_response_have_the_order_of_the_query() {
    assert_eq!(
        of("{ id author { fullName id } }"),
        r#"{"id":7,"author":{"fullName":"Ada","id":1}}"#
    );
    assert_eq!(
        of("{ author { id fullName } id }"),
        r#"{"author":{"id":1,"fullName":"Ada"},"id":7}"#
    );
    assert_eq!(
        of("{ comments { content author { role id } id } author { id } tags id }"),
        r#"{"comments":[{"content":"c","author":{"role":"user","id":2},"id":3}],"author":{"id":1},"tags":["a", "b"],"id":7}"#
    );
}

#[test]
fn a_field_is_matched_by_its_complete_name_only() {
    assert_eq!(of("{ author { role } }"), r#"{"author":{"role":"admin"}}"#);
    assert_eq!(
        of("{ author { accessToken } }"),
        r#"{"author":{"accessToken":"secret"}}"#
    );
    // Absent, while other keys are as long, share a prefix, or stand in a nested object.
    let document = r#"{"x": {"subtitle": "x"}, "meta": {"subtitle": 1}, "subtitl_": 1, "subtitle2": 2, "sub": 3}"#;
    assert_eq!(
        write("{ subtitle }", document),
        Ok(r#"{"subtitle":null}"#.to_owned())
    );
}

#[test]
fn keys_inside_json_columns_are_copied_unchanged() {
    assert_eq!(
        of("{ meta }"),
        r#"{"meta":{"id": "}", "full_name": {"accessToken": [1, "\"x\\"]}}}"#
    );
    let document = r#"{"unknown": [{"id": 1, "title": "no"}], "meta": {"title": "no", "id": 2}, "title": "yes", "id": 3}"#;
    assert_eq!(
        write("{ title id }", document),
        Ok(r#"{"title":"yes","id":3}"#.to_owned())
    );
    assert_eq!(
        of("{ title }"),
        r#"{"title":"T \"q\" \\ \u0001 é"}"#,
        "escapes are the document's"
    );
}

#[test]
fn each_object_has_its_own_selection_and_its_own_type_name() {
    assert_eq!(
        of("{ author { __typename } }"),
        r#"{"author":{"__typename":"Author"}}"#
    );
    assert_eq!(
        of("{ __typename id comments { __typename id author { n: __typename } } }"),
        r#"{"__typename":"Post","id":7,"comments":[{"__typename":"Comment","id":3,"author":{"n":"Author"}}]}"#
    );
    assert_eq!(
        of("{ id author { fullName __typename } __typename }"),
        r#"{"id":7,"author":{"fullName":"Ada","__typename":"Author"},"__typename":"Post"}"#
    );
    assert_eq!(of("{ __typename }"), r#"{"__typename":"Post"}"#);
    assert_eq!(of("{ editor { __typename } }"), r#"{"editor":null}"#);
}

#[test]
fn two_aliases_of_one_field_are_both_written() {
    assert_eq!(of("{ a: id b: id id }"), r#"{"a":7,"b":7,"id":7}"#);
    assert_eq!(of("{ b: title id a: title }").matches("T \\\"q").count(), 2);
    assert_eq!(
        of(
            "{ x: author { id } y: author { role n: role } comments { z: author { id } id y: author { role } } }"
        ),
        r#"{"x":{"id":1},"y":{"role":"admin","n":"admin"},"comments":[{"z":{"id":2},"id":3,"y":{"role":"user"}}]}"#
    );
}

#[test]
fn fields_of_the_same_name_are_merged() {
    assert_eq!(
        of("{ author { id } id author { role id } }"),
        r#"{"author":{"id":1,"role":"admin"},"id":7}"#
    );
    assert_eq!(
        of("{ comments { author { id } } comments { author { role } id } }"),
        r#"{"comments":[{"author":{"id":2,"role":"user"},"id":3}]}"#
    );
    assert_eq!(
        faults("{ n: id n: title }"),
        ["`n` stands for `id` and for `title`: give one of them another alias"]
    );
    assert_eq!(
        faults("{ author { n: id } author { n: role } }"),
        ["`author.n` stands for `id` and for `role`: give one of them another alias"]
    );
}

#[test]
fn the_first_of_two_equal_keys_counts() {
    let document =
        r#"{"id":1,"id":2,"author":{"id":3,"role":"a","role":"b"},"author":null,"title":"t"}"#;
    assert_eq!(
        write("{ title id author { role id } }", document),
        Ok(r#"{"title":"t","id":1,"author":{"role":"a","id":3}}"#.to_owned())
    );
}

#[test]
fn json_is_read_in_any_formatting() {
    let document =
        "\n{ \"ti\\u0074le\" : \"a\" ,\r\n\t\"author\":{ } , \"id\":\n1 , \"comments\" : [ ] }";
    assert_eq!(
        write(
            "{ id title comments { id } author { __typename } }",
            document
        ),
        Ok(r#"{"id":1,"title":"a","comments":[],"author":{"__typename":"Author"}}"#.to_owned())
    );
}

#[test]
fn a_selection_is_parsed_in_the_syntax_of_graphql_and_of_urls() {
    let expected = Selection::new()
        .field("id")
        .nested("author", Selection::new().field("fullName"));
    for text in [
        "{ id author { fullName } }",
        "id,author{fullName}",
        "\u{feff}{id,,author\n{ # } a comment\r\n fullName },}",
        "id author { fullName } # }",
    ] {
        assert_eq!(text.parse(), Ok(expected.clone()), "{text}");
    }
    let mut aliased = Selection::new();
    aliased.push(Selected {
        name: "id".to_owned(),
        alias: Some("n".to_owned()),
        fields: None,
    });
    assert_eq!("{ n : id }".parse(), Ok(aliased.clone()));
    assert_eq!(aliased.to_string().parse(), Ok(aliased));
}

#[test]
fn documents_with_rust_names_are_read_and_written_with_json_names() {
    let stored =
        r#"{"id": 1, "role": "r", "fullName": "no", "full_name": "Ada", "access_token": null}"#;
    let selection: Selection = "{ fullName accessToken id }".parse().unwrap();
    let projection = Projection::of::<Author>(&selection)
        .unwrap()
        .reading(StoredKeys::Rust);
    let mut out = Vec::new();
    projection.write(stored.as_bytes(), &mut out).unwrap();
    assert_eq!(out, br#"{"fullName":"Ada","accessToken":null,"id":1}"#);

    out.clear();
    Projection::all::<Author>()
        .reading(StoredKeys::Rust)
        .write(stored.as_bytes(), &mut out)
        .unwrap();
    assert_eq!(
        out,
        br#"{"id":1,"role":"r","accessToken":null,"fullName":"Ada"}"#
    );
    out.clear();
    projection
        .reading(StoredKeys::Json)
        .write(stored.as_bytes(), &mut out)
        .unwrap();
    assert_eq!(out, br#"{"fullName":"no","accessToken":null,"id":1}"#);
    out.clear();
    let back = Projection::all::<Author>()
        .reading(StoredKeys::Rust)
        .reading(StoredKeys::Json);
    back.write(stored.as_bytes(), &mut out).unwrap();
    assert_eq!(out, stored.as_bytes());
}

#[test]
fn a_list_is_written_completely_or_not_at_all() {
    let projection = projection("{ id }");
    let mut out = b"data:".to_vec();
    projection
        .write_list([r#"{"id":1}"#, r#"{"id": 2}"#], &mut out)
        .unwrap();
    projection
        .write_list(Vec::<Vec<u8>>::new(), &mut out)
        .unwrap();
    assert_eq!(out, br#"data:[{"id":1},{"id":2}][]"#);
    let error = projection
        .write_list(["{\"id\":1}", "{}"], &mut out)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "[1].id: `id` of `Post` is null, and cannot be"
    );
    assert_eq!(out, br#"data:[{"id":1},{"id":2}][]"#);
}

#[test]
fn unselected_lists_are_reported() {
    assert_eq!(
        projection("{ id author { id } }").unselected_lists(),
        ["comments"]
    );
    assert!(
        projection("{ id x: comments { id } }")
            .unselected_lists()
            .is_empty()
    );
}

/// Fields that are adjacent in the document and in the response are copied at once, whatever
/// separates them.
#[test]
fn selecting_everything_in_order_gives_the_document_itself() {
    const AUTHOR: &str = r#"{"id":2,"role":"r","accessToken":null,"fullName":"Ada"}"#;
    let names = "{ id role accessToken fullName }";
    let everything = format!(
        "{{ id title subtitle meta tags author {names} editor {names} comments {{ id content author {names} }} }}"
    );
    let document = |editor: &str| {
        format!(
            r#"{{"id":7,"title":"T","subtitle":null,"meta":{{"x": [1]}},"tags":["a", "b"],"author":{AUTHOR},"editor":{editor},"comments":[{{"id":3,"content":"c","author":{AUTHOR}}},{{"id":4,"content":"","author":{AUTHOR}}}]}}"#
        )
    };
    let stored = document(AUTHOR);
    let of = |stored: &str| write(&everything, stored);
    assert_eq!(of(&stored), Ok(stored.clone()));

    // Unknown keys, whitespace and a duplicate key must not reach the response.
    for (from, to) in [
        (r#""title":"#, r#""x":"}","title":"#),
        (r#","meta""#, r#","title":"no","meta""#),
        (r#""fullName":"#, r#""fullName": "#),
        (r#""fullName":"#, r#""fullName" :"#),
        (r#"[{"id":3"#, r#"[ { "id":3"#),
        (r#"},{"id":4"#, r#"} , {"id":4"#),
        (r#"}]}"#, r#",".":0}] } "#),
        (r#"{"id":7,"title":"T""#, r#" {"title":"T","id":7"#),
    ] {
        assert!(stored.contains(from));
        assert_eq!(of(&stored.replace(from, to)), Ok(stored.clone()), "{to}");
    }

    // Output that was copied before the null was found is taken back.
    let wrong = r#"{"id":2,"role":null,"accessToken":null,"fullName":"Ada"}"#;
    assert_eq!(
        answer(&everything, &document(wrong)),
        (
            Some(document("null")),
            vec!["editor.role: `role` of `Author` is null, and cannot be".to_owned()]
        )
    );

    // In several runs, and next to fields that wait for their turn.
    assert_eq!(
        write(
            "{ tags title id __typename author { role accessToken n: fullName } subtitle meta }",
            &stored
        ),
        Ok(r#"{"tags":["a", "b"],"title":"T","id":7,"__typename":"Post","author":{"role":"r","accessToken":null,"n":"Ada"},"subtitle":null,"meta":{"x": [1]}}"#.to_owned())
    );
    assert_eq!(
        write("{ id title comments { id content author { id role } } editor { id role } }", &stored),
        Ok(r#"{"id":7,"title":"T","comments":[{"id":3,"content":"c","author":{"id":2,"role":"r"}},{"id":4,"content":"","author":{"id":2,"role":"r"}}],"editor":{"id":2,"role":"r"}}"#.to_owned())
    );
}

/// More fields than wait without an allocation, in the opposite order.
#[test]
fn many_aliases_in_reverse_order_are_written() {
    let aliases: String = (0..100).map(|number| format!("a{number}: id ")).collect();
    let expected: String = (0..100).map(|number| format!(",\"a{number}\":7")).collect();
    let title = of("{ title }");
    let title = &title[..title.len() - 1];
    assert_eq!(
        of(&format!("title {aliases}")),
        format!("{title}{expected}}}")
    );
}
