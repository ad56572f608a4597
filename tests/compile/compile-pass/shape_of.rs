//! Parts that are some of the fields of a struct in another module, with private fields and types.

use fraiseql_runtime::schema::Source;
use fraiseql_runtime::{Embed, TView};

mod model {
    use fraiseql_runtime::{Embed, TView};

    #[derive(TView)]
    #[tview(table = "app.tb_user", filter = "deleted_at IS NULL")]
    #[allow(dead_code)]
    pub struct User {
        #[tview(key)]
        user_no: i64,
        id: String,
        #[tview(column = "full_name")]
        name: String,
        #[tview(one(fk = "employer_id"))]
        employer: Option<Company>,
        // The part contains the part that it is embedded in.
        #[tview(many(fk = "author_no"))]
        posts: Vec<super::Post>,
        #[tview(count(table = "tb_post", fk = "author_no"))]
        post_count: i64,
    }

    #[derive(Embed)]
    #[allow(dead_code)]
    struct Company {
        id: i64,
        name: String,
    }
}

#[derive(Embed)]
pub struct Post {
    id: i64,
    #[tview(one(fk = "author_no"))]
    author: Option<Author>,
}

/// The key is not among the fields.
#[derive(Embed)]
#[tview(shape_of = crate::model::User)]
struct Author {
    id: String,
    #[tview(column = "full_name", json = "called")]
    name: String,
    #[tview(skip)]
    seen: bool,
    #[tview(one(fk = "employer_id"))]
    employer: Option<Employer>,
    #[tview(count(table = "tb_post", fk = "author_no"))]
    post_count: i64,
}

#[derive(Embed)]
#[tview(table = "tb_company")]
struct Employer {
    name: String,
}

/// A shape of a shape, with a filter of its own, and the same table written out.
#[derive(Embed)]
#[tview(shape_of = Author, filter = "true", table = "app.tb_user")]
struct Badge {
    #[tview(column = "full_name")]
    name: String,
}

/// A list may be shorter, and have another order.
#[derive(Embed)]
#[tview(shape_of = Boxed)]
struct Latest {
    #[tview(many(fk = "author_no", order_by = "id DESC", limit = 3))]
    posts: Vec<PostId>,
}

type Boxed = Box<model::User>;

#[derive(Embed)]
#[tview(shape_of = Post)]
struct PostId {
    id: i64,
}

#[derive(TView)]
#[tview(table = "tb_post", view = "tv_entry", entity = "entry")]
struct Entry {
    id: i64,
    #[tview(one(fk = "author_no"))]
    author: Author,
}

fn main() {
    for shape in [Author::SHAPE, Badge::SHAPE] {
        assert_eq!((shape.table.schema, shape.table.name), ("app", "tb_user"));
        assert_eq!(shape.key_columns().to_string(), "user_no");
    }
    assert_eq!(Author::SHAPE.filter, Some("deleted_at IS NULL"));
    assert_eq!(Badge::SHAPE.filter, Some("true"));
    assert_eq!(Author::SHAPE.fields[1].json, "called");
    assert_eq!(PostId::SHAPE.table.name, "tb_post");
    assert!(matches!(
        Latest::SHAPE.fields[0].source,
        Source::Many(fraiseql_runtime::schema::Many { limit: Some(3), .. })
    ));
    let _ = |post: Post, entry: Entry, latest: Latest| {
        let author = post.author.unwrap();
        let Badge { name } = Badge { name: author.name };
        let Author {
            id,
            seen,
            employer,
            post_count,
            ..
        } = entry.author;
        (
            post.id,
            name,
            id,
            seen,
            employer.unwrap().name,
            post_count,
            entry.id,
            latest.posts[0].id,
        )
    };
}
