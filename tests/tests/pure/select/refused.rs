//! Tests that broken documents and selections are refused with the place of the mistake.

use fraiseql_runtime::{Projection, Selection};

use super::{Post, faults, write};

#[test]
fn bytes_that_are_not_a_document_are_refused_with_the_position() {
    let what = |document| write("{ title }", document).unwrap_err();
    assert_eq!(
        what(""),
        "the document is not a JSON object: at byte 0, an object is expected"
    );
    assert_eq!(
        what("null"),
        "the document is not a JSON object: at byte 0, an object is expected"
    );
    assert_eq!(
        what(" [1]"),
        "the document is not a JSON object: at byte 1, an object is expected"
    );
    assert_eq!(
        what(r#"{"id" 1}"#),
        "the document is not a JSON object: at byte 6, a colon is expected"
    );
    assert_eq!(
        what(r#"{"id": 1 2}"#),
        "the document is not a JSON object: at byte 9, a comma or the end of the object is expected"
    );
    assert_eq!(
        what(r#"{"id": "1"#),
        "the document is not a JSON object: at byte 7, a value is expected"
    );
    assert_eq!(
        what(r#"{"id": 1"#),
        "the document is not a JSON object: at byte 8, a comma or the end of the object is expected"
    );
    assert_eq!(
        what(r#"{"id": 1, }"#),
        "the document is not a JSON object: at byte 10, a key is expected"
    );
    assert_eq!(
        what(r#"{"id": nul, "title": ""}"#),
        "the document is not a JSON object: at byte 7, a value is expected"
    );
    let comments = |document| write("{ comments { id } title }", document).unwrap_err();
    assert_eq!(
        comments(r#"{"comments": [{"id": 1}{"#),
        "the document is not a JSON object: at byte 23, a comma or the end of the list is expected"
    );
    assert_eq!(
        comments(r#"{"comments": [{"id": 1, "x": ["#),
        "the document is not a JSON object: at byte 29, a value is expected"
    );
    let mut out = Vec::new();
    let error = Projection::all::<Post>()
        .write(b"[]", &mut out)
        .unwrap_err();
    assert_eq!(error.to_string(), "the document is not a JSON object");
    // The outermost object is read no further than the selection requires.
    assert_eq!(
        write("{ id }", r#"{"id": 1, ..."#),
        Ok(r#"{"id":1}"#.to_owned())
    );
}

#[test]
fn every_error_of_a_selection_says_what_to_do() {
    assert_eq!(
        faults("{ titel author { fulName } author editor id { x } comments { author { zip } } }"),
        [
            "`author` is selected with braces and without: write it once",
            "`Post` has no field `titel`; did you mean `title`? Its fields are id, title, subtitle, meta, tags, author, editor, comments",
            "`Author` has no field `fulName` (`author.fulName`); did you mean `fullName`? Its fields are id, role, accessToken, fullName",
            "`editor` is an object: select its fields, as in `editor { id role accessToken }`",
            "`id` is a scalar and has no fields: leave its braces out",
            "`Author` has no field `zip` (`comments.author.zip`). Its fields are id, role, accessToken, fullName",
        ]
    );
    assert_eq!(
        faults("{ comments }"),
        ["`comments` is a list of objects: select its fields, as in `comments { id content }`"]
    );
    assert_eq!(
        faults("{ __typename { id } }"),
        ["`__typename` is a scalar and has no fields: leave its braces out"]
    );
    let nothing = Selection::new().nested("author", Selection::new());
    let error = Projection::of::<Post>(&nothing).unwrap_err();
    assert_eq!(
        error.to_string(),
        "nothing is selected of `author`: write at least one of id, role, accessToken, fullName"
    );
    let error = Projection::of::<Post>(&Selection::new()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("nothing is selected of `Post`")
    );
    let many: String = (0..100).map(|number| format!("unknown{number} ")).collect();
    assert_eq!(faults(&many).len(), 21);
    assert_eq!(faults(&many)[20], "and 80 more");
    let long = "x".repeat(60_000);
    assert!(faults(&long)[0].len() < 300, "{:?}", faults(&long));
}

#[test]
fn a_text_that_cannot_be_parsed_is_refused_with_the_position() {
    for (text, expected) in [
        ("", "1:1: nothing is selected: write at least one field"),
        (
            " # id",
            "1:6: nothing is selected: write at least one field",
        ),
        ("{}", "1:2: write at least one field in the braces"),
        (
            "{ id author { } }",
            "1:15: write at least one field in the braces",
        ),
        (
            "{ id\n  author {\n id ",
            "3:5: the text ends, but the `{` at 2:10 is not closed",
        ),
        ("{ id } }", "1:8: the selection has ended before this"),
        ("id }", "1:4: this `}` closes nothing"),
        ("{ id } title", "1:8: the selection has ended before this"),
        ("{ n: }", "1:6: a field is expected after the alias"),
        ("{ n:", "1:5: the text ends where a field is expected"),
        ("{ : id }", "1:3: an alias is expected before the colon"),
        ("{ { id } }", "1:3: a field is expected before its braces"),
        (
            "{ comments(first: 3) { id } }",
            "1:11: fields of documents do not take arguments; leave (..) out",
        ),
        (
            "{ ...Fields }",
            "1:3: fragments are not supported here; write their fields instead",
        ),
        (
            "{ id @skip(if: true) }",
            "1:6: directives are not supported here; leave the field out instead",
        ),
        ("{ \"id\" }", "1:3: names are written without quotes"),
        ("{ $id }", "1:3: variables are not supported in a selection"),
        ("{ 1d }", "1:3: a name does not begin with a digit"),
        ("{ é! }", "1:3: a field is expected, not 'é'"),
        ("{ id ! }", "1:6: a field is expected, not '!'"),
    ] {
        assert_eq!(faults(text), [expected], "{text}");
    }
    let deep = |depth: usize| format!("{}id{}", "author {".repeat(depth), "}".repeat(depth));
    assert!(deep(63).parse::<Selection>().is_ok());
    let error = deep(64).parse::<Selection>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "1:512: objects are nested more than 64 deep"
    );
    let error = " ".repeat(65 * 1024).parse::<Selection>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "1:1: the selection has 66560 bytes; at most 65536 are allowed"
    );
}
