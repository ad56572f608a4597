//! Tests that the shape's number changes with everything that decides what is stored, and with
//! nothing else.

#![allow(dead_code)] // the structs are only looked at

use std::collections::HashMap;

/// The shape of `Post`, which is among these items.
macro_rules! shape {
    ($($item:item)*) => {{
        #[allow(unused_imports)]
        use fraiseql_runtime::{Embed, TEnum, TScalar, TView};
        $($item)*
        Post::statements().shape
    }};
}

/// Asserts that all shapes differ; each comes with a description.
fn all_different(shapes: &[(&'static str, i64)]) {
    let mut seen = HashMap::new();
    for (what, shape) in shapes {
        if let Some(twin) = seen.insert(shape, what) {
            panic!("{what} has the same shape as {twin}");
        }
    }
}

#[test]
fn every_change_of_a_field_changes_the_shape() {
    all_different(&[
        (
            "one field",
            shape! {
                #[derive(TView)] struct Post { id: i64, title: String }
            },
        ),
        (
            "another type of key",
            shape! {
                #[derive(TView)] struct Post { id: i32, title: String }
            },
        ),
        (
            "another key",
            shape! {
                #[derive(TView)] struct Post { #[tview(key)] id: i64, #[tview(column = "id")] title: String }
            },
        ),
        (
            "a field more",
            shape! {
                #[derive(TView)] struct Post { id: i64, title: String, body: String }
            },
        ),
        (
            "another field",
            shape! {
                #[derive(TView)] struct Post { id: i64, body: String }
            },
        ),
        (
            "another column",
            shape! {
                #[derive(TView)] struct Post { id: i64, #[tview(column = "body")] title: String }
            },
        ),
        (
            "another key in the document",
            shape! {
                #[derive(TView)] struct Post { id: i64, #[tview(json = "heading")] title: String }
            },
        ),
        (
            "a field that may be null",
            shape! {
                #[derive(TView)] struct Post { id: i64, title: Option<String> }
            },
        ),
        (
            "a field of another type",
            shape! {
                #[derive(TView)] struct Post { id: i64, title: i64 }
            },
        ),
        (
            "a list",
            shape! {
                #[derive(TView)] struct Post { id: i64, title: Vec<String> }
            },
        ),
        (
            "a list with nulls",
            shape! {
                #[derive(TView)] struct Post { id: i64, title: Vec<Option<String>> }
            },
        ),
        (
            "an expression",
            shape! {
                #[derive(TView)] struct Post { id: i64, #[tview(expr = "{}.title")] title: String }
            },
        ),
        (
            "another expression",
            shape! {
                #[derive(TView)] struct Post { id: i64, #[tview(expr = "{}.title || ''")] title: String }
            },
        ),
        (
            "a promoted field",
            shape! {
                #[derive(TView)] struct Post { id: i64, #[tview(sort)] title: String }
            },
        ),
        (
            "an enum",
            shape! {
                #[derive(TEnum)] enum Kind { A, B }
                #[derive(TView)] struct Post { id: i64, title: Kind }
            },
        ),
        (
            "an enum with a variant more",
            shape! {
                #[derive(TEnum)] enum Kind { A, B, C }
                #[derive(TView)] struct Post { id: i64, title: Kind }
            },
        ),
        (
            "an enum with another label",
            shape! {
                #[derive(TEnum)] enum Kind { A, #[tview(rename = "bee")] B }
                #[derive(TView)] struct Post { id: i64, title: Kind }
            },
        ),
        (
            "an enum with another name",
            shape! {
                #[derive(TEnum)] enum Kind { A, #[tview(json = "BEE")] B }
                #[derive(TView)] struct Post { id: i64, title: Kind }
            },
        ),
        (
            "another table",
            shape! {
                #[derive(TView)] #[tview(table = "article", view = "tv_post")]
                struct Post { id: i64, title: String }
            },
        ),
        (
            "another schema",
            shape! {
                #[derive(TView)] #[tview(table = "app.tb_post", view = "tv_post")]
                struct Post { id: i64, title: String }
            },
        ),
        (
            "a row filter",
            shape! {
                #[derive(TView)] #[tview(filter = "deleted_at IS NULL")]
                struct Post { id: i64, title: String }
            },
        ),
        (
            "another row filter",
            shape! {
                #[derive(TView)] #[tview(filter = "NOT deleted")]
                struct Post { id: i64, title: String }
            },
        ),
        (
            "json",
            shape! {
                #[derive(TView)] #[tview(data = "json")]
                struct Post { id: i64, title: String }
            },
        ),
        (
            "json in another order",
            shape! {
                #[derive(TView)] #[tview(data = "json")]
                struct Post { title: String, id: i64 }
            },
        ),
    ]);
}

#[test]
fn every_change_of_a_relation_changes_the_shape() {
    all_different(&[
        (
            "one",
            shape! {
                #[derive(Embed)] struct Author { id: i64, name: String }
                #[derive(TView)] struct Post { id: i64, #[tview(one(fk = "author_id"))] author: Author }
            },
        ),
        (
            "one that may be missing",
            shape! {
                #[derive(Embed)] struct Author { id: i64, name: String }
                #[derive(TView)] struct Post { id: i64, #[tview(one(fk = "author_id"))] author: Option<Author> }
            },
        ),
        (
            "another foreign key",
            shape! {
                #[derive(Embed)] struct Author { id: i64, name: String }
                #[derive(TView)] struct Post { id: i64, #[tview(one(fk = "editor_id"))] author: Author }
            },
        ),
        (
            "another column that it refers to",
            shape! {
                #[derive(Embed)] struct Author { id: i64, name: String }
                #[derive(TView)] struct Post { id: i64, #[tview(one(fk = "author_id", key = "number"))] author: Author }
            },
        ),
        (
            "another field of the part",
            shape! {
                #[derive(Embed)] struct Author { id: i64, full_name: String }
                #[derive(TView)] struct Post { id: i64, #[tview(one(fk = "author_id"))] author: Author }
            },
        ),
        (
            "another table of the part",
            shape! {
                #[derive(Embed)] #[tview(table = "person")] struct Author { id: i64, name: String }
                #[derive(TView)] struct Post { id: i64, #[tview(one(fk = "author_id"))] author: Author }
            },
        ),
        (
            "a filter of the part",
            shape! {
                #[derive(Embed)] #[tview(filter = "active")] struct Author { id: i64, name: String }
                #[derive(TView)] struct Post { id: i64, #[tview(one(fk = "author_id"))] author: Author }
            },
        ),
        (
            "a field three parts deep",
            shape! {
                #[derive(Embed)] struct City { id: i64 }
                #[derive(Embed)] struct Home { id: i64, #[tview(one(fk = "city_id"))] city: City }
                #[derive(Embed)] struct Author { id: i64, #[tview(one(fk = "home_id"))] home: Home }
                #[derive(TView)] struct Post { id: i64, #[tview(one(fk = "author_id"))] author: Author }
            },
        ),
        (
            "another field three parts deep",
            shape! {
                #[derive(Embed)] struct City { id: i64, name: String }
                #[derive(Embed)] struct Home { id: i64, #[tview(one(fk = "city_id"))] city: City }
                #[derive(Embed)] struct Author { id: i64, #[tview(one(fk = "home_id"))] home: Home }
                #[derive(TView)] struct Post { id: i64, #[tview(one(fk = "author_id"))] author: Author }
            },
        ),
    ]);
}

#[test]
fn every_change_of_a_list_changes_the_shape() {
    macro_rules! list {
        ($($many:tt)*) => {
            shape! {
                #[derive(Embed)] struct Comment { id: i64, text: String }
                #[derive(TView)] struct Post { id: i64, #[tview(many($($many)*))] comments: Vec<Comment> }
            }
        };
    }
    all_different(&[
        ("a list", list!(fk = "post_id")),
        ("another foreign key", list!(fk = "on_id")),
        (
            "another column that it refers to",
            list!(fk = "post_id", key = "number"),
        ),
        ("an order", list!(fk = "post_id", order_by = "text")),
        (
            "another order",
            list!(fk = "post_id", order_by = "created_at"),
        ),
        (
            "a falling order",
            list!(fk = "post_id", order_by = "text DESC"),
        ),
        (
            "a falling order with nulls last",
            list!(fk = "post_id", order_by = "text DESC NULLS LAST"),
        ),
        (
            "two orders",
            list!(fk = "post_id", order_by = "text, created_at"),
        ),
        ("a limit", list!(fk = "post_id", limit = 3)),
        ("another limit", list!(fk = "post_id", limit = 4)),
        ("a filter", list!(fk = "post_id", filter = "public")),
        (
            "another filter",
            list!(fk = "post_id", filter = "NOT public"),
        ),
        (
            "a join table",
            list!(through(
                table = "on_post",
                fk = "post_id",
                to = "comment_id"
            )),
        ),
        (
            "another join table",
            list!(through(
                table = "of_post",
                fk = "post_id",
                to = "comment_id"
            )),
        ),
        (
            "another column of it",
            list!(through(table = "on_post", fk = "p", to = "comment_id")),
        ),
        (
            "and the other",
            list!(through(table = "on_post", fk = "post_id", to = "c")),
        ),
        (
            "what that refers to",
            list!(through(
                table = "on_post",
                fk = "post_id",
                to = "c",
                key = "number"
            )),
        ),
        (
            "the order of a join table",
            list!(through(
                table = "on_post",
                fk = "post_id",
                to = "c",
                order_by = "place"
            )),
        ),
        (
            "another order of a join table",
            list!(through(
                table = "on_post",
                fk = "post_id",
                to = "c",
                order_by = "place DESC"
            )),
        ),
        (
            "a column of a join table",
            shape! {
                #[derive(Embed)] struct Comment { id: i64, #[tview(through = "text")] text: String }
                #[derive(TView)] struct Post { id: i64,
                    #[tview(many(through(table = "on_post", fk = "post_id", to = "comment_id")))] comments: Vec<Comment> }
            },
        ),
        (
            "the first of a list",
            shape! {
                #[derive(Embed)] struct Comment { id: i64, text: String }
                #[derive(TView)] struct Post { id: i64, #[tview(first(fk = "post_id", order_by = "text"))] comments: Option<Comment> }
            },
        ),
        (
            "a part without a key",
            shape! {
                #[derive(Embed)] #[tview(table = "tb_comment")] struct Comment { text: String }
                #[derive(TView)] struct Post { id: i64, #[tview(many(fk = "post_id"))] comments: Vec<Comment> }
            },
        ),
    ]);
}

#[test]
fn every_change_of_an_aggregate_changes_the_shape() {
    macro_rules! aggregate {
        ($name:ident($($inside:tt)*), $ty:ty) => {
            shape! {
                #[derive(TView)] struct Post { id: i64, #[tview($name(table = "tb_comment", $($inside)*))] value: $ty }
            }
        };
    }
    all_different(&[
        ("count", aggregate!(count(fk = "post_id"), i64)),
        ("count as i32", aggregate!(count(fk = "post_id"), i32)),
        ("another foreign key", aggregate!(count(fk = "on_id"), i64)),
        (
            "values",
            aggregate!(count(fk = "post_id", expr = "{}.stars"), i64),
        ),
        (
            "rows between",
            aggregate!(
                count(fk = "part_id", through(table = "tb_part", fk = "post_id")),
                i64
            ),
        ),
        (
            "another key of them",
            aggregate!(
                count(
                    fk = "part_id",
                    through(table = "tb_part", fk = "post_id", key = "no")
                ),
                i64
            ),
        ),
        (
            "some of them",
            aggregate!(
                count(
                    fk = "part_id",
                    through(table = "tb_part", fk = "post_id", filter = "public")
                ),
                i64
            ),
        ),
        (
            "different values",
            aggregate!(count(fk = "post_id", expr = "{}.stars", distinct), i64),
        ),
        (
            "another column",
            aggregate!(count(fk = "post_id", key = "number"), i64),
        ),
        (
            "a filter",
            aggregate!(count(fk = "post_id", filter = "public"), i64),
        ),
        (
            "a sum",
            aggregate!(sum(fk = "post_id", expr = "{}.stars"), i64),
        ),
        (
            "a sum that may be null",
            aggregate!(sum(fk = "post_id", expr = "{}.stars"), Option<i64>),
        ),
        (
            "the largest",
            aggregate!(max(fk = "post_id", expr = "{}.stars"), Option<i64>),
        ),
        (
            "the smallest",
            aggregate!(min(fk = "post_id", expr = "{}.stars"), Option<i64>),
        ),
        (
            "the smallest of another",
            aggregate!(min(fk = "post_id", expr = "{}.likes"), Option<i64>),
        ),
        (
            "the mean",
            aggregate!(avg(fk = "post_id", expr = "{}.stars"), Option<f64>),
        ),
        (
            "whether there is one",
            aggregate!(exists(fk = "post_id"), bool),
        ),
    ]);
}

/// A changed number would cost a needless rebuild.
#[test]
fn changes_of_what_is_not_stored_do_not_change_the_shape() {
    let shape = shape! {
        #[derive(Embed)] #[tview(table = "tb_comment")]
        struct Comment { id: i64, text: String }
        #[derive(Embed)] #[tview(table = "tb_user")]
        struct Author { id: i64, name: String }
        #[derive(TView)]
        struct Post {
            id: i64,
            #[tview(sort)]
            title: String,
            #[tview(one(fk = "author_id"))]
            author: Author,
            #[tview(many(fk = "post_id", order_by = "text DESC", filter = "public"))]
            comments: Vec<Comment>,
        }
    };
    let same = [
        (
            "names in Rust and in GraphQL, newtypes, indexes, storage, defaults that are written out",
            shape! {
                #[derive(Embed)] #[tview(table = "public.tb_comment", type_name = "Remark")]
                struct Remark { id: i64, #[tview(column = "text", json = "text")] words: String }
                #[derive(TScalar)] struct AuthorId(i64);
                #[derive(Embed)] #[tview(table = "tb_user")]
                struct Writer { id: AuthorId, name: String }
                #[derive(TScalar)] struct PostId(i64);
                #[derive(TView)]
                #[tview(
                    table = "tb_post", view = "tv_post", entity = "article", plural = "articles",
                    index(on = "title, id"), fillfactor = 70, unlogged
                )]
                struct Article {
                    #[tview(key)]
                    id: PostId,
                    #[tview(filter, unique)]
                    title: String,
                    #[tview(one(fk = "author_id", key = "id"))]
                    author: std::sync::Arc<Writer>,
                    #[tview(many(fk = "post_id", key = "id", order_by = "text DESC NULLS FIRST", filter = " public "))]
                    comments: Box<[Remark]>,
                    #[tview(skip)]
                    seen: bool,
                }
                use Article as Post;
            },
        ),
        (
            "the order of fields, which jsonb does not keep",
            shape! {
                #[derive(Embed)] #[tview(table = "tb_comment")]
                struct Comment { text: String, id: i64 }
                #[derive(Embed)] #[tview(table = "tb_user")]
                struct Author { name: String, id: i64 }
                #[derive(TView)]
                struct Post {
                    #[tview(many(fk = "post_id", order_by = "text DESC", filter = "public"))]
                    comments: Vec<Comment>,
                    #[tview(one(fk = "author_id"))]
                    author: Author,
                    #[tview(sort)]
                    title: String,
                    id: i64,
                }
            },
        ),
        (
            "a view as a part, whose promoted fields are promoted in its own table only",
            shape! {
                #[derive(Embed)] #[tview(table = "tb_comment")]
                struct Comment { id: i64, text: String }
                #[derive(TView)] #[tview(table = "tb_user")]
                struct Author { id: i64, #[tview(sort)] name: String }
                #[derive(TView)]
                struct Post {
                    id: i64,
                    #[tview(sort)]
                    title: String,
                    #[tview(one(fk = "author_id"))]
                    author: Author,
                    #[tview(many(fk = "post_id", order_by = "text DESC", filter = "public"))]
                    comments: Vec<Comment>,
                }
            },
        ),
    ];
    for (what, same) in same {
        assert_eq!(same, shape, "{what}");
    }
}

/// These numbers are stored in databases: they must not change with a release of this crate or of
/// Rust. If other JSON is stored, the version of the format changes them.
#[test]
fn the_number_of_a_shape_is_fixed() {
    let shape = shape! {
        #[derive(TEnum)] enum Kind { Draft, Live }
        #[derive(Embed)] #[tview(table = "tb_comment")]
        struct Comment { id: i64, text: String, weight: f64 }
        #[derive(TView)]
        struct Post {
            id: i64,
            kind: Option<Kind>,
            #[tview(sort)]
            created_at: chrono::DateTime<chrono::Utc>,
            #[tview(many(fk = "post_id", limit = 3))]
            comments: Vec<Comment>,
            #[tview(count(table = "tb_comment", fk = "post_id"))]
            comment_count: i64,
        }
    };
    assert_eq!(shape, -6_557_956_754_641_983_062);
}

#[test]
fn every_change_of_a_list_of_values_changes_the_shape() {
    macro_rules! values {
        ($($values:tt)*) => {
            shape! {
                #[derive(TView)] struct Post { id: i64, #[tview(values(table = "tb_tag", $($values)*))] tags: Vec<String> }
            }
        };
    }
    all_different(&[
        ("values", values!(fk = "post_id", column = "name")),
        ("another column", values!(fk = "post_id", column = "title")),
        (
            "an expression",
            values!(fk = "post_id", expr = "lower({}.name)"),
        ),
        (
            "another foreign key",
            values!(fk = "on_id", column = "name"),
        ),
        (
            "another column that it refers to",
            values!(fk = "post_id", key = "number", column = "name"),
        ),
        (
            "different values",
            values!(fk = "post_id", column = "name", distinct),
        ),
        (
            "an order",
            values!(fk = "post_id", column = "name", order_by = "place"),
        ),
        (
            "a falling order",
            values!(fk = "post_id", column = "name", order_by = "name DESC"),
        ),
        (
            "a limit",
            values!(fk = "post_id", column = "name", limit = 3),
        ),
        (
            "a filter",
            values!(fk = "post_id", column = "name", filter = "public"),
        ),
        (
            "a join table",
            values!(
                through(table = "tb_post_tag", fk = "post_id", to = "tag_id"),
                column = "name"
            ),
        ),
        (
            "what it refers to",
            values!(
                through(
                    table = "tb_post_tag",
                    fk = "post_id",
                    to = "tag_id",
                    key = "no"
                ),
                column = "name"
            ),
        ),
        (
            "nulls",
            shape! {
                #[derive(TView)] struct Post { id: i64,
                    #[tview(values(table = "tb_tag", fk = "post_id", column = "name"))] tags: Vec<Option<String>> }
            },
        ),
    ]);
}

#[test]
fn every_change_of_a_group_changes_the_shape() {
    macro_rules! group {
        ($by:literal, $($count:tt)*) => {
            shape! {
                #[derive(Embed)] #[tview(table = "tb_tag", group_by = $by)] struct Tags {
                    name: String, #[tview($($count)*)] tags: i64 }
                #[derive(TView)] struct Post { id: i64, #[tview(many(fk = "post_id"))] tags: Vec<Tags> }
            }
        };
    }
    all_different(&[
        ("a group", group!("name", count)),
        ("of two columns", group!("name, kind", count)),
        ("in another order", group!("kind, name", count)),
        ("of some rows", group!("name", count(filter = "public"))),
        ("of values", group!("name", count(expr = "{}.id"))),
        (
            "of different values",
            group!("name", count(expr = "{}.id", distinct)),
        ),
        ("a sum", group!("name", sum(expr = "{}.id"))),
        (
            "rows",
            shape! {
                #[derive(Embed)] #[tview(table = "tb_tag")] struct Tags { name: String, tags: i64 }
                #[derive(TView)] struct Post { id: i64, #[tview(many(fk = "post_id"))] tags: Vec<Tags> }
            },
        ),
    ]);
}

#[test]
fn a_tenant_is_a_promoted_column_and_a_hidden_field_is_not_in_the_document() {
    all_different(&[
        (
            "neither",
            shape! {
                #[derive(TView)] struct Post { id: i64, org_id: i64 }
            },
        ),
        (
            "a tenant",
            shape! {
                #[derive(TView)] struct Post { id: i64, #[tview(tenant)] org_id: i64 }
            },
        ),
        (
            "a hidden tenant",
            shape! {
                #[derive(TView)] struct Post { id: i64, #[tview(tenant, hidden)] org_id: i64 }
            },
        ),
        (
            "another tenant",
            shape! {
                #[derive(TView)] struct Post { id: i64, #[tview(tenant)] team_id: i64 }
            },
        ),
    ]);
    // What differs is the indexes, and who may read.
    let promoted = shape! {
        #[derive(TView)] struct Post { id: i64, #[tview(filter)] org_id: i64 }
    };
    let tenant = shape! {
        #[derive(TView)] struct Post { id: i64, #[tview(tenant)] org_id: i64 }
    };
    let without_index = shape! {
        #[derive(TView)] struct Post { id: i64, #[tview(filter, index = false)] org_id: i64 }
    };
    assert_eq!([tenant, without_index], [promoted, promoted]);
}
