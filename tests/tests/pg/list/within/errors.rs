//! Filters by what is within documents that cannot be: each is an error before the statement is sent.

use fraiseql_runtime::list::{Filter, Operator};
use fraiseql_runtime::{Embed, TScalar, TView};
use serde_json::{Value, json};

use super::{Entry, Person};

#[derive(TView)]
#[tview(table = "tb_post")]
#[allow(dead_code)]
struct Plain {
    id: i64,
    title: String,
    #[tview(one(fk = "author_id"))]
    author: Person,
    attributes: Option<Value>,
}

#[derive(TView)]
#[tview(table = "tb_post", entity = "text_post", data = "json")]
#[allow(dead_code)]
struct TextPost {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: Person,
}

#[derive(TView)]
#[tview(table = "tb_post", entity = "live_post", storage = "live")]
#[allow(dead_code)]
struct LivePost {
    id: i64,
    #[tview(one(fk = "author_id"))]
    author: Person,
}

fn error<V: TView>(filter: Filter) -> String {
    let list =
        fraiseql_runtime::list::List::<fraiseql_runtime::list::AnyView>::of_view(V::handle());
    list.filter(filter).sql().unwrap_err().to_string()
}

#[derive(Embed)]
#[tview(table = "tb_note")]
#[allow(dead_code)]
struct Timed {
    id: i64,
    created_at: chrono::DateTime<chrono::Utc>,
    price: rust_decimal::Decimal,
}

#[derive(TView)]
#[tview(table = "tb_post", entity = "timed_post", index(gin))]
#[allow(dead_code)]
struct TimedPost {
    id: i64,
    #[tview(many(fk = "post_id"))]
    notes: Vec<Timed>,
}

#[test]
fn what_no_index_has_cannot_be_filtered() {
    let mut errors = Vec::new();
    let of_author = Filter::is("author", Filter::eq("id", 7));
    errors.push(error::<Plain>(of_author.clone()));
    errors.push(error::<Plain>(Filter::at(
        "attributes",
        ["a"],
        Operator::Eq,
        7,
    )));
    errors.push(error::<TextPost>(of_author.clone()));
    errors.push(error::<LivePost>(of_author));
    errors.push(error::<Plain>(Filter::search("a")));
    errors.push(error::<Entry>(Filter::search_in("searchTitel", "a")));
    errors.push(error::<Entry>(Filter::is("autor", Filter::eq("id", 7))));
    errors.push(error::<Entry>(Filter::is("title", Filter::eq("id", 7))));
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn each_kind_of_field_has_its_own_filter() {
    let mut errors = Vec::new();
    let seven = || Filter::eq("id", 7);
    errors.push(error::<Entry>(Filter::some("author", seven())));
    errors.push(error::<Entry>(Filter::is("notes", seven())));
    errors.push(error::<Entry>(Filter::eq("author", 7)));
    errors.push(error::<Entry>(Filter::eq("attributes", 7)));
    errors.push(error::<Entry>(Filter::compare(
        "notes",
        Operator::IsNull,
        true,
    )));
    errors.push(error::<Entry>(Filter::compare(
        "author",
        Operator::Contains,
        json!({}),
    )));
    errors.push(error::<Entry>(Filter::at(
        "author",
        ["id"],
        Operator::Eq,
        7,
    )));
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn fields_of_a_part_are_checked() {
    let mut errors = Vec::new();
    let of_note = |filter| error::<Entry>(Filter::some("notes", filter));
    errors.push(of_note(Filter::eq("ratin", 7)));
    errors.push(of_note(Filter::eq("rating", "x")));
    errors.push(of_note(Filter::eq("rating", json!(null))));
    errors.push(of_note(Filter::compare("text", Operator::Like, "a%")));
    errors.push(of_note(Filter::compare("rating", Operator::In, 7)));
    errors.push(of_note(Filter::eq("state", "open")));
    errors.push(of_note(Filter::eq("day", "2026-1-7")));
    errors.push(of_note(Filter::eq("author", 7)));
    errors.push(of_note(Filter::is("rating", Filter::eq("id", 7))));
    errors.push(of_note(Filter::search("a")));
    let timed = |filter| error::<TimedPost>(Filter::some("notes", filter));
    errors.push(timed(Filter::eq("createdAt", "2026-01-01T00:00:00Z")));
    errors.push(timed(Filter::eq("price", "1.50")));
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn values_that_json_cannot_have_are_errors() {
    let mut errors = Vec::new();
    let at =
        |operator, value: Value| error::<Entry>(Filter::at("attributes", ["a"], operator, value));
    errors.push(at(Operator::Eq, json!(null)));
    errors.push(at(Operator::Eq, json!({"a": 1})));
    errors.push(at(Operator::Gt, json!(true)));
    errors.push(at(Operator::Eq, json!("\0")));
    errors.push(at(Operator::Contains, json!({})));
    let contains = |value| error::<Entry>(Filter::compare("attributes", Operator::Contains, value));
    errors.push(contains(json!({"a": ["\0"]})));
    let key = Filter::at("attributes", ["a\0"], Operator::Eq, 7);
    errors.push(error::<Entry>(key));
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn the_size_of_a_filter_is_limited() {
    let mut errors = Vec::new();
    let deep = (0..20).fold(Filter::eq("id", 7), |filter, _| Filter::not(filter));
    errors.push(error::<Entry>(Filter::some("notes", deep)));
    let wide = Filter::any((0..300).map(|_| Filter::eq("id", 7)));
    errors.push(error::<Entry>(Filter::some("notes", wide)));
    let many = Filter::compare("rating", Operator::In, json!(vec![1; 1001]));
    errors.push(error::<Entry>(Filter::some("notes", many)));
    let long = Filter::any((0..20).map(|_| Filter::eq("text", "x".repeat(9_000))));
    errors.push(error::<Entry>(Filter::some("notes", long)));
    insta::assert_snapshot!(errors.join("\n"));
}

#[derive(TScalar)]
#[tview(type_name = "Attributes")]
#[allow(dead_code)]
struct Attributes(Value);

#[derive(TView)]
#[tview(table = "tb_post", entity = "named_post", index(gin))]
#[allow(dead_code)]
struct NamedPost {
    id: i64,
    attributes: Option<Attributes>,
}

#[test]
fn json_of_a_newtype_is_json() {
    let list = NamedPost::list().filter(Filter::at("attributes", ["a"], Operator::Eq, 7));
    assert!(list.sql().unwrap().contains("@?"));
}
