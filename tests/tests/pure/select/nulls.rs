//! Tests that a null in a required field makes the next nullable object null, with an error.

use fraiseql_runtime::select::Segment;

use super::{answer, projection, write};

#[test]
fn an_absent_key_is_treated_as_null() {
    for document in [
        r#"{"id":1}"#,
        r#"{"id":1,"subtitle":null,"title":null,"editor":null}"#,
    ] {
        assert_eq!(
            write("{ subtitle id editor { id } }", document),
            Ok(r#"{"subtitle":null,"id":1,"editor":null}"#.to_owned())
        );
        assert_eq!(
            write("{ id title }", document),
            Err("title: `title` of `Post` is null, and cannot be".to_owned())
        );
    }
}

#[test]
fn a_null_in_a_required_field_makes_the_enclosing_value_null() {
    let document = r#"{"id":1,"editor":{"id":2},"author":{"id":3,"role":null,"fullName":"x"},"comments":[{"id":1,"content":"a"},null,{"id":null,"content":null}],"tags":["a",null]}"#;
    let null = |what: &str| format!("{what} is null, and cannot be");
    assert_eq!(
        answer("{ id editor { id role n: fullName } }", document),
        (
            Some(r#"{"id":1,"editor":null}"#.to_owned()),
            vec![
                null("editor.role: `role` of `Author`"),
                null("editor.n: `fullName` of `Author`")
            ]
        )
    );
    assert_eq!(
        answer("{ id author { role } }", document),
        (None, vec![null("author.role: `role` of `Author`")])
    );
    assert_eq!(
        answer("{ comments { content id } }", document),
        (
            None,
            vec![
                null("comments[1]: an item of `comments` of `Post`"),
                null("comments[2].content: `content` of `Comment`"),
                null("comments[2].id: `id` of `Comment`")
            ]
        )
    );
    assert_eq!(
        answer("{ tags }", document).1,
        [null("tags[1]: an item of `tags` of `Post`")]
    );
    assert_eq!(
        answer("{ id comments { id } }", r#"{"id":1,"comments":{}}"#),
        (
            None,
            vec!["comments: `comments` of `Post` is not a list in the document".to_owned()]
        )
    );
    assert_eq!(
        answer("{ id editor { id } }", r#"{"id":1,"editor":"x"}"#),
        (
            Some(r#"{"id":1,"editor":null}"#.to_owned()),
            vec!["editor: `editor` of `Post` is not an object in the document".to_owned()]
        )
    );
    let error =
        projection("{ c: comments { content } }").write(document.as_bytes(), &mut Vec::new());
    let path = [Segment::Name("c".to_owned()), Segment::Index(1)];
    assert_eq!(error.unwrap_err().path(), path);
}
